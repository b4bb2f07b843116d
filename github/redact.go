package github

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	redacted       = "***"
	shortestSecret = 4 // bytes; anything shorter would hide plain words
	shortestInner  = 8 // bytes; shorter secrets are not searched for in the base64 of longer texts
)

// Redactor removes secrets from text before anybody sees it. The runner masks
// secrets, too, but only in its log, and only those that it knows. The zero value and
// nil remove nothing.
type Redactor struct {
	mu      sync.RWMutex
	needles []string // longest first
}

// NewRedactor returns a Redactor for each value, for each line of a multi-line value,
// and for their encoded forms, such as those in URLs, in JSON and in base64. Values
// of less than 4 bytes are ignored.
func NewRedactor(secrets []string) *Redactor {
	r := &Redactor{}
	r.Add(secrets...)
	return r
}

// Add adds secrets that are issued later.
func (r *Redactor) Add(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[string]bool{}
	for _, needle := range r.needles {
		found[needle] = true
	}
	for _, secret := range secrets {
		for _, value := range append(strings.Split(secret, "\n"), secret) {
			value = strings.TrimSpace(value)
			if len(value) < shortestSecret {
				continue
			}
			for _, form := range forms(value) {
				if len(form) >= shortestSecret {
					found[form] = true
				}
			}
		}
	}
	r.needles = slices.SortedFunc(maps.Keys(found), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
}

// forms returns the forms in which a secret may occur in other text.
func forms(secret string) []string {
	escaped := []string{url.QueryEscape(secret), url.PathEscape(secret)}
	all := []string{secret, jsonEscape(secret, true), jsonEscape(secret, false)}
	all = append(all, html.EscapeString(secret), strings.ReplaceAll(secret, "/", `\/`),
		url.QueryEscape(escaped[0]), url.PathEscape(escaped[1]), hex.EncodeToString([]byte(secret)))
	for _, form := range escaped {
		all = append(all, form, hexDigits().ReplaceAllStringFunc(form, strings.ToLower))
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		all = append(all,
			encoding.EncodeToString([]byte(secret)),
			encoding.WithPadding(base64.NoPadding).EncodeToString([]byte(secret)))
		if len(secret) >= shortestInner {
			all = append(all, insideBase64(encoding, secret)...)
		}
	}
	return all
}

var hexDigits = newPattern(`%[0-9A-F]{2}`)

// insideBase64 returns what the secret looks like inside the base64 of a longer text
// (`user:password`): one form for each position in a group of three bytes, without
// the characters that contain bits of the neighboring bytes.
func insideBase64(encoding *base64.Encoding, secret string) []string {
	var all []string
	for before := range 3 {
		text := encoding.EncodeToString(append(make([]byte, before), secret...))
		start := (before*8 + 5) / 6
		end := (before + len(secret)) * 8 / 6
		all = append(all, text[start:end])
	}
	return all
}

// jsonEscape returns the text as it appears between the quotes of a JSON string.
func jsonEscape(text string, html bool) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(html)
	if err := encoder.Encode(text); err != nil {
		return text
	}
	quoted := strings.TrimSuffix(b.String(), "\n")
	return quoted[1 : len(quoted)-1]
}

// Redact replaces each occurrence of a secret with `***`. If secrets overlap, a
// single `***` replaces them all.
func (r *Redactor) Redact(text string) string {
	if r == nil || text == "" {
		return text
	}
	spans := r.spans(text)
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(text[at:s.start])
		b.WriteString(redacted)
		at = s.end
	}
	b.WriteString(text[at:])
	return b.String()
}

// span is a range of bytes in a text, without its end.
type span struct{ start, end int }

// spans returns where secrets occur, in order, with overlapping ones merged.
func (r *Redactor) spans(text string) []span {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := r.truncated(text)
	for _, needle := range r.needles {
		for at := 0; ; {
			i := strings.Index(text[at:], needle)
			if i < 0 {
				break
			}
			start := at + i
			all = append(all, span{start, start + len(needle)})
			at = start + 1
		}
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var merged []span
	for _, s := range all {
		if n := len(merged); n > 0 && s.start < merged[n-1].end {
			merged[n-1].end = max(merged[n-1].end, s.end)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// truncated returns the beginnings of secrets that precede the mark of a truncated
// text: half a secret is still a secret.
func (r *Redactor) truncated(text string) []span {
	const mark = "…"
	var all []span
	for from := 0; ; {
		i := strings.Index(text[from:], mark)
		if i < 0 {
			return all
		}
		before := strings.TrimSuffix(text[:from+i], `"`) // the end of a quoted text
		for _, needle := range r.needles {
			for n := min(len(needle)-1, len(before)); n >= shortestSecret; n-- {
				if strings.HasSuffix(before, needle[:n]) {
					all = append(all, span{len(before) - n, len(before)})
					break
				}
			}
		}
		from += i + len(mark)
	}
}

// Result removes the secrets from every free text of a result. It does so before the
// result is converted to JSON and Markdown, so neither can break. Codes, numbers and
// times stay: they come from this program or from AWS.
func (r *Redactor) Result(in report.Result) report.Result {
	out := in
	out.Message = r.Redact(in.Message)
	out.Environment = r.Redact(in.Environment)
	out.RequestReason = r.Redact(in.RequestReason)
	out.OwnURL = r.Redact(in.OwnURL)
	out.Run = r.run(in.Run)
	out.Notes = r.notes(in.Notes)
	out.Functions = make([]report.Function, 0, len(in.Functions))
	for _, f := range in.Functions {
		out.Functions = append(out.Functions, r.Function(f))
	}
	out.Site = r.site(in.Site)
	out.Notifications = make(map[string]string, len(in.Notifications))
	for channel, text := range in.Notifications {
		out.Notifications[channel] = r.Redact(text)
	}
	return out
}

func (r *Redactor) site(in *report.Site) *report.Site {
	if in == nil {
		return nil
	}
	out := *in
	for _, text := range []*string{&out.Bucket, &out.Prefix, &out.Message} {
		*text = r.Redact(*text)
	}
	out.Notes = r.notes(in.Notes)
	out.Keys = slices.Clone(in.Keys)
	for i := range out.Keys {
		out.Keys[i].Key, out.Keys[i].Detail = r.Redact(out.Keys[i].Key), r.Redact(out.Keys[i].Detail)
	}
	if in.Invalidation != nil {
		invalidation := *in.Invalidation
		invalidation.Message, invalidation.Paths = r.Redact(invalidation.Message), r.texts(invalidation.Paths)
		out.Invalidation = &invalidation
	}
	out.Moments = slices.Clone(in.Moments)
	for i := range out.Moments {
		out.Moments[i].Manifest = r.Redact(out.Moments[i].Manifest)
	}
	return &out
}

// Function removes the secrets from the result of one function.
func (r *Redactor) Function(f report.Function) report.Function {
	for _, text := range []*string{&f.Function, &f.ARN, &f.Alias, &f.AliasState, &f.Message, &f.Cause, &f.Proof, &f.Why, &f.LogGroup, &f.LogTail} {
		*text = r.Redact(*text)
	}
	f.Checks = slices.Clone(f.Checks)
	for i := range f.Checks {
		f.Checks[i].Name = r.Redact(f.Checks[i].Name)
		f.Checks[i].Detail = r.Redact(f.Checks[i].Detail)
	}
	f.Timeline = slices.Clone(f.Timeline)
	for i := range f.Timeline {
		f.Timeline[i].Detail = r.Redact(f.Timeline[i].Detail)
	}
	f.Changes = r.changes(f.Changes)
	f.Notes = r.notes(f.Notes)
	f.Versions = slices.Clone(f.Versions)
	for i := range f.Versions {
		f.Versions[i] = r.version(f.Versions[i])
	}
	f.Owner, f.Promotion, f.Watched = r.owner(f.Owner), r.promotion(f.Promotion), r.watched(f.Watched)
	return f
}

func (r *Redactor) promotion(in *report.Promotion) *report.Promotion {
	if in == nil {
		return nil
	}
	out := *in
	out.Looks = slices.Clone(in.Looks)
	for i := range out.Looks {
		out.Looks[i].Verdict = r.Redact(out.Looks[i].Verdict)
	}
	return &out
}

func (r *Redactor) watched(in *report.Watched) *report.Watched {
	if in == nil {
		return nil
	}
	out := *in
	out.Rows = slices.Clone(in.Rows)
	for i := range out.Rows {
		out.Rows[i].Name = r.Redact(out.Rows[i].Name)
	}
	return &out
}

// owner removes secrets from what AWS says about the owner of an alias: the names and
// the reasons of a stack and of a deployment are free text.
func (r *Redactor) owner(in *report.Owner) *report.Owner {
	if in == nil {
		return nil
	}
	out := *in
	for _, text := range []*string{&out.Tool, &out.Name, &out.State, &out.Command, &out.Deployment, &out.Next, &out.Keep} {
		*text = r.Redact(*text)
	}
	out.Past, out.Unseen = r.texts(in.Past), r.texts(in.Unseen)
	return &out
}

func (r *Redactor) changes(all []report.Change) []report.Change {
	all = slices.Clone(all)
	for i := range all {
		for _, text := range []*string{&all[i].What, &all[i].From, &all[i].To} {
			*text = r.Redact(*text)
		}
	}
	return all
}

func (r *Redactor) version(v report.Version) report.Version {
	for _, text := range []*string{&v.Function, &v.Alias, &v.Description, &v.StateReason} {
		*text = r.Redact(*text)
	}
	v.Aliases, v.Changes = r.texts(v.Aliases), r.changes(v.Changes)
	return v
}

func (r *Redactor) run(run report.Run) report.Run {
	for _, text := range []*string{&run.Workflow, &run.Repository, &run.Branch, &run.Commit, &run.Actor, &run.URL} {
		*text = r.Redact(*text)
	}
	run.Jobs, run.Earlier = r.jobs(run.Jobs), r.jobs(run.Earlier)
	run.DeployJobs, run.Counted = r.texts(run.DeployJobs), r.texts(run.Counted)
	return run
}

func (r *Redactor) jobs(all []report.Job) []report.Job {
	all = slices.Clone(all)
	for i := range all {
		for _, text := range []*string{&all[i].Name, &all[i].FailedStep, &all[i].URL} {
			*text = r.Redact(*text)
		}
	}
	return all
}

func (r *Redactor) texts(all []string) []string {
	all = slices.Clone(all)
	for i := range all {
		all[i] = r.Redact(all[i])
	}
	return all
}

func (r *Redactor) notes(all []report.Note) []report.Note {
	all = slices.Clone(all)
	for i := range all {
		all[i].Text = r.Redact(all[i].Text)
	}
	return all
}
