package verify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// wire answers the SDK's own clients with one error, each service in its
// protocol: CloudWatch in CBOR, Logs and Lambda in JSON.
type wire struct {
	status int
	code   string

	mu    sync.Mutex
	calls map[string]int
}

func (w *wire) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	defer func() { _, _ = io.Copy(io.Discard, in.Body) }()
	operation := "Invoke"
	switch target := in.Header.Get("X-Amz-Target"); {
	case in.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		operation = in.URL.Path[strings.LastIndex(in.URL.Path, "/")+1:]
		out.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		out.Header().Set("Content-Type", "application/cbor")
		out.WriteHeader(w.status)
		_, _ = fmt.Fprintf(out, "\xa2%s%s%s%s", cbor("__type"), cbor("com.amazonaws.cloudwatch#"+w.code), cbor("message"), cbor("no"))
	case target != "":
		operation = target[strings.LastIndex(target, ".")+1:]
		out.Header().Set("Content-Type", "application/x-amz-json-1.1")
		out.WriteHeader(w.status)
		_, _ = fmt.Fprintf(out, `{"__type":"com.amazonaws.logs#%s","message":"no"}`, w.code)
	default:
		out.Header().Set("X-Amzn-Errortype", w.code)
		out.WriteHeader(w.status)
		_, _ = fmt.Fprint(out, `{"Message":"no"}`)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[operation]++
}

// cbor is a text of less than 256 bytes.
func cbor(text string) string { return "\x78" + string([]byte{byte(len(text))}) + text }

func staticKeys(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
}

func TestErrorsOnTheWire(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		code   string
		tries  int
		says   string
	}{
		"denied with 403":           {403, "AccessDeniedException", 1, "AWS denied %s: allow that action"},
		"denied with 400":           {400, "AccessDeniedException", 1, "AWS denied %s: allow that action"},
		"the session is over":       {403, "ExpiredTokenException", 1, "did not accept the credentials for %s"},
		"throttled, and it stays":   {400, "ThrottlingException", 3, "kept throttling %s"},
		"a server error that stays": {500, "InternalFailure", 3, "%s failed: InternalFailure"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wire{status: c.status, code: c.code, calls: map[string]int{}}
			server := httptest.NewServer(w)
			t.Cleanup(server.Close)
			cfg := aws.Config{
				Region: "eu-west-1", BaseEndpoint: &server.URL, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
				Credentials: aws.CredentialsProviderFunc(staticKeys),
			}
			s := newSetup()
			watcher := cloudwatch.NewFromConfig(cfg)
			s.clients = verify.Clients{
				Lambda: lambda.NewFromConfig(cfg), Alarms: watcher, Metrics: watcher, Logs: cloudwatchlogs.NewFromConfig(cfg),
			}
			s.Options.Alarms, s.Options.Observe = []verify.Alarm{{Name: "errors"}}, time.Millisecond
			if c.tries == 1 {
				s.Options.InvokePayload = json.RawMessage(`{}`)
			}
			v := s.verify()
			for check, action := range map[string]string{"invoke": "lambda:InvokeFunction", "alarm": "cloudwatch:DescribeAlarms", "metrics": "cloudwatch:GetMetricData", "logs": "logs:FilterLogEvents"} {
				if check == "invoke" && c.tries != 1 {
					continue
				}
				got := find(t, v, check)
				assert.Equal(t, report.CheckInconclusive, got.Status)
				assert.Contains(t, got.Detail, fmt.Sprintf(c.says, action))
			}
			assert.Equal(t, c.tries, w.calls["FilterLogEvents"], "tried by us alone, not by the SDK")
			assert.Equal(t, c.tries, w.calls["GetMetricData"])
		})
	}
}
