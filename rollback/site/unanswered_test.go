package site

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// silent is S3 when it takes connections and answers none.
type silent struct{}

func (silent) Do(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A site that cannot even begin must not use up the whole time: outputs and
// notifications wait for its result.
func TestS3ThatDoesNotAnswerIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	outer := errors.New("the time is over")
	for name, c := range map[string]struct {
		limit, took time.Duration
		reason      report.Reason
		says        string
	}{
		"with time left": {5 * time.Minute, 30 * time.Second, report.Timeout,
			"S3 did not return a usable response to the first request, s3:GetBucketVersioning, within 30 s (no response within 8s): check the connection to S3 (AWS_ENDPOINT_URL, HTTPS_PROXY), and run this again"},
		"with less time": {12 * time.Second, 12 * time.Second, report.Cancelled, "the time is over"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				d := w.deps()
				d.S3 = s3.New(s3.Options{Region: "eu-west-1", HTTPClient: silent{}, Credentials: sdk.AnonymousCredentials{}})
				ctx, cancel := context.WithTimeoutCause(t.Context(), c.limit, outer)
				defer cancel()
				began := time.Now()
				r := Restore(ctx, d, w.cut(""))
				assert.Equal(t, c.took, time.Since(began))
				assert.Equal(t, report.Failed, r.Status)
				assert.Equal(t, c.reason, r.Reason)
				assert.Contains(t, r.Message, c.says)
			})
		})
	}
}
