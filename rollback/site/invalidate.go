package site

import (
	"context"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Retries and polling of CloudFront calls.
const (
	busyWait   = 10 * time.Second // between tries while too many invalidations are in progress
	busyTries  = 7
	statusWait = 5 * time.Second
)

// cdn is one CloudFront distribution.
type cdn struct {
	api   *cloudfront.Client
	id    string
	log   Log
	clock Clock
	count func()
}

func newCDN(w *work) cdn {
	return cdn{w.d.CloudFront, w.q.DistributionID, w.d.Log, w.d.Clock, func() { w.b.requests.Add(1) }}
}

func (c cdn) options(o *cloudfront.Options) {
	c.count()
	o.Retryer = sdk.NopRetryer{}
}

func (c cdn) arn() string { return "arn:aws:cloudfront::*:distribution/" + c.id }

func cdnCall[T any](ctx context.Context, c cdn, action string, f func(context.Context) (T, error)) (T, error) {
	out, err := aws.Do(ctx, retry(c.log, c.clock, tryLimit), action, f)
	if err != nil {
		resource := c.arn()
		if aws.Code(err) == "NoSuchDistribution" {
			resource = c.id
		}
		return out, explain(err, "cloudfront:"+action, resource)
	}
	return out, nil
}

// invalidate invalidates the cached copies of every key that is newer than the cut.
// This includes keys that an earlier attempt restored, in case its invalidation was
// lost. If it was not lost, the reference makes both the same invalidation.
func invalidate(ctx context.Context, w *work) {
	if w.q.DistributionID == "" || w.plan.Touched.total == 0 {
		return
	}
	c := newCDN(w)
	v := c.visitor(ctx, w.q, w.b)
	paths := w.plan.Touched.invalidation(v)
	if len(paths) == 0 {
		w.b.notef(false, "None of the objects is served by the distribution %s: nothing was invalidated.", c.id)
		return
	}
	in := &report.Invalidation{DistributionID: c.id, Paths: paths}
	w.result.Invalidation = in
	err := requestInvalidation(ctx, w, c, in)
	if err == nil && w.q.CloudFrontWait {
		err = c.await(ctx, in)
	}
	if err == nil {
		return
	}
	p := asProblem(err)
	in.Message = p.Text
	if w.result.Status == report.Failed {
		w.b.notef(true, "CloudFront was not invalidated: %s", p.Text)
		return
	}
	w.fail(&Problem{Reason: report.PartlyRestored, Text: fmt.Sprintf(
		"The objects in s3://%s/%s are as they were at %s, but CloudFront may still serve the bad ones: %s. Run this again, or `aws cloudfront create-invalidation --distribution-id %s --paths '/*'`.",
		w.result.Bucket, w.result.Prefix, w.result.Cut, p.Text, c.id)})
}

// visitor reads how the distribution serves the bucket. If the configuration cannot
// be read, visitor uses what the request says about it.
func (c cdn) visitor(ctx context.Context, q Request, b *bucket) visitor {
	out, err := cdnCall(ctx, c, "GetDistributionConfig", func(ctx context.Context) (*cloudfront.GetDistributionConfigOutput, error) {
		return c.api.GetDistributionConfig(ctx, &cloudfront.GetDistributionConfigInput{Id: &c.id}, c.options)
	})
	if err == nil && out.DistributionConfig != nil {
		return visitorOf(out.DistributionConfig, q.Bucket)
	}
	if q.OriginPath != nil {
		return visitor{Known: true, Origin: []string{strings.Trim(*q.OriginPath, "/")}, Root: "index.html"}
	}
	if err != nil && asProblem(err).Reason == report.AccessDenied {
		b.notef(false, "Could not read the distribution's configuration, so everything was invalidated: %s", asProblem(err).Text)
	}
	return visitor{}
}

func visitorOf(config *types.DistributionConfig, bucket string) visitor {
	v := visitor{Root: value(config.DefaultRootObject)}
	if config.Origins == nil {
		return v
	}
	for _, origin := range config.Origins.Items {
		if strings.HasPrefix(value(origin.DomainName), bucket+".s3") {
			v.Known = true
			v.Origin = append(v.Origin, strings.Trim(value(origin.OriginPath), "/"))
		}
	}
	return v
}

// requestInvalidation creates the invalidation. While too many are in progress, it
// waits for a limited time. After that, it requests a single wildcard path, which
// uses the least of the quota.
func requestInvalidation(ctx context.Context, w *work, c cdn, in *report.Invalidation) error {
	for try := 1; ; try++ {
		err := c.create(ctx, reference(w.q.Run, in.Paths, w.plan.Touched.state), in)
		if !tooMany(err) || try > busyTries {
			return err
		}
		if try == busyTries {
			w.b.log.Infof("CloudFront still has too many invalidations in progress: invalidating /* instead of %d paths", len(in.Paths))
			in.Paths = []string{"/*"}
			continue
		}
		w.b.log.Infof("CloudFront has too many invalidations in progress: waiting %s", busyWait)
		if err := w.b.clock.Sleep(ctx, busyWait); err != nil {
			return explain(&aws.Stopped{Cause: context.Cause(ctx)}, "cloudfront:CreateInvalidation", c.arn())
		}
	}
}

func tooMany(err error) bool { return aws.Code(err) == "TooManyInvalidationsInProgress" }

func (c cdn) create(ctx context.Context, reference string, in *report.Invalidation) error {
	quantity := int32(len(in.Paths)) //nolint:gosec // few
	out, err := cdnCall(ctx, c, "CreateInvalidation", func(ctx context.Context) (*cloudfront.CreateInvalidationOutput, error) {
		return c.api.CreateInvalidation(ctx, &cloudfront.CreateInvalidationInput{
			DistributionId: &c.id,
			InvalidationBatch: &types.InvalidationBatch{
				CallerReference: &reference,
				Paths:           &types.Paths{Quantity: &quantity, Items: in.Paths},
			},
		}, c.options)
	})
	if err == nil && out.Invalidation != nil {
		in.ID, in.Status = value(out.Invalidation.Id), value(out.Invalidation.Status)
	}
	return err
}

func (c cdn) await(ctx context.Context, in *report.Invalidation) error {
	for in.Status != "Completed" {
		if err := c.clock.Sleep(ctx, statusWait); err != nil {
			return explain(&aws.Stopped{Cause: context.Cause(ctx)}, "cloudfront:GetInvalidation", c.arn())
		}
		out, err := cdnCall(ctx, c, "GetInvalidation", func(ctx context.Context) (*cloudfront.GetInvalidationOutput, error) {
			return c.api.GetInvalidation(ctx, &cloudfront.GetInvalidationInput{DistributionId: &c.id, Id: &in.ID}, c.options)
		})
		if err != nil {
			return err
		}
		if out.Invalidation != nil {
			in.Status = value(out.Invalidation.Status)
		}
	}
	return nil
}
