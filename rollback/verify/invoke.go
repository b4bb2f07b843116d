package verify

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Invoker is the part of the Lambda API that invokes a function.
type Invoker interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

const (
	invokeAction = "lambda:InvokeFunction"
	// invokeLimit is the time limit for the whole check. A single attempt has no
	// shorter limit, because a cold start is slow, and another invocation while the
	// first one is still running would do the work of the test twice.
	invokeLimit = 60 * time.Second
	settleLimit = 10 * time.Second // an alias update takes a moment to reach all callers
	settlePause = 500 * time.Millisecond

	payloadLimit = 500      // characters of an error payload that are shown
	payloadBytes = 64 << 10 // bytes of a payload that are examined; it can have up to 6 MB
	logTailLimit = 4 << 10  // in bytes; Lambda returns no more
)

// broken lists Lambda's errors for a version that cannot run as it is configured.
// Such a version would not serve any other call either.
var broken = []string{
	"EFSIOException", "EFSMountConnectivityException", "EFSMountFailureException", "EFSMountTimeoutException",
	"ENILimitReachedException", "InvalidRuntimeException", "InvalidSecurityGroupIDException", "InvalidSubnetIDException",
	"InvalidZipFileException", "KMSAccessDeniedException", "KMSDisabledException", "KMSInvalidStateException",
	"KMSNotFoundException", "SnapStartException", "SnapStartTimeoutException", "SubnetIPAddressLimitReachedException",
}

// notReady lists Lambda's errors for a version that is not ready yet.
var notReady = []string{"ResourceConflictException", "ResourceNotReadyException", "SnapStartNotReadyException"}

// errInvokeLimit is the cancellation cause of an invocation that takes too long.
var errInvokeLimit = fmt.Errorf("the function did not respond within %s", report.DurationText(invokeLimit))

// invokeCheck invokes the function through its alias.
type invokeCheck struct {
	run     *run
	subject Subject
}

func (r *run) invokeChecks(s Subject) []check {
	if len(r.options.InvokePayload) == 0 {
		return nil
	}
	return []check{invokeCheck{r, s}}
}

// verify invokes the function until the target version responds, or another version
// still responds after settleLimit.
func (c invokeCheck) verify(ctx context.Context) result {
	r, s := c.run, c.subject
	limited, cancel := context.WithTimeoutCause(ctx, invokeLimit, errInvokeLimit)
	defer cancel()
	began, other := r.clock.Now(), ""
	for try := 1; ; try++ {
		asked := r.clock.Now()
		out, err := r.regions[s.Region].Lambda.Invoke(limited, &lambda.InvokeInput{
			FunctionName: sdk.String(s.address()), Qualifier: &s.Alias,
			InvocationType: types.InvocationTypeRequestResponse, LogType: types.LogTypeTail, Payload: r.options.InvokePayload,
		})
		switch {
		case ctx.Err() != nil:
			return newResult("invoke", report.CheckInconclusive, "stopped early: %s%s", context.Cause(ctx), other)
		case limited.Err() != nil:
			return newResult("invoke", report.CheckInconclusive, "%s%s", errInvokeLimit, other)
		case err == nil && (sdk.ToString(out.ExecutedVersion) == s.Version || r.clock.Now().Sub(began) >= settleLimit):
			return c.judge(out, r.clock.Now().Sub(asked))
		case err == nil:
			other = fmt.Sprintf("; version %s ran until then", r.sanitize(sdk.ToString(out.ExecutedVersion), payloadLimit))
			_ = r.clock.Sleep(limited, settlePause)
		case mayPass(err, try):
			wait := r.retry.Pause(r.clock.Now(), try, err)
			other = "; the last attempt failed: " + r.sanitize(aws.Brief(err), longestText)
			r.log.Infof("Invoke: %s; trying again in %s (try %d)", r.sanitize(aws.Brief(err), longestText), wait.Round(10*time.Millisecond), try+1)
			_ = r.clock.Sleep(limited, wait)
		default:
			return c.failed(ctx, err)
		}
	}
}

// mayPass reports whether to try again after an error. Throttling and a version that
// is not ready are retried until the time limit, other temporary errors twice.
func mayPass(err error, try int) bool {
	kind, code := aws.Classify(err), aws.Code(err)
	return kind == aws.Throttled || slices.Contains(notReady, code) ||
		(try < tries && kind.Retryable() && !slices.Contains(broken, code))
}

func (c invokeCheck) failed(ctx context.Context, err error) result {
	if slices.Contains(broken, aws.Code(err)) {
		return newResult("invoke", report.CheckFailed, "Lambda cannot run the version: %s", c.run.sanitize(aws.Brief(err), payloadLimit))
	}
	return newResult("invoke", report.CheckInconclusive, "%s", c.run.explain(ctx, err, invokeAction))
}

// preflight asks Lambda whether it would run the function, without running it.
func (c invokeCheck) preflight(ctx context.Context) []Preflight {
	limited, cancel := context.WithTimeoutCause(ctx, readLimit, errReadLimit)
	defer cancel()
	if err := c.dryRun(limited, c.subject.Alias); err != nil {
		return c.run.refused(limited, "invoke", err, invokeAction)
	}
	return newPreflight("invoke", report.CheckPassed, "allowed (as a dry run: the function did not run)")
}

// dryRun asks Lambda whether it would run an alias or a version, without running it.
func (c invokeCheck) dryRun(ctx context.Context, qualifier string) error {
	_, err := aws.Do(ctx, c.run.retry, "Invoke (dry run)", func(ctx context.Context) (*lambda.InvokeOutput, error) {
		return c.run.regions[c.subject.Region].Lambda.Invoke(ctx, &lambda.InvokeInput{
			FunctionName: sdk.String(c.subject.address()), Qualifier: &qualifier, InvocationType: types.InvocationTypeDryRun,
		})
	})
	return err
}

// judge returns what the response shows about the version.
func (c invokeCheck) judge(out *lambda.InvokeOutput, took time.Duration) result {
	r, s := c.run, c.subject
	version := sdk.ToString(out.ExecutedVersion)
	problem := sdk.ToString(out.FunctionError)
	var res result
	switch {
	case version == "":
		res = newResult("invoke", report.CheckInconclusive, "AWS did not report which version ran")
	case version != s.Version && newer(version, s.FailedVersion):
		res = newResult("invoke", report.CheckInconclusive, "version %s ran, which is newer than version %s, which was replaced: there has been another deploy in the meantime",
			r.sanitize(version, payloadLimit), s.FailedVersion)
	case version != s.Version:
		res = newResult("invoke", report.CheckFailed, "after %s, the alias still runs version %s instead of %s", report.DurationText(settleLimit), r.sanitize(version, payloadLimit), s.Version)
	case problem != "":
		res = newResult("invoke", report.CheckFailed, "version %s ended with a function error (%s): %s",
			version, r.sanitize(problem, payloadLimit), r.sanitize(string(head(out.Payload, payloadBytes)), payloadLimit))
	case out.StatusCode != http.StatusOK && out.StatusCode != http.StatusAccepted:
		res = newResult("invoke", report.CheckInconclusive, "version %s returned the status %d", version, out.StatusCode)
	default:
		res = newResult("invoke", report.CheckPassed, "version %s responded in %s without a function error", version, milliseconds(took))
	}
	res.logTail = r.logTail(out.LogResult)
	if res.checks[0].Status == report.CheckFailed {
		for line := range strings.Lines(res.logTail) {
			r.log.Infof("log of %s: %s", s.Function, strings.TrimRight(line, "\r\n"))
		}
	}
	return res
}

// newer reports whether a version has a higher number than another. It returns false
// if either is not a number.
func newer(version, than string) bool {
	v, err := strconv.ParseInt(version, 10, 64)
	t, errThan := strconv.ParseInt(than, 10, 64)
	return err == nil && errThan == nil && v > t
}

func (r *run) logTail(encoded *string) string {
	data, err := base64.StdEncoding.DecodeString(sdk.ToString(encoded))
	if err != nil {
		return ""
	}
	text := strings.ToValidUTF8(string(data[max(0, len(data)-logTailLimit):]), "\uFFFD")
	// If the tail was truncated, its first line can begin with the end of a secret,
	// which would not be recognized.
	if _, rest, found := strings.Cut(text, "\n"); found && len(data) >= logTailLimit-utf8.UTFMax {
		text = rest
	}
	return r.redact(text)
}

func head(data []byte, limit int) []byte { return data[:min(len(data), limit)] }
