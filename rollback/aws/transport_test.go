package aws_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// An answer that comes at once, before net/http has looked for the end of the request,
// neither closes the connection nor is cut off.
func TestAnAnswerThatComesAtOnce(t *testing.T) {
	var connections atomic.Int32
	token := strings.Repeat("x", 64<<10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"nextToken":"`+token+`"}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	clients, _, err := surrounded(t, false, map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s"}, clock{})
	require.NoError(t, err)
	client := clients.Logs("") // it has no pace
	warmed := connections.Load()
	for range 300 {
		out, err := client.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: sdk.String("/aws/lambda/api")})
		require.NoError(t, err)
		require.Len(t, sdk.ToString(out.NextToken), len(token))
	}
	assert.LessOrEqual(t, connections.Load()-warmed, int32(2))
}

// Something in between could answer without end, and use up the machine's memory.
func TestAnAnswerWithoutEnd(t *testing.T) {
	var written atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := strings.Repeat(" ", 1<<20)
		for range 1000 {
			n, err := io.WriteString(w, chunk)
			if written.Add(int64(n)); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	clients, _, err := surrounded(t, false, map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s"}, clock{})
	require.NoError(t, err)
	_, err = getAlias(t.Context(), clients.Lambda(""))
	require.Error(t, err)
	assert.Equal(t, aws.Ambiguous, aws.Classify(err), err)
	assert.Less(t, written.Load(), int64(200<<20))
}
