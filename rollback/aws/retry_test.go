package aws_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// clock is the time of the test, which synctest makes its own.
type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// journal keeps what was logged.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) Infof(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func failure(status int, code, retryAfter string) error {
	header := http.Header{}
	if retryAfter != "" {
		header.Set("Retry-After", retryAfter)
	}
	return answered(status, header, &smithy.GenericAPIError{Code: code})
}

// dated is a response that names the time of AWS, which is not the one of this machine.
func dated(retryAfter, date string) error {
	return answered(503, http.Header{"Retry-After": {retryAfter}, "Date": {date}}, &smithy.GenericAPIError{})
}

func failureSaying(status int, code, message string) error {
	return answered(status, http.Header{}, &smithy.GenericAPIError{Code: code, Message: message})
}

func answered(status int, header http.Header, err error) error {
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: header}},
		Err:      err,
	}}
}

var (
	throttled  = failure(429, "TooManyRequestsException", "")
	unresolved = &net.DNSError{Err: "no such host", Name: "lambda.us-east-99.amazonaws.com", IsNotFound: true}
)

// failing fails with err for the first n tries; below zero: always.
func failing(n int, err error, tries *int) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		if *tries++; n < 0 || *tries <= n {
			return "", err
		}
		return "done", nil
	}
}

func TestDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		retry    aws.Retry
		failures int
		err      error
		tries    int
		fails    bool
	}{
		"it works at once":                        {aws.Retry{}, 0, throttled, 1, false},
		"throttled for a while":                   {aws.Retry{}, 20, throttled, 21, false},
		"server errors for a while":               {aws.Retry{}, 20, failure(503, "", ""), 21, false},
		"a final error is not tried again":        {aws.Retry{}, -1, failure(400, "ValidationException", ""), 1, true},
		"a conflict is the caller's to decide":    {aws.Retry{}, -1, failure(409, "ResourceConflictException", ""), 1, true},
		"not more often than said":                {aws.Retry{Tries: 3}, -1, throttled, 3, true},
		"the last of the tries works":             {aws.Retry{Tries: 3}, 2, throttled, 3, false},
		"a host that is unknown for a moment":     {aws.Retry{}, 2, unresolved, 3, false},
		"an unknown host, with a number of tries": {aws.Retry{Tries: 2}, -1, unresolved, 2, true},
		"an error that is not AWS's":              {aws.Retry{Tries: 2}, -1, errors.New("bug"), 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				c.retry.Log, c.retry.Clock = &journal{}, clock{}
				_, err := aws.Do(t.Context(), c.retry, "GetAlias", failing(c.failures, c.err, &tries))
				assert.Equal(t, c.tries, tries)
				if c.fails {
					assert.Equal(t, c.err, err)
				} else {
					assert.NoError(t, err)
				}
			})
		})
	}
}

func TestAHostThatDoesNotExistIsGivenUpAfterSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries, began := 0, time.Now()
		_, err := aws.Do(t.Context(), aws.Retry{Log: &journal{}, Clock: clock{}}, "GetAlias", failing(-1, unresolved, &tries))
		assert.Equal(t, unresolved, err)
		assert.Greater(t, tries, 3)
		assert.GreaterOrEqual(t, time.Since(began), 5*time.Second)
		assert.Less(t, time.Since(began), 11*time.Second)
	})
}

// A resolver that fails late, for a moment, is waited for as well.
func TestAHostThatIsUnknownAfterLongThrottlingIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries, began := 0, time.Now()
		got, err := aws.Do(t.Context(), aws.Retry{Log: &journal{}, Clock: clock{}}, "GetAlias", func(context.Context) (string, error) {
			tries++
			switch since := time.Since(began); {
			case since < 20*time.Second:
				return "", throttled
			case since < 24*time.Second:
				return "", unresolved
			}
			return "done", nil
		})
		require.NoError(t, err)
		assert.Equal(t, "done", got)
	})
}

func TestDoEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		over := errors.New("the time is over")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, over)
		defer cancel()
		tries, began, log := 0, time.Now(), &journal{}
		_, err := aws.Do(ctx, aws.Retry{Log: log, Clock: clock{}}, "GetAlias", failing(-1, throttled, &tries))
		stopped, found := errors.AsType[*aws.Stopped](err)
		require.True(t, found)
		assert.Equal(t, over, stopped.Cause)
		assert.Equal(t, throttled, stopped.Last)
		assert.Equal(t, aws.GivenUp, aws.Classify(err))
		assert.Equal(t, time.Minute, time.Since(began))
		require.Len(t, log.lines, tries)
		assert.Contains(t, log.lines[0], "GetAlias: TooManyRequestsException; trying again in ")
		assert.True(t, strings.HasSuffix(log.lines[0], "(try 2)"), log.lines[0])
	})
}

// A try that the end of the context cut off says nothing; the try before it does.
func TestTheFailureOfTheLastTry(t *testing.T) {
	t.Parallel()
	cut := &smithy.CanceledError{Err: context.Canceled}
	for name, c := range map[string]struct {
		stopped aws.Stopped
		failure error
		says    string
	}{
		"no try":                 {aws.Stopped{}, nil, ""},
		"the first is cut off":   {aws.Stopped{Last: cut}, cut, " (the last attempt failed: it was interrupted before a response arrived)"},
		"a later one is cut off": {aws.Stopped{Last: cut, Before: throttled}, throttled, " (the last attempt failed: TooManyRequestsException)"},
		"it had a response":      {aws.Stopped{Last: throttled, Before: unresolved}, throttled, " (the last attempt failed: TooManyRequestsException)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.failure, c.stopped.Failure())
			assert.Equal(t, c.says, c.stopped.LastTry())
		})
	}
}

func TestDoDoesNotCallWhereItsContextHasEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, gate := range map[string]chan struct{}{"no gate": nil, "a gate with room": make(chan struct{}, 1)} {
		tries := 0
		_, err := aws.Do(ctx, aws.Retry{Log: &journal{}, Clock: clock{}, Gate: gate}, "GetAlias", failing(0, nil, &tries))
		assert.Equal(t, aws.GivenUp, aws.Classify(err), name)
		assert.Zero(t, tries, name)
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		retry    aws.Retry
		try      int
		err      error
		min, max time.Duration
	}{
		"the first":                    {aws.Retry{}, 1, throttled, 50 * time.Millisecond, 100 * time.Millisecond},
		"the fourth":                   {aws.Retry{}, 4, throttled, 400 * time.Millisecond, 800 * time.Millisecond},
		"the hundredth":                {aws.Retry{}, 100, throttled, 2500 * time.Millisecond, 5 * time.Second},
		"a first one that is longer":   {aws.Retry{FirstPause: time.Second}, 2, throttled, time.Second, 2 * time.Second},
		"asked for in seconds":         {aws.Retry{}, 1, failure(429, "", "17"), 17 * time.Second, 17 * time.Second},
		"asked for as a date":          {aws.Retry{}, 1, failure(503, "", "Sun, 22 Nov 2026 10:00:09 GMT"), 9 * time.Second, 9 * time.Second},
		"a date by the clock of AWS":   {aws.Retry{}, 1, dated("Sun, 22 Nov 2026 10:05:09 GMT", "Sun, 22 Nov 2026 10:05:00 GMT"), 9 * time.Second, 9 * time.Second},
		"a date that has passed":       {aws.Retry{}, 1, failure(503, "", "Sun, 22 Nov 2026 09:00:00 GMT"), 0, 0},
		"asked for more than there is": {aws.Retry{LongestPause: 5 * time.Second}, 1, failure(429, "", "3600"), 5 * time.Second, 5 * time.Second},
		"asked for what is no time":    {aws.Retry{}, 1, failure(429, "", "soon"), 50 * time.Millisecond, 100 * time.Millisecond},
		"asked for a negative time":    {aws.Retry{}, 1, failure(429, "", "-3"), 50 * time.Millisecond, 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 50 {
				got := c.retry.Pause(now, c.try, c.err)
				assert.GreaterOrEqual(t, got, c.min)
				assert.LessOrEqual(t, got, c.max)
			}
		})
	}
}

func TestTheGateBoundsTriesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		retry := aws.Retry{Log: &journal{}, Clock: clock{}, Gate: make(chan struct{}, 2)}
		var wait sync.WaitGroup
		for range 10 {
			wait.Go(func() {
				_, err := aws.Do(t.Context(), retry, "GetAlias", func(context.Context) (int, error) {
					if n := now.Add(1); n > most.Load() {
						most.Store(n)
					}
					time.Sleep(time.Second)
					return int(now.Add(-1)), nil
				})
				assert.NoError(t, err)
			})
		}
		wait.Wait()
		assert.EqualValues(t, 2, most.Load())
	})
}
