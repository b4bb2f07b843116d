package report

// Restored is the status of a site whose objects were restored.
const Restored Status = "restored"

// The reasons of a site that was skipped or failed.
const (
	NothingChanged Reason = "nothing-changed"
	VersioningOff  Reason = "versioning-off"
	BucketNotFound Reason = "bucket-not-found"
	PrefixRequired Reason = "prefix-required"
	Archived       Reason = "archived"
	PartlyRestored Reason = "partly-restored"
	StateNotGiven  Reason = "state-not-given"
)

// Site is the result for the static site: the object `site` in the output `results`.
type Site struct {
	Bucket  string `json:"bucket"`
	Prefix  string `json:"prefix"`
	Region  string `json:"region"`
	Status  Status `json:"status"`
	Reason  Reason `json:"reason"` // empty if everything was restored
	Message string `json:"message"`
	// Evidence is the source of the state to restore; empty if there is none.
	Evidence Evidence `json:"evidence"`
	// Cut is the time of the restored state, in RFC 3339 and UTC.
	Cut string `json:"cut"`
	// Restored counts the objects that were copied, Removed those that got a delete
	// marker, Unchanged those that were already correct, and Failed those that are not
	// restored. In a dry run, Restored and Removed count what would be done.
	Restored   int `json:"restored"`
	Removed    int `json:"removed"`
	Unchanged  int `json:"unchanged"`
	Failed     int `json:"failed"`
	Superseded int `json:"superseded"` // not changed, because a newer deploy has written them
	// Bytes is the size of the copied objects; S3 copies them internally.
	Bytes        int64         `json:"bytes"`
	Keys         []SiteKey     `json:"keys"` // the first keys, at most SiteKeysShown
	Invalidation *Invalidation `json:"invalidation,omitempty"`
	// Moments are the states that the site can be restored to, newest first, for the
	// command list.
	Moments    []SiteMoment `json:"moments,omitempty"`
	RestoredAt string       `json:"restored-at"` // RFC 3339 in UTC; empty if nothing was written
	DurationMS int64        `json:"duration-ms"`

	// Requests is how many requests were made, or about how many a dry run would make.
	Requests int `json:"-"`
	// Versions is how many versions and delete markers were listed.
	Versions int    `json:"-"`
	Notes    []Note `json:"-"`
}

// Evidence is the source of the state to restore.
type Evidence string

// The sources. A manifest is exact; a time is not, if versions have expired or were
// uploaded in parts.
const (
	ByManifest Evidence = "manifest"
	ByTime     Evidence = "time"
)

// Written reports whether the site was changed, and the change was kept.
func (s *Site) Written() bool {
	return s != nil && s.Status != Planned && s.Status != Drilled && s.Status != Taken && s.Restored+s.Removed > 0
}

// SiteKeysShown limits the keys in a result.
const SiteKeysShown = 20

// SiteKey is one key and what was done with it.
type SiteKey struct {
	Key    string    `json:"key"`
	Action KeyAction `json:"action"`
	Detail string    `json:"detail,omitempty"` // the reason why it is not restored
}

// KeyAction is what was done with a key.
type KeyAction string

// The possible actions.
const (
	KeyRestored   KeyAction = "restored"
	KeyRemoved    KeyAction = "removed"
	KeyFailed     KeyAction = "failed"
	KeySuperseded KeyAction = "superseded"
	KeyCovered    KeyAction = "covered" // somebody wrote it during the rollback, and that version is now an older one
)

// Invalidation is the CloudFront invalidation that was requested.
type Invalidation struct {
	DistributionID string   `json:"distribution-id"`
	ID             string   `json:"id"`     // empty if none was made
	Status         string   `json:"status"` // the last status from CloudFront
	Paths          []string `json:"paths"`  // as they were sent
	Message        string   `json:"message,omitempty"`
}

// SiteMoment is a state that a site can be restored to.
type SiteMoment struct {
	At       string `json:"at"`       // RFC 3339 in UTC, as `site-restore-to` accepts it
	Versions int    `json:"versions"` // objects written in the deploy that led to it
	Removed  int    `json:"removed"`  // delete markers that the deploy wrote
	Manifest string `json:"manifest"` // the key of a manifest from that time; empty if there is none
}
