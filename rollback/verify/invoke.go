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

// Invoker is Lambda as far as it takes to invoke.
type Invoker interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

const (
	invokeAction = "lambda:InvokeFunction"
	// invokeLimit bounds the check as a whole. It is not cut into shorter
	// tries: a cold start is slow, and to invoke again while the first one
	// still runs would do the test's work twice.
	invokeLimit = 60 * time.Second
	settleLimit = 10 * time.Second // an alias's move takes a moment to reach all callers
	settlePause = 500 * time.Millisecond

	payloadLimit = 500      // characters of an error's payload that are shown
	payloadBytes = 64 << 10 // what is looked at of a payload, which can have 6 MB
	logTailLimit = 4 << 10  // Lambda gives no more
)

// broken are Lambda's errors for a version that it cannot run as it is
// configured: it would not serve any other call either.
var broken = []string{
	"EFSIOException", "EFSMountConnectivityException", "EFSMountFailureException", "EFSMountTimeoutException",
	"ENILimitReachedException", "InvalidRuntimeException", "InvalidSecurityGroupIDException", "InvalidSubnetIDException",
	"InvalidZipFileException", "KMSAccessDeniedException", "KMSDisabledException", "KMSInvalidStateException",
	"KMSNotFoundException", "SnapStartException", "SnapStartTimeoutException", "SubnetIPAddressLimitReachedException",
}

// notReady are its errors for a version that is on its way.
var notReady = []string{"ResourceConflictException", "ResourceNotReadyException", "SnapStartNotReadyException"}

// errInvokeLimit is the cause of an invocation that took too long.
var errInvokeLimit = fmt.Errorf("the function did not answer within %s", invokeLimit)

// invokeCheck calls the function through its alias.
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

// verify calls the function until the target answers.
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
			return newResult("invoke", report.CheckInconclusive, "stopped before its end: %s%s", context.Cause(ctx), other)
		case limited.Err() != nil:
			return newResult("invoke", report.CheckInconclusive, "%s%s", errInvokeLimit, other)
		case err == nil && (sdk.ToString(out.ExecutedVersion) == s.Version || r.clock.Now().Sub(began) >= settleLimit):
			return c.judge(out, r.clock.Now().Sub(asked))
		case err == nil:
			other = fmt.Sprintf("; version %s ran until then", r.sanitize(sdk.ToString(out.ExecutedVersion), payloadLimit))
			_ = r.clock.Sleep(limited, settlePause)
		case mayPass(err, try):
			wait := r.retry.Pause(r.clock.Now(), try, err)
			other = "; the last try had ended with " + r.sanitize(aws.Brief(err), longestText)
			r.log.Infof("Invoke: %s; trying again in %s (try %d)", r.sanitize(aws.Brief(err), longestText), wait.Round(10*time.Millisecond), try+1)
			_ = r.clock.Sleep(limited, wait)
		default:
			return c.failed(ctx, err)
		}
	}
}

// mayPass: throttling and a version on its way are waited out to the limit,
// other faults tried again twice.
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

// dryRun asks Lambda whether it would run an alias or a version.
func (c invokeCheck) dryRun(ctx context.Context, qualifier string) error {
	_, err := aws.Do(ctx, c.run.retry, "Invoke (dry run)", func(ctx context.Context) (*lambda.InvokeOutput, error) {
		return c.run.regions[c.subject.Region].Lambda.Invoke(ctx, &lambda.InvokeInput{
			FunctionName: sdk.String(c.subject.address()), Qualifier: &qualifier, InvocationType: types.InvocationTypeDryRun,
		})
	})
	return err
}

// judge says what the answer shows.
func (c invokeCheck) judge(out *lambda.InvokeOutput, took time.Duration) result {
	r, s := c.run, c.subject
	version := sdk.ToString(out.ExecutedVersion)
	problem := sdk.ToString(out.FunctionError)
	var res result
	switch {
	case version == "":
		res = newResult("invoke", report.CheckInconclusive, "AWS did not tell which version ran")
	case version != s.Version && newer(version, s.FailedVersion):
		res = newResult("invoke", report.CheckInconclusive, "version %s ran, which is newer than version %s that was left: somebody has deployed meanwhile",
			r.sanitize(version, payloadLimit), s.FailedVersion)
	case version != s.Version:
		res = newResult("invoke", report.CheckFailed, "after %s the alias still runs version %s instead of %s", settleLimit, r.sanitize(version, payloadLimit), s.Version)
	case problem != "":
		res = newResult("invoke", report.CheckFailed, "version %s ended with a function error (%s): %s",
			version, r.sanitize(problem, payloadLimit), r.sanitize(string(head(out.Payload, payloadBytes)), payloadLimit))
	case out.StatusCode != http.StatusOK && out.StatusCode != http.StatusAccepted:
		res = newResult("invoke", report.CheckInconclusive, "version %s answered with the status %d", version, out.StatusCode)
	default:
		res = newResult("invoke", report.CheckPassed, "version %s answered in %s without a function error", version, milliseconds(took))
	}
	res.logTail = r.logTail(out.LogResult)
	if res.checks[0].Status == report.CheckFailed {
		for line := range strings.Lines(res.logTail) {
			r.log.Infof("log of %s: %s", s.Function, strings.TrimRight(line, "\r\n"))
		}
	}
	return res
}

// newer reports whether a version has the higher number, as far as they are numbers.
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
	// Where the tail was cut, its first line can begin with the rest of a
	// secret, which nobody would recognise.
	if _, rest, found := strings.Cut(text, "\n"); found && len(data) >= logTailLimit-utf8.UTFMax {
		text = rest
	}
	return r.redact(text)
}

func head(data []byte, limit int) []byte { return data[:min(len(data), limit)] }
