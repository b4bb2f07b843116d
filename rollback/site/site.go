// Package site brings a static site back to an earlier state: the objects of an S3
// bucket with versioning, and what CloudFront has cached of them. Old versions are
// copied on top inside S3, so that nothing is ever deleted for good. It knows nothing
// of GitHub nor of Lambda.
package site

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// WholeBucket is the prefix that says that the whole bucket is the site, where the
// bucket's contents alone would not let one believe it.
const WholeBucket = "/"

// Log takes one fact a line.
type Log = aws.Log

// Clock is the time, handed in.
type Clock = aws.Clock

// Deps is what the package works with.
type Deps struct {
	// S3 may be a client for any region: the bucket's own is found out.
	S3         *s3.Client
	CloudFront *cloudfront.Client // for us-east-1; only for requests with a distribution
	Clock      Clock
	Log        Log
	// Finish outlives the context that a signal or the time limit ends: what is under
	// way then is finished within it. Nil: nothing ends it.
	Finish context.Context
	// Workers is how many requests are made at once; 0: 64.
	Workers int
}

// Request says which site to restore, and to what.
type Request struct {
	Bucket string
	// Prefix is the beginning of the site's keys. Empty: the whole bucket, unless it
	// holds other things; WholeBucket: the whole bucket in any case.
	Prefix string
	// Run identifies the workflow run whose deploy is taken back; Attempt is its own
	// attempt. The run's manifest is found by it.
	Run, Attempt string
	// RestoreTo is a moment that a person chose. Zero: the run's manifest, and without
	// one, Created.
	RestoreTo time.Time
	// Created is when the run was created.
	Created time.Time
	// Manifest is the key of a manifest that a person chose.
	Manifest string
	// Ended is when the run's last counted job had ended. What was written after it is
	// left alone, unless a person chose the state. Zero: not known, nothing is left alone.
	Ended time.Time
	// KeepNew leaves the objects that did not exist then.
	KeepNew bool
	// EntryPoints are patterns of path.Match for pages beside *.html. They are copied
	// after everything else.
	EntryPoints []string
	DryRun      bool

	DistributionID string // empty: no invalidation
	// OriginPath is the distribution's, for where its configuration may not be read; nil:
	// not known, and everything is invalidated then.
	OriginPath     *string
	CloudFrontWait bool // wait until the invalidation is complete
}

func (q Request) prefix() string {
	if q.Prefix == WholeBucket {
		return ""
	}
	return q.Prefix
}

// bucket is the bucket under work.
type bucket struct {
	name    string
	s3      *s3.Client
	clock   Clock
	log     Log
	calm    *calm // of tries
	pace    *pace
	workers int
	finish  context.Context

	pages    atomic.Int64 // of listings that were read
	requests atomic.Int64

	region string       // its own, where it is not the client's
	wrote  atomic.Bool  // a write was sent
	unsure atomic.Int64 // objects whose write was sent, and never answered
	mu     sync.Mutex
	notes  []report.Note
}

const defaultWorkers = 64

func (d Deps) bucket(name string) *bucket {
	workers := d.Workers
	if workers == 0 {
		workers = defaultWorkers
	}
	finish := d.Finish
	if finish == nil {
		finish = context.Background()
	}
	return &bucket{
		name: name, s3: d.S3, clock: d.Clock, log: d.Log, calm: &calm{Log: d.Log, Clock: d.Clock},
		pace: newPace(d.Clock, workers), workers: workers, finish: finish,
	}
}

// options are those of every call: the bucket's region, and no retries but ours.
func (b *bucket) options(o *s3.Options) {
	b.requests.Add(1)
	o.Retryer = sdk.NopRetryer{}
	if b.region != "" {
		o.Region = b.region
	}
}

func (b *bucket) arn(key string) string { return "arn:aws:s3:::" + b.name + "/" + key }

// notef keeps a sentence for the result, once.
func (b *bucket) notef(warning bool, format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	for _, n := range b.notes {
		if n.Text == text {
			return
		}
	}
	b.notes = append(b.notes, report.Note{Warning: warning, Text: text})
}

// open finds the bucket's region, and that its versioning is on.
func (b *bucket) open(ctx context.Context) error {
	out, err := b.versioning(ctx)
	if region := regionElsewhere(err); region != "" && region != b.region {
		b.log.Infof("bucket %s is in %s", b.name, region)
		b.region = region
		out, err = b.versioning(ctx)
	}
	if err != nil {
		return err
	}
	const remedy = "a site without versions cannot be brought back. Turn it on with `aws s3api put-bucket-versioning --bucket %s --versioning-configuration Status=Enabled`; it helps from the next deploy on"
	switch out.Status {
	case types.BucketVersioningStatusEnabled:
		return nil
	case types.BucketVersioningStatusSuspended:
		return problem(report.VersioningOff, "versioning of the bucket %s is suspended, so that each write replaces the one before: "+remedy, b.name, b.name)
	}
	return problem(report.VersioningOff, "versioning of the bucket %s is off: "+remedy, b.name, b.name)
}

func (b *bucket) versioning(ctx context.Context) (*s3.GetBucketVersioningOutput, error) {
	return call(ctx, b, "GetBucketVersioning", "arn:aws:s3:::"+b.name, func(ctx context.Context, options func(*s3.Options)) (*s3.GetBucketVersioningOutput, error) {
		return b.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &b.name}, options)
	})
}

// regionElsewhere is the region that S3 says the bucket is in, where the call went to
// another one.
func regionElsewhere(err error) string {
	if err == nil {
		return ""
	}
	switch aws.Code(err) {
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "TemporaryRedirect", "MovedPermanently":
		if answer, found := errors.AsType[*awshttp.ResponseError](err); found && answer.Response != nil {
			return answer.Response.Header.Get("X-Amz-Bucket-Region")
		}
	}
	return ""
}

// denialHint finds out whether a denial comes from Requester Pays.
func (b *bucket) denialHint(ctx context.Context, err error) error {
	if err == nil || asProblem(err).Reason != report.AccessDenied {
		return err
	}
	out, asked := b.s3.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: &b.name}, b.options)
	if asked == nil && out.Payer == types.PayerRequester {
		return problem(report.AccessDenied, "the bucket %s is set to Requester Pays, with which no site can be served or restored: turn it off with `aws s3api put-bucket-request-payment --bucket %s --request-payment-configuration Payer=BucketOwner`", b.name, b.name)
	}
	return err
}

// Restore brings the site back, and never panics: every problem stands in the result.
func Restore(ctx context.Context, d Deps, q Request) report.Site {
	return newWork(d, q).run(ctx)
}

func (w *work) run(ctx context.Context) report.Site {
	if err := w.restore(ctx); err != nil {
		w.fail(asProblem(err))
	}
	w.result.Notes = w.b.notes
	w.result.Requests = int(w.b.requests.Load())
	if w.q.DryRun && w.plan != nil {
		w.result.Requests = w.plan.requests()
	}
	w.result.DurationMS = w.d.Clock.Now().Sub(w.began).Milliseconds()
	return w.result
}

// work is one restore under way.
type work struct {
	d      Deps
	q      Request
	b      *bucket
	copier copier
	began  time.Time
	result report.Site
	plan   *plan
	tally  tally
	kept   int // objects that this run added, left because of a newer deploy
}

func newWork(d Deps, q Request) *work {
	w := &work{d: d, q: q, b: d.bucket(q.Bucket), began: d.Clock.Now()}
	w.copier.b = w.b
	w.result = report.Site{Bucket: q.Bucket, Prefix: q.prefix(), Region: d.S3.Options().Region, Keys: []report.SiteKey{}}
	return w
}

func (w *work) restore(ctx context.Context) error {
	for _, pattern := range w.q.EntryPoints {
		if err := validPattern(pattern); err != nil {
			return err
		}
	}
	if err := w.b.open(ctx); err != nil {
		return w.b.denialHint(ctx, err)
	}
	if w.b.region != "" {
		w.result.Region = w.b.region
	}
	target, err := w.target(ctx)
	if err != nil {
		return err
	}
	if w.plan, err = w.makePlan(ctx, target); err != nil {
		return w.b.denialHint(ctx, err)
	}
	return w.carryOut(ctx)
}

// target is the state to restore.
type target struct {
	rules    rules
	manifest *manifestReader // nil: by time
}

// target finds the state to restore: what a person chose, else the run's manifest,
// else the run's creation.
func (w *work) target(ctx context.Context) (target, error) {
	q := w.q
	t := target{rules: rules{Prefix: q.prefix(), Cut: q.Created, Ended: q.Ended, KeepNew: q.KeepNew, Entries: q.EntryPoints}}
	w.result.Evidence = report.ByTime
	var err error
	switch {
	case q.Manifest != "":
		t.rules.Ended = time.Time{}
		if t.manifest, err = w.b.openManifest(ctx, q.Manifest); err == nil && t.manifest == nil {
			err = problem(report.InvalidInput, "there is no manifest %s in the bucket %s: `command: list` shows which there are", quoted(q.Manifest), q.Bucket)
		}
	case !q.RestoreTo.IsZero():
		t.rules.Cut, t.rules.Ended = q.RestoreTo, time.Time{}
	case q.Run != "":
		t.manifest, err = w.b.openManifest(ctx, manifestKey(q.Run, q.prefix()))
		if err != nil && asProblem(err).Reason == report.AccessDenied {
			w.b.notef(true, "Could not check whether this run has a manifest, so the state was chosen by time: %s", asProblem(err).Text)
			err = nil
		}
	}
	if err != nil {
		return t, err
	}
	if m := t.manifest; m != nil {
		if m.head.Prefix != q.prefix() {
			return t, problem(report.InvalidInput, "the manifest %s is of the prefix %s and not of %s: correct site-manifest or site-prefix", quoted(m.key), quoted(m.head.Prefix), quoted(q.prefix()))
		}
		t.rules.Cut = m.head.At
		w.result.Evidence = report.ByManifest
	}
	if t.rules.Cut.IsZero() {
		return t, problem(report.InvalidInput, "it is not known when this run began, and no manifest of it was found: say site-restore-to")
	}
	if t.manifest == nil && t.rules.Cut.After(w.began) {
		return t, problem(report.InvalidInput, "site-restore-to is in the future: say a moment that has been")
	}
	w.result.Cut = t.rules.Cut.UTC().Format(time.RFC3339)
	return t, nil
}

// makePlan reads the listing, page by page, beside the manifest.
func (w *work) makePlan(ctx context.Context, t target) (*plan, error) {
	p := newPlan(t.rules)
	what := func(string) (wanted, error) { return wanted{}, nil }
	if t.manifest != nil {
		defer t.manifest.close()
		what = t.manifest.want
		t.rules.Cut = t.rules.Cut.Truncate(time.Second).Add(-time.Nanosecond) // S3 cuts times to seconds
	}
	said := w.b.clock.Now()
	list := counted(w.b.list(ctx, t.rules.Prefix, 0), &w.result.Versions)
	for h, err := range histories(list, t.rules.Cut, what) {
		if err != nil {
			return nil, err
		}
		p.add(h)
		if now := w.b.clock.Now(); now.Sub(said) >= progressEvery {
			said = now
			w.b.log.Infof("%d versions and delete markers listed so far", w.result.Versions)
		}
	}
	if t.manifest != nil {
		gone, err := t.manifest.rest()
		if err != nil {
			return nil, err
		}
		p.Counts[missing] += gone.count
		for _, key := range gone.first {
			p.show(key, report.KeyFailed, "all of its versions have gone; nothing took their place")
		}
	}
	if err := p.Shape.refusal(w.b.name, w.q.Prefix); err != nil {
		return nil, err
	}
	w.b.log.Infof("%d versions and delete markers listed, %s to copy or compare (%s), %d to remove",
		w.result.Versions, objects(len(p.Assets)+len(p.Pages)), size(p.Bytes), len(p.Removals))
	return p, nil
}

func quoted(text string) string { return fmt.Sprintf("%q", text) }

func quotedAll(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = quoted(text)
	}
	return out
}

// size is a number of bytes for people.
func size(bytes int64) string {
	const unit = 1000
	if bytes < unit {
		return fmt.Sprintf("%d bytes", bytes)
	}
	n, at := float64(bytes)/unit, 0
	for n >= unit && at < 4 {
		n /= unit
		at++
	}
	return strings.Replace(fmt.Sprintf("%.1f %s", n, []string{"kB", "MB", "GB", "TB", "PB"}[at]), ".0 ", " ", 1)
}
