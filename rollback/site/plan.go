package site

import (
	"iter"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Reserved is the beginning of the keys that this action keeps for itself. They are
// never part of a site.
const Reserved = ".lambda-rollback/"

// rules are what the decision on a key needs beside its versions.
type rules struct {
	Prefix string
	// Cut is the moment whose state is restored: the manifest's, where there is one.
	Cut time.Time
	// Ended is when the run's last counted job had ended. What was written after it is a
	// newer deploy's. Zero: nothing is.
	Ended time.Time
	// KeepNew leaves the objects that were born after the cut.
	KeepNew bool
	// Entries are the patterns of entry points beside *.html.
	Entries []string
}

// history is what the decision needs of one key's versions, whatever their number.
type history struct {
	Key     string
	Latest  entry
	AtCut   entry // the zero entry: none
	Touched bool  // a version or marker is newer than the cut
	Missing bool  // the manifest's version is not there any more
	// Ambiguous: a version and a marker share the second that decides, and the listing
	// does not say their order.
	Ambiguous bool
}

// wanted is what a manifest says about a key. Without a manifest, Known is false.
type wanted struct {
	Known     bool
	VersionID string // empty: the key did not exist
}

// histories folds a listing into one history a key, in the listing's order. what
// gives what the manifest says about a key.
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
		h.Touched = true // it lies above the wanted one
	}
}

// action is what is to be done with a key.
type action int

const (
	leave      action = iota // it is right already
	restore                  // the old version is copied on top
	compare                  // it is copied, unless the current version is the same in all but its id
	remove                   // it gets a delete marker
	keepNew                  // it was born after the cut, and is wanted all the same
	superseded               // a newer deploy wrote it
	missing                  // the version to restore has gone
	ambiguous                // two versions share the second that decides
)

// change is what is to be done with one key, and what has to be known for it.
type change struct {
	Action action
	Key    string
	From   version // to copy
	Over   version // what is current; an empty ETag: a delete marker
	// Newer: a newer deploy wrote the current version. It is left alone unless it is the
	// same as the one to copy.
	Newer bool
}

// version is what is kept of an entry.
type version struct {
	ID    string
	ETag  string
	Size  int64
	Class types.StorageClass
}

func (e entry) version() version { return version{e.VersionID, e.ETag, e.Size, e.Class} }

// decide is the decision on one key: a function of its versions and the rules alone.
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

// archived reports whether S3 cannot copy the version before it is restored from the
// archive.
func (v version) archived() bool {
	return v.Class == types.StorageClassGlacier || v.Class == types.StorageClassDeepArchive
}

// entryPoint reports whether a key is a page that leads to assets. Pages come after
// the assets, so that none that is served asks for one that is not there yet.
// Patterns with a slash are compared with the key below the prefix, others with what
// follows its last slash.
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

// plan is everything that is to be done. What is right already is only counted, so
// that its size grows with the changes and not with the versions.
type plan struct {
	Rules    rules
	Assets   []change // to copy or compare
	Pages    []change
	Removals []change
	Counts   map[action]int
	Present  int   // objects that there were at the cut
	Bytes    int64 // to copy at most
	Keys     []report.SiteKey
	Touched  paths // of all keys that are newer than the cut
	Shape    shape
}

func newPlan(r rules) *plan {
	return &plan{Rules: r, Counts: map[action]int{}, Touched: paths{prefix: r.Prefix}}
}

// add decides on one key.
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
		p.show(c.Key, report.KeyFailed, "the version that the manifest names has gone; nothing took its place")
	case ambiguous:
		p.show(c.Key, report.KeyFailed, "a version and a delete marker share the second that decides, and the bucket does not tell their order: use a manifest")
	}
}

func (p *plan) show(key string, action report.KeyAction, detail string) {
	t := tally{keys: p.Keys}
	t.show(key, action, detail)
	p.Keys = t.keys
}

// changes is how many keys may be written.
func (p *plan) changes() int { return len(p.Assets) + len(p.Pages) + len(p.Removals) }

// lost is how many keys cannot be brought back, as is known beforehand.
func (p *plan) lost() int { return p.Counts[missing] + p.Counts[ambiguous] }

// requests is how many requests the move takes at most: see the decision record.
func (p *plan) requests() int {
	const batch = 1000
	return 3*(len(p.Assets)+len(p.Pages)) + (len(p.Removals)+batch-1)/batch
}

// shape is what is seen of a bucket whose site has no prefix: whether it holds
// anything beside a site.
type shape struct {
	RootPage bool     // there is, or was at the cut, an entry point that lies in no folder
	Keys     bool     // there is anything
	Folders  []string // at the root, the first ones
	Foreign  string   // the first key that no site has
}

const foldersShown = 8

func (s *shape) add(h history, r rules) {
	s.Keys = true
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

// foreign are keys that stand beside a site and must not go back with it: AWS's own
// logs, those of CloudFront and of S3's access, and the state of Terraform.
var foreign = regexp.MustCompile(`^AWSLogs/|\.tfstate$|(^|/)E[A-Z0-9]{8,}\.\d{4}-\d\d-\d\d-\d\d\.[0-9a-f]{8}\.gz$|(^|/)\d{4}(-\d\d){5}-[0-9A-F]{16}$`)

// refusal says why a whole bucket is not taken for the site; empty: it is.
func (s *shape) refusal() string {
	switch {
	case s.Foreign != "":
		return "it also holds " + quoted(s.Foreign) + ", which is no part of a site"
	case s.Keys && !s.RootPage && len(s.Folders) > 0:
		return "no page lies at its root, only folders (" + strings.Join(quotedAll(s.Folders), ", ") + ")"
	}
	return ""
}
