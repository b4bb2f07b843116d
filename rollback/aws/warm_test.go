package aws_test

import (
	"context"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// The connections are made while the credentials are fetched, with the
// certificates of AWS_CA_BUNDLE, and the calls go out on them.
func TestConnectionsAreWarmedWhileTheTokenIsFetched(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			answers(200, "", "{}")(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write([]byte(`<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA</AccessKeyId>` +
			`<SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>` +
			`</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_CA_BUNDLE": bundle, "AWS_REGION": "us-east-99",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_ACCESS_KEY_ID": "",
	} {
		t.Setenv(name, value)
	}
	// All services have the same host here: five connections of Lambda, and one of
	// STS, CloudFormation and CodeDeploy each.
	const warmed = 8
	clients, err := aws.Open(t.Context(), aws.Options{
		RoleARN: "arn:aws:iam::123456789012:role/rollback", SessionName: "test", Secret: func(string) {}, Clock: clock{},
		Token: func(context.Context) (string, error) {
			assert.Eventually(t, func() bool { return connections.Load() == warmed }, 10*time.Second, time.Millisecond)
			return "token", nil
		},
	})
	require.NoError(t, err)
	client := clients.Lambda("")
	var calls sync.WaitGroup
	for range 5 {
		calls.Go(func() {
			_, err := getAlias(t.Context(), client)
			assert.NoError(t, err)
		})
	}
	calls.Wait()
	assert.EqualValues(t, warmed, connections.Load(), "no further one was made")
}

// A warmed connection that could not be made costs nothing but the try: the call
// makes one of its own, and says what is wrong.
func TestAConnectionThatCannotBeWarmed(t *testing.T) {
	server := httptest.NewTLSServer(answers(200, "", "{}"))
	t.Cleanup(server.Close)
	_, err := getAlias(t.Context(), open(t, server.URL, clock{}).Lambda(""))
	require.ErrorContains(t, err, "certificate")
}
