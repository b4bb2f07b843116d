// Package site restores a static site to an earlier state: the objects of an S3
// bucket with versioning, and the copies that CloudFront has cached. Old versions
// are copied over the current ones inside S3, so nothing is ever deleted
// permanently. The package knows nothing about GitHub or Lambda.
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

// WholeBucket is the prefix that declares the whole bucket to be the site, even if
// the contents of the bucket do not look like it.
const WholeBucket = "/"

// Log takes one fact per line.
type Log = aws.Log

// Clock provides the time. It is passed in.
type Clock = aws.Clock

// Deps are the dependencies of this package.
type Deps struct {
	// S3 may be a client for any region: the region of the bucket is determined.
	S3         *s3.Client
	CloudFront *cloudfront.Client // for us-east-1; only for requests with a distribution
	Clock      Clock
	Log        Log
	// Finish outlives the context that ends with a signal or the time limit: it is
	// for finishing the work in progress. Nil: no limit.
	Finish context.Context
	// Workers is the number of concurrent requests; 0: 64.
	Workers int
}

// Request says which site to restore, and to which state.
type Request struct {
	Bucket string
	// Prefix is the prefix of the site's keys. Empty: the whole bucket, unless it
	// holds other things. WholeBucket: the whole bucket in any case.
	Prefix string
	// Run identifies the workflow run whose deploy is rolled back, also to find its
	// manifest. Attempt is the attempt of the run in which this program runs.
	Run, Attempt string
	// RestoreTo is the point in time that a person chose. Zero: the run's manifest
	// is used or, if there is none, Created.
	RestoreTo time.Time
	// Created is when the run was created.
	Created time.Time
	// Manifest is the key of a manifest that a person chose.
	Manifest string
	// Ended is when the run's last job that may have deployed ended. Anything
	// written after it is kept, unless a person chose the state. Zero: not known, so
	// nothing is kept.
	Ended time.Time
	// KeepNew keeps the objects that did not exist in the state to restore.
	KeepNew bool
	// EntryPoints are patterns, as in path.Match, for pages other than *.html. Pages
	// are copied after everything else.
	EntryPoints []string
	DryRun      bool

	DistributionID string // empty: no invalidation
	// OriginPath is the origin path of the distribution. It is used if the
	// configuration of the distribution cannot be read; nil: not known, so
	// everything is invalidated.
	OriginPath     *string
	CloudFrontWait bool // wait until the invalidation is complete
}

func (q Request) prefix() string {
	if q.Prefix == WholeBucket {
		return ""
	}
	return q.Prefix
}

// bucket is the bucket that is being worked on.
type bucket struct {
	name    string
	s3      *s3.Client
	clock   Clock
	log     Log
	calm    *calm // the log of tries
	pace    *pace
	workers int
	finish  context.Context

	pages    atomic.Int64 // the pages of listings that were read
	requests atomic.Int64

	region string       // of the bucket; empty: the client's
	wrote  atomic.Bool  // a write was sent
	unsure atomic.Int64 // objects whose write was sent but got no response
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

// options sets the options of every call: the bucket's region, and no retries by the
// SDK, because this package retries. It also counts the requests.
func (b *bucket) options(o *s3.Options) {
	b.requests.Add(1)
	o.Retryer = sdk.NopRetryer{}
	if b.region != "" {
		o.Region = b.region
	}
}

func (b *bucket) arn(key string) string { return "arn:aws:s3:::" + b.name + "/" + key }

// notef adds a note to the result, unless the result already has it.
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

// firstAnswerLimit is how long S3 may take to respond to the first request. If the
// work cannot even begin, it must not use up the input timeout: outputs and
// notifications wait for its result.
const (
	firstAnswerLimit = 30 * time.Second
	firstTryLimit    = 8 * time.Second // of one try for it
)

var errNoAnswer = errors.New("S3 did not respond to the first request")

// open determines the bucket's region, and returns an error if versioning is not
// enabled.
func (b *bucket) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, firstAnswerLimit, errNoAnswer)
	defer cancel()
	out, err := b.versioning(ctx)
	if region := regionElsewhere(err); region != "" && region != b.region {
		b.log.Infof("bucket %s is in %s", b.name, region)
		b.region = region
		out, err = b.versioning(ctx)
	}
	if err != nil {
		return err
	}
	const remedy = "a site without versions cannot be restored. Turn it on with `aws s3api put-bucket-versioning --bucket %s --versioning-configuration Status=Enabled`; it takes effect from the next deploy"
	switch out.Status {
	case types.BucketVersioningStatusEnabled:
		return nil
	case types.BucketVersioningStatusSuspended:
		return problem(report.VersioningOff, "versioning of the bucket %s is suspended, so each write replaces the previous version: "+remedy, b.name, b.name)
	}
	return problem(report.VersioningOff, "versioning of the bucket %s is off: "+remedy, b.name, b.name)
}

func (b *bucket) versioning(ctx context.Context) (*s3.GetBucketVersioningOutput, error) {
	return callFor(ctx, b, firstTryLimit, "GetBucketVersioning", "arn:aws:s3:::"+b.name, func(ctx context.Context, options func(*s3.Options)) (*s3.GetBucketVersioningOutput, error) {
		return b.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &b.name}, options)
	})
}

// regionElsewhere returns the region that S3 says the bucket is in, if the call went
// to a different one.
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

// denialHint replaces the error of a denial if Requester Pays is its cause.
func (b *bucket) denialHint(ctx context.Context, err error) error {
	if err == nil || asProblem(err).Reason != report.AccessDenied {
		return err
	}
	out, asked := b.s3.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: &b.name}, b.options)
	if asked == nil && out.Payer == types.PayerRequester {
		return problem(report.AccessDenied, "the bucket %s has Requester Pays turned on, so it cannot serve or restore a site: turn it off with `aws s3api put-bucket-request-payment --bucket %s --request-payment-configuration Payer=BucketOwner`", b.name, b.name)
	}
	return err
}

// Restore restores the site. The result contains every problem.
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

// work is one restore in progress.
type work struct {
	d      Deps
	q      Request
	b      *bucket
	copier copier
	began  time.Time
	result report.Site
	plan   *plan
	tally  tally
	kept   int // objects that this run added, kept because of a newer deploy
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

// target determines the state to restore: the one that a person chose, or else the
// run's manifest, or else the time at which the run was created.
func (w *work) target(ctx context.Context) (target, error) {
	q := w.q
	t := target{rules: rules{Prefix: q.prefix(), Cut: q.Created, Ended: q.Ended, KeepNew: q.KeepNew, Entries: q.EntryPoints}}
	w.result.Evidence = report.ByTime
	var err error
	switch {
	case q.Manifest != "":
		t.rules.Ended = time.Time{}
		if t.manifest, err = w.b.openManifest(ctx, q.Manifest); err == nil && t.manifest == nil {
			err = problem(report.InvalidInput, "there is no manifest %s in the bucket %s: `command: list` shows the existing manifests", quoted(q.Manifest), q.Bucket)
		}
	case !q.RestoreTo.IsZero():
		t.rules.Cut, t.rules.Ended = q.RestoreTo, time.Time{}
	case q.Run != "":
		t.manifest, err = w.b.openManifest(ctx, manifestKey(q.Run, q.prefix()))
		if err != nil && asProblem(err).Reason == report.AccessDenied {
			w.b.notef(true, "Could not check whether this run has a manifest, so the state was determined by time: %s", asProblem(err).Text)
			err = nil
		}
	}
	if err != nil {
		return t, err
	}
	if m := t.manifest; m != nil {
		if m.head.Prefix != q.prefix() {
			return t, problem(report.InvalidInput, "the manifest %s is for the prefix %s, not for %s: correct site-manifest or site-prefix", quoted(m.key), quoted(m.head.Prefix), quoted(q.prefix()))
		}
		t.rules.Cut = m.head.At
		w.result.Evidence = report.ByManifest
	}
	if t.rules.Cut.IsZero() {
		return t, problem(report.InvalidInput, "could not determine when this run began, and it has no manifest: set site-restore-to")
	}
	if t.manifest == nil && t.rules.Cut.After(w.began) {
		return t, problem(report.InvalidInput, "site-restore-to is in the future: set a time in the past")
	}
	w.result.Cut = t.rules.Cut.UTC().Format(time.RFC3339)
	return t, nil
}

// makePlan reads the listing page by page, in step with the manifest.
func (w *work) makePlan(ctx context.Context, t target) (*plan, error) {
	p := newPlan(t.rules)
	what := func(string) (wanted, error) { return wanted{}, nil }
	if t.manifest != nil {
		defer t.manifest.close()
		what = t.manifest.want
		t.rules.Cut = t.rules.Cut.Truncate(time.Second).Add(-time.Nanosecond) // S3 truncates times to seconds
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
			p.show(key, report.KeyFailed, "none of its versions exist any more, and nothing was restored instead")
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

// size formats a number of bytes for people.
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
