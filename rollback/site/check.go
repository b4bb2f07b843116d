package site

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Check reports whether a restore would work now. It changes nothing. It makes the
// calls that read, and it makes the calls that write in a form that AWS must reject
// after it has checked the permission. reason is the reason of the first check that
// failed.
func Check(ctx context.Context, d Deps, q Request) (checks []report.Check, reason report.Reason) {
	c := checker{b: d.bucket(q.Bucket), q: q, d: d}
	if c.line("site bucket", "versioning is on", c.b.denialHint(ctx, c.b.open(ctx))) {
		if sample, found := c.listing(ctx); found {
			c.object(ctx, sample)
		}
	}
	if q.DistributionID != "" {
		c.distribution(ctx)
	}
	return c.checks, c.reason
}

type checker struct {
	b      *bucket
	q      Request
	d      Deps
	checks []report.Check
	reason report.Reason
}

// line records the result of a check, and reports whether it passed.
func (c *checker) line(name, detail string, err error) bool {
	check := report.Check{Name: name, Status: report.CheckPassed, Detail: detail}
	if err != nil {
		p := asProblem(err)
		check.Status, check.Detail = report.CheckFailed, p.Text
		if c.reason == "" {
			c.reason = p.Reason
		}
	}
	c.add(check)
	return err == nil
}

func (c *checker) unknown(name, detail string) {
	c.add(report.Check{Name: name, Status: report.CheckInconclusive, Detail: detail})
}

func (c *checker) add(check report.Check) {
	c.checks = append(c.checks, check)
	c.d.Log.Infof("check %s: %s: %s", check.Name, check.Status, check.Detail)
}

const permission = "permission s3:"

// listing reads the beginning of the site, and returns one of its objects. It does
// not read the whole site: `dry-run` does.
func (c *checker) listing(ctx context.Context) (entry, bool) {
	const name = permission + "ListBucketVersions"
	var sample entry
	seen := newPlan(rules{Prefix: c.q.prefix(), Entries: c.q.EntryPoints})
	count := 0
	for h, err := range histories(c.b.list(ctx, c.q.prefix(), 0), c.d.Clock.Now(), func(string) (wanted, error) { return wanted{}, nil }) {
		if err != nil {
			c.line(name, "", c.b.denialHint(ctx, err))
			return entry{}, false
		}
		seen.add(h)
		if sample.VersionID == "" && !h.Latest.Marker && !strings.HasPrefix(h.Key, Reserved) {
			sample = h.Latest
		}
		if count++; count == batch {
			break
		}
	}
	c.line(name, "allowed", nil)
	if err := seen.Shape.refusal(c.b.name, c.q.Prefix); err != nil && count < batch {
		c.line("site prefix", "", err)
	}
	if sample.VersionID == "" {
		c.unknown("site objects", fmt.Sprintf("s3://%s/%s holds no object, so reading and copying could not be tested", c.b.name, c.q.prefix()))
		return entry{}, false
	}
	return sample, true
}

func (c *checker) object(ctx context.Context, e entry) {
	h, err := c.b.headOf(ctx, e.Key, e.VersionID)
	if !c.line(permission+"GetObjectVersion", "allowed", err) {
		return
	}
	_, err = c.b.readTags(ctx, e.Key, e.VersionID)
	c.line(permission+"GetObjectVersionTagging", "allowed", err)
	c.accessLists(ctx, e)
	c.copying(ctx, e, h)
	c.unknown(permission+"DeleteObject", "it cannot be tested without a change: `drill` shows whether objects that a deploy added can be removed")
}

func (c *checker) accessLists(ctx context.Context, e entry) {
	const name = permission + "GetObjectVersionAcl"
	k := copier{b: c.b}
	if err := k.readACLs(ctx); err != nil {
		c.line(permission+"GetBucketOwnershipControls", "", err)
		return
	}
	if !k.acls.Enabled {
		return
	}
	_, err := k.grantsOf(ctx, e.Key, e.VersionID)
	switch {
	case k.acls.Unknown && len(c.b.notes) > 0:
		c.unknown(name, aclsLost)
	default:
		c.line(name, "allowed", err)
	}
}

// copying requests a copy of an object, on the condition that the object has an ETag
// that it does not have.
func (c *checker) copying(ctx context.Context, e entry, h *head) {
	from := change{Key: e.Key, From: e.version()}
	_, err := call(ctx, c.b, "PutObject", c.b.arn(e.Key), func(ctx context.Context, options func(*s3.Options)) (*s3.CopyObjectOutput, error) {
		return c.b.s3.CopyObject(ctx, &s3.CopyObjectInput{
			Bucket: &c.b.name, Key: &e.Key, CopySource: c.b.source(from),
			CopySourceIfMatch:    sdk.String(`"00000000000000000000000000000000"`),
			ServerSideEncryption: h.ServerSideEncryption, SSEKMSKeyId: h.SSEKMSKeyId,
			StorageClass: h.StorageClass,
		}, options)
	})
	if aws.Status(err) == http.StatusPreconditionFailed {
		err = nil
	}
	c.line(permission+"PutObject", "allowed (tested with a condition that no object meets, so nothing changes)", err)
}

func (c *checker) distribution(ctx context.Context) {
	w := newWork(c.d, c.q)
	d := newCDN(w)
	const name = "permission cloudfront:"
	config, err := cdnCall(ctx, d, "GetDistributionConfig", func(ctx context.Context) (*cloudfront.GetDistributionConfigOutput, error) {
		return d.api.GetDistributionConfig(ctx, &cloudfront.GetDistributionConfigInput{Id: &d.id}, d.options)
	})
	switch {
	case err != nil && asProblem(err).Reason == report.AccessDenied:
		c.unknown(name+"GetDistributionConfig", "denied: a restore will invalidate everything, unless cloudfront-origin-path is set")
	case err != nil:
		c.line(name+"GetDistributionConfig", "", err)
		return
	default:
		detail := "allowed"
		if config.DistributionConfig != nil && !visitorOf(config.DistributionConfig, c.q.Bucket).Known {
			detail = fmt.Sprintf("allowed; no origin of the distribution is the bucket %s, so a restore will invalidate everything", c.q.Bucket)
		}
		c.line(name+"GetDistributionConfig", detail, nil)
	}
	// The request has one path but states two, which CloudFront rejects.
	two := int32(2)
	_, err = cdnCall(ctx, d, "CreateInvalidation", func(ctx context.Context) (*cloudfront.CreateInvalidationOutput, error) {
		return d.api.CreateInvalidation(ctx, &cloudfront.CreateInvalidationInput{
			DistributionId: &d.id,
			InvalidationBatch: &types.InvalidationBatch{
				CallerReference: sdk.String("lambda-rollback-check"),
				Paths:           &types.Paths{Quantity: &two, Items: []string{"/lambda-rollback-check"}},
			},
		}, d.options)
	})
	if code := aws.Code(err); code == "InconsistentQuantities" || code == "InvalidArgument" || code == "MalformedXML" {
		err = nil
	}
	c.line(name+"CreateInvalidation", "allowed (tested with a wrong number of paths, so nothing is invalidated)", err)
}
