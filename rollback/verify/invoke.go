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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
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
// configured: production is not served by it, whoever asks.
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

func (r *run) invokeCheck(s Subject) []check {
	if len(r.InvokePayload) == 0 {
		return nil
	}
	return []check{func(ctx context.Context) findings { return r.invoke(ctx, s) }}
}

// invoke calls the function through its alias until the target answers.
func (r *run) invoke(ctx context.Context, s Subject) findings {
	limited, cancel := context.WithTimeoutCause(ctx, invokeLimit, errInvokeLimit)
	defer cancel()
	began, other := r.Clock.Now(), ""
	for try := 1; ; try++ {
		asked := r.Clock.Now()
		out, err := r.regions[s.Region].Lambda.Invoke(limited, &lambda.InvokeInput{
			FunctionName: aws.String(s.address()), Qualifier: &s.Alias,
			InvocationType: types.InvocationTypeRequestResponse, LogType: types.LogTypeTail, Payload: r.InvokePayload,
		}, uninvoked)
		switch {
		case ctx.Err() != nil:
			return one("invoke", Inconclusive, "stopped before its end: %s%s", context.Cause(ctx), other)
		case limited.Err() != nil:
			return one("invoke", Inconclusive, "%s%s", errInvokeLimit, other)
		case err == nil && (aws.ToString(out.ExecutedVersion) == s.Version || r.Clock.Now().Sub(began) >= settleLimit):
			return r.executed(s, out, r.Clock.Now().Sub(asked))
		case err == nil:
			other = fmt.Sprintf("; version %s ran until then", r.outside(aws.ToString(out.ExecutedVersion), payloadLimit))
			_ = r.Clock.Sleep(limited, settlePause)
		case r.mayPass(err, try):
			wait := pause(try, err)
			other = "; the last try had ended with " + r.outside(brief(err), longestText)
			r.Log.Infof("Invoke: %s; trying again in %s (try %d)", r.outside(brief(err), longestText), wait.Round(10*time.Millisecond), try+1)
			_ = r.Clock.Sleep(limited, wait)
		default:
			return r.uninvokable(ctx, err)
		}
	}
}

// mayPass: throttling and a version on its way are waited out to the limit,
// other faults tried again twice.
func (r *run) mayPass(err error, try int) bool {
	code := errorCode(err)
	return throttled(err) || slices.Contains(notReady, code) ||
		(try < tries && passing(err) && !slices.Contains(broken, code))
}

func (r *run) uninvokable(ctx context.Context, err error) findings {
	if slices.Contains(broken, errorCode(err)) {
		return one("invoke", Failed, "Lambda cannot run the version: %s", r.outside(brief(err), payloadLimit))
	}
	return one("invoke", Inconclusive, "%s", r.explain(ctx, err, invokeAction))
}

// executed judges what came back.
func (r *run) executed(s Subject, out *lambda.InvokeOutput, took time.Duration) findings {
	version := aws.ToString(out.ExecutedVersion)
	problem := aws.ToString(out.FunctionError)
	var f findings
	switch {
	case version == "":
		f = one("invoke", Inconclusive, "AWS did not tell which version ran")
	case version != s.Version && newer(version, s.FailedVersion):
		f = one("invoke", Inconclusive, "version %s ran, which is newer than version %s that was left: somebody has deployed meanwhile",
			r.outside(version, payloadLimit), s.FailedVersion)
	case version != s.Version:
		f = one("invoke", Failed, "after %s the alias still runs version %s instead of %s", settleLimit, r.outside(version, payloadLimit), s.Version)
	case problem != "":
		f = one("invoke", Failed, "version %s ended with a function error (%s): %s",
			version, r.outside(problem, payloadLimit), r.outside(string(head(out.Payload, payloadBytes)), payloadLimit))
	case out.StatusCode != http.StatusOK && out.StatusCode != http.StatusAccepted:
		f = one("invoke", Inconclusive, "version %s answered with the status %d", version, out.StatusCode)
	default:
		f = one("invoke", Passed, "version %s answered in %s without a function error", version, milliseconds(took))
	}
	f.logTail = r.logTail(out.LogResult)
	if f.checks[0].Status == Failed {
		for line := range strings.Lines(f.logTail) {
			r.Log.Infof("log of %s: %s", s.Function, strings.TrimRight(line, "\r\n"))
		}
	}
	return f
}

// newer tells whether a version has the higher number, as far as they are numbers.
func newer(version, than string) bool {
	v, err := strconv.ParseInt(version, 10, 64)
	t, errThan := strconv.ParseInt(than, 10, 64)
	return err == nil && errThan == nil && v > t
}

func (r *run) logTail(encoded *string) string {
	data, err := base64.StdEncoding.DecodeString(aws.ToString(encoded))
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

// address is how the API is to be asked for the function.
func (s Subject) address() string {
	if s.ARN != "" {
		return s.ARN
	}
	return s.Function
}

func head(data []byte, limit int) []byte { return data[:min(len(data), limit)] }

// uninvoked turns the SDK's own retries off.
func uninvoked(o *lambda.Options) { o.Retryer = aws.NopRetryer{} }
