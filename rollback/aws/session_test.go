package aws_test

import (
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

func TestHowLongASessionLasts(t *testing.T) {
	ends := time.Date(2026, 11, 26, 12, 30, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		token, expiration string
		want              aws.Session
	}{
		"keys of a user":                     {"", "", aws.Session{}},
		"keys of a user, and an odd end":     {"", "2026-11-26T12:30:00Z", aws.Session{}},
		"a session":                          {"token", "", aws.Session{Temporary: true}},
		"a session whose end is known":       {"token", "2026-11-26T12:30:00+00:00", aws.Session{Temporary: true, Ends: ends}},
		"a session whose end cannot be read": {"token", "soon", aws.Session{Temporary: true}},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(answers(200, "", "{}"))
			t.Cleanup(server.Close)
			for variable, value := range map[string]string{
				"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": c.token,
				"AWS_REGION": "us-east-99", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_CREDENTIAL_EXPIRATION": c.expiration,
			} {
				t.Setenv(variable, value)
			}
			clients, err := aws.Open(t.Context(), aws.Options{
				NeedRegion: true, Secret: func(string) {}, Clock: &counted{now: ends},
				Environment: aws.Environment{Get: os.Getenv, Set: func(string, string) error { return nil }, Note: func(string) {}},
			})
			require.NoError(t, err)
			got := clients.Session(t.Context())
			assert.True(t, c.want.Ends.Equal(got.Ends), got.Ends)
			assert.Equal(t, c.want.Temporary, got.Temporary)
		})
	}
}
