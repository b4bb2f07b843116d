package report

// Restored is the status of a site whose objects were brought back.
const Restored Status = "restored"

// Reasons of a site that was skipped or failed.
const (
	NothingChanged Reason = "nothing-changed"
	VersioningOff  Reason = "versioning-off"
	BucketNotFound Reason = "bucket-not-found"
	PrefixRequired Reason = "prefix-required"
	Archived       Reason = "archived"
	PartlyRestored Reason = "partly-restored"
)

// Site is the result for the static site: the object `site` in the output `results`.
type Site struct {
	Bucket  string `json:"bucket"`
	Prefix  string `json:"prefix"`
	Region  string `json:"region"`
	Status  Status `json:"status"`
	Reason  Reason `json:"reason"` // empty where everything was restored
	Message string `json:"message"`
	// Evidence is what gave the state to restore; empty: it was not found out.
	Evidence Evidence `json:"evidence"`
	// Cut is the moment of the state that was restored: RFC 3339 in UTC.
	Cut string `json:"cut"`
	// Restored counts the objects that were copied on top, Removed those that got a
	// delete marker, Unchanged those that were right already, Failed those that are
	// not as they were. In a dry run Restored and Removed are what would be done.
	Restored   int `json:"restored"`
	Removed    int `json:"removed"`
	Unchanged  int `json:"unchanged"`
	Failed     int `json:"failed"`
	Superseded int `json:"superseded"` // left alone: a newer deploy has written them
	// Bytes is the size of the objects that were copied; the copy happens inside S3.
	Bytes        int64         `json:"bytes"`
	Keys         []SiteKey     `json:"keys"` // the first ones, at most SiteKeysShown
	Invalidation *Invalidation `json:"invalidation,omitempty"`
	// Moments are the states that the site can be restored to, the newest first; of
	// the command list.
	Moments    []SiteMoment `json:"moments,omitempty"`
	RestoredAt string       `json:"restored-at"` // RFC 3339 in UTC; empty if nothing was written
	DurationMS int64        `json:"duration-ms"`

	// Requests is how many requests were made, or in a dry run would be, at most.
	Requests int `json:"-"`
	// Versions is how many versions and delete markers were listed.
	Versions int    `json:"-"`
	Notes    []Note `json:"-"`
}

// Evidence is what gave the state to restore.
type Evidence string

// The kinds of evidence. A manifest is exact; a time is not where versions have
// expired, or were uploaded in parts.
const (
	ByManifest Evidence = "manifest"
	ByTime     Evidence = "time"
)

// Written reports whether the site was changed and stayed so.
func (s *Site) Written() bool {
	return s != nil && s.Status != Planned && s.Status != Drilled && s.Status != Taken && s.Restored+s.Removed > 0
}

// SiteKeysShown bounds the keys of a result.
const SiteKeysShown = 20

// SiteKey is one key and what was done with it.
type SiteKey struct {
	Key    string    `json:"key"`
	Action KeyAction `json:"action"`
	Detail string    `json:"detail,omitempty"` // why, where it is not as it was
}

// KeyAction is what was done with a key.
type KeyAction string

// What can be done with a key.
const (
	KeyRestored   KeyAction = "restored"
	KeyRemoved    KeyAction = "removed"
	KeyFailed     KeyAction = "failed"
	KeySuperseded KeyAction = "superseded"
	KeyCovered    KeyAction = "covered" // somebody wrote it during the rollback, and lies beneath now
)

// Invalidation is what was asked of CloudFront.
type Invalidation struct {
	DistributionID string   `json:"distribution-id"`
	ID             string   `json:"id"`     // empty: none was made
	Status         string   `json:"status"` // CloudFront's own word, as it was last read
	Paths          []string `json:"paths"`  // as they were sent
	Message        string   `json:"message,omitempty"`
}

// SiteMoment is a state that a site can be restored to.
type SiteMoment struct {
	At       string `json:"at"`       // RFC 3339 in UTC: `site-restore-to` takes it
	Versions int    `json:"versions"` // written in the deploy that led to it
	Removed  int    `json:"removed"`  // delete markers that it wrote
	Manifest string `json:"manifest"` // key of a manifest that was taken then; empty: none
}
