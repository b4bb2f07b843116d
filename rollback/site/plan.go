package site

import (
	"cmp"
	"iter"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Reserved is the prefix of the keys that this action reserves for itself. They are
// never part of a site.
const Reserved = ".lambda-rollback/"

// rules are what the decision on a key needs in addition to its versions.
type rules struct {
	Prefix string
	// Cut is the point in time to restore: that of the manifest, if there is one.
	Cut time.Time
	// Ended is when the run's last job that may have deployed ended. Anything
	// written after it belongs to a newer deploy. Zero: nothing does.
	Ended time.Time
	// KeepNew keeps the objects that were created after the cut.
	KeepNew bool
	// Entries are patterns for entry points other than *.html.
	Entries []string
}

// history is what the decision needs to know about the versions of one key,
// regardless of their number.
type history struct {
	Key     string
	Latest  entry
	AtCut   entry // the zero entry: none
	Touched bool  // a version or marker is newer than the cut
	Missing bool  // the version in the manifest no longer exists
	// Ambiguous is set if a version and a delete marker share the second that
	// decides, and the listing does not show their order.
	Ambiguous bool
}

// wanted is what a manifest says about a key. Without a manifest, Known is false.
type wanted struct {
	Known     bool
	VersionID string // empty: the key did not exist
}

// histories combines a listing into one history per key, in the order of the
// listing. what returns what the manifest says about a key.
func histories(list iter.Seq2[entry, error], cut time.Time, what func(key string) (wanted, error)) iter.Seq2[history, error] {
	return func(yield func(history, error) bool) {
		var h history
		var want wanted
		open := false
		for e, err := range list {
			if err != nil {
				yield(history{}, err)
				return
			}
			if open && e.Key != h.Key {
				if !yield(h, nil) {
					return
				}
				open = false
			}
			if !open {
				if want, err = what(e.Key); err != nil {
					yield(history{}, err)
					return
				}
				h, open = history{Key: e.Key, Latest: e, Missing: want.VersionID != ""}, true
				h.Touched = want.Known && want.VersionID == "" && !e.Marker // it is newer than the manifest, whatever its time
			}
			h.add(e, cut, want)
		}
		if open {
			yield(h, nil)
		}
	}
}

func (h *history) add(e entry, cut time.Time, want wanted) {
	if e.Modified.After(cut) {
		h.Touched = true
	}
	switch {
	case !want.Known:
		if h.AtCut.VersionID == "" && !e.Modified.After(cut) {
			h.AtCut, h.Ambiguous = e, e.Unordered
		}
	case want.VersionID == "":
	case e.VersionID == want.VersionID && !e.Marker:
		h.AtCut, h.Missing = e, false
	case h.Missing:
		h.Touched = true // it is newer than the version in the manifest
	}
}

// action is what to do with a key.
type action int

const (
	leave      action = iota // it is already right
	restore                  // the old version is copied over the current one
	compare                  // it is copied, unless the current version differs only in its ID
	remove                   // it gets a delete marker
	keepNew                  // it was created after the cut, and is kept anyway
	superseded               // a newer deploy wrote it
	missing                  // the version to restore no longer exists
	ambiguous                // a version and a delete marker share the second that decides
)

// change is what to do with one key, and what is needed to do it.
type change struct {
	Action action
	Key    string
	From   version // the version to copy
	Over   version // the current version; a delete marker if its ETag is empty
	// Newer is set if a newer deploy wrote the current version. That version is
	// kept, unless it is the same as the one to copy.
	Newer bool
}

// version has the fields of an entry that the plan keeps.
type version struct {
	ID    string
	ETag  string
	Size  int64
	Class types.StorageClass
}

func (e entry) version() version { return version{e.VersionID, e.ETag, e.Size, e.Class} }

// decide decides what to do with one key. The decision depends only on the key's
// versions and the rules.
func decide(h history, r rules) change {
	c := change{Key: h.Key, From: h.AtCut.version(), Over: h.Latest.version()}
	newer := !r.Ended.IsZero() && h.Latest.Modified.After(r.Ended)
	present := h.AtCut.VersionID != "" && !h.AtCut.Marker
	switch {
	case h.Ambiguous && h.Latest.VersionID != h.AtCut.VersionID:
		c.Action = ambiguous
	case h.Missing:
		c.Action = missing
	case present && h.Latest.VersionID == h.AtCut.VersionID, !present && h.Latest.Marker:
		c.Action = leave
	case present && !h.Latest.Marker && h.Latest.Size == h.AtCut.Size:
		c.Action, c.Newer = compare, newer
	case newer:
		c.Action = superseded
	case present:
		c.Action = restore
	case r.KeepNew:
		c.Action = keepNew
	default:
		c.Action = remove
	}
	return c
}

// archived reports whether the version must be restored from the archive before S3
// can copy it.
func (v version) archived() bool {
	return v.Class == types.StorageClassGlacier || v.Class == types.StorageClassDeepArchive
}

// entryPoint reports whether a key is a page that links to assets. Pages are copied
// after the assets, so that no page that is served requests an asset that is not
// there yet. Patterns with a slash are matched against the key without the prefix,
// other patterns against the part after its last slash.
func (r rules) entryPoint(key string) bool {
	key = strings.TrimPrefix(key, r.Prefix)
	base := key[strings.LastIndexByte(key, '/')+1:]
	if strings.HasSuffix(base, ".html") || strings.HasSuffix(base, ".htm") {
		return true
	}
	return slices.ContainsFunc(r.Entries, func(pattern string) bool {
		name := base
		if strings.Contains(pattern, "/") {
			name = key
		}
		matched, err := path.Match(pattern, name)
		return err == nil && matched
	})
}

// plan is everything that has to be done. Keys that are already right are only
// counted, so the size of the plan depends on the number of changes, not on the
// number of versions.
type plan struct {
	Rules    rules
	Assets   []change // to copy, or to compare first
	Pages    []change
	Removals []change
	Counts   map[action]int
	Present  int   // objects that existed at the cut
	Bytes    int64 // to copy, at most
	Keys     []report.SiteKey
	Touched  paths // keys newer than the cut, except superseded ones
	Shape    shape
}

func newPlan(r rules) *plan {
	return &plan{Rules: r, Counts: map[action]int{}, Touched: paths{prefix: r.Prefix}}
}

// add adds the decision on one key.
func (p *plan) add(h history) {
	if strings.HasPrefix(h.Key, Reserved) {
		return
	}
	p.Shape.add(h, p.Rules)
	c := decide(h, p.Rules)
	p.Counts[c.Action]++
	if h.AtCut.VersionID != "" && !h.AtCut.Marker {
		p.Present++
	}
	if h.Touched && c.Action != superseded {
		p.Touched.add(h.Key, h.Latest.VersionID)
	}
	switch c.Action {
	case leave, keepNew:
	case restore, compare:
		p.Bytes += c.From.Size
		if p.Rules.entryPoint(c.Key) {
			p.Pages = append(p.Pages, c)
		} else {
			p.Assets = append(p.Assets, c)
		}
	case remove:
		p.Removals = append(p.Removals, c)
	case superseded:
		p.show(c.Key, report.KeySuperseded, "written after this run's deploy had ended")
	case missing:
		p.show(c.Key, report.KeyFailed, "the version in the manifest no longer exists, and nothing was restored instead")
	case ambiguous:
		p.show(c.Key, report.KeyFailed, "a version and a delete marker were created in the same second, and S3 does not show their order: use a manifest")
	}
}

func (p *plan) show(key string, action report.KeyAction, detail string) {
	t := tally{keys: p.Keys}
	t.show(key, action, detail)
	p.Keys = t.keys
}

// changes returns how many keys may be written.
func (p *plan) changes() int { return len(p.Assets) + len(p.Pages) + len(p.Removals) }

// lost returns how many keys are already known to be impossible to restore.
func (p *plan) lost() int { return p.Counts[missing] + p.Counts[ambiguous] }

// requests returns about how many requests the move takes: three for each object, and
// more for objects with an ACL, tags or several parts.
func (p *plan) requests() int {
	const batch = 1000
	return 3*(len(p.Assets)+len(p.Pages)) + (len(p.Removals)+batch-1)/batch
}

// shape shows whether a bucket, or the part of it with the prefix, holds anything
// other than one site.
type shape struct {
	RootPage bool     // the listing has an entry point that is in no folder
	Keys     bool     // the listing has any key
	Folders  []string // the first folders at the root
	Inside   string   // the first key in the folder that the prefix names without a slash
	Beside   string   // the first key that begins with the prefix but is not in that folder
	Foreign  string   // the first key that cannot be part of a site
}

const foldersShown = 8

func (s *shape) add(h history, r rules) {
	s.Keys = true
	switch rest := strings.TrimPrefix(h.Key, r.Prefix); {
	case r.Prefix == "" || strings.HasSuffix(r.Prefix, "/"):
	case strings.HasPrefix(rest, "/"):
		s.Inside = cmp.Or(s.Inside, h.Key)
	default:
		s.Beside = cmp.Or(s.Beside, h.Key)
	}
	folder, _, deep := strings.Cut(h.Key, "/")
	if !deep {
		s.RootPage = s.RootPage || r.entryPoint(h.Key)
	} else if folder += "/"; len(s.Folders) < foldersShown && !slices.Contains(s.Folders, folder) {
		s.Folders = append(s.Folders, folder)
	}
	if s.Foreign == "" && foreign.MatchString(h.Key) {
		s.Foreign = h.Key
	}
}

// foreign matches keys that may be stored next to a site but must not be restored
// with it: logs of AWS itself, CloudFront logs, S3 access logs, and the state of
// Terraform.
var foreign = regexp.MustCompile(`^AWSLogs/|\.tfstate$|(^|/)E[A-Z0-9]{8,}\.\d{4}-\d\d-\d\d-\d\d\.[0-9a-f]{8}\.gz$|(^|/)\d{4}(-\d\d){5}-[0-9A-F]{16}$`)

// refusal returns an error that says why the keys with the prefix, or a whole
// bucket, are not treated as a site; nil: they are.
func (s *shape) refusal(bucket, prefix string) error {
	const whole = "the action does not treat the whole bucket %s as a site, because %s: set site-prefix to the folder of the site, or set `site-prefix: /` if the whole bucket is the site"
	if s.Inside != "" && s.Beside != "" {
		return problem(report.PrefixRequired, "the prefix %s matches the folder %s and also %s: end site-prefix with a slash", quoted(prefix), quoted(prefix+"/"), quoted(s.Beside))
	}
	if why := s.foreign(); prefix == "" && why != "" {
		return problem(report.PrefixRequired, whole, bucket, why)
	}
	return nil
}

// foreign returns what a bucket holds in addition to a site; empty: nothing.
func (s *shape) foreign() string {
	switch {
	case s.Foreign != "":
		return "it also contains " + quoted(s.Foreign) + ", which is not part of a site"
	case s.Keys && !s.RootPage && len(s.Folders) > 0:
		return "its root contains no page, only folders (" + strings.Join(quotedAll(s.Folders), ", ") + ")"
	}
	return ""
}
