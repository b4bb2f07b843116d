// Package site_test restores a site on a real server of S3's protocol, and has a plain
// client of another language see what came of it.
package site_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/site"
)

const access, secret = "AKIDSITE", "secret-of-the-test"

// versity starts the server, or skips the test where it is not installed.
func versity(t *testing.T) string {
	t.Helper()
	binary, err := exec.LookPath("versitygw")
	if err != nil {
		t.Skip("versitygw is not installed: .ci/site does it")
	}
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		t.Skip("boto3 is not installed: .ci/site does it")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	ctx, end := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, binary, "--access", access, "--secret", secret, "--port", address, "--quiet",
		"posix", "--versioning-dir", t.TempDir(), t.TempDir())
	var said bytes.Buffer
	server.Stdout, server.Stderr = &said, &said
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		end()
		_ = server.Wait() // it was killed
	})
	for range 300 {
		if response, err := http.Get("http://" + address); err == nil {
			require.NoError(t, response.Body.Close())
			return "http://" + address
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("versitygw does not answer: %s", said.String())
	return ""
}

// seen is what the plain client tells.
type seen struct {
	Site, Other map[string]any
	Versions    []string
}

func play(t *testing.T, address, bucket, what string) seen {
	t.Helper()
	var said bytes.Buffer
	client := exec.CommandContext(t.Context(), "python3", "client.py", address, access, secret, bucket, what, bucket)
	client.Stderr = &said
	text, err := client.Output()
	require.NoError(t, err, said.String())
	var out seen
	require.NoError(t, json.Unmarshal(text, &out))
	return out
}

type clock struct{}

func (clock) Now() time.Time { return time.Now() }
func (clock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	return ctx.Err()
}

type log struct{ t *testing.T }

func (l log) Infof(format string, args ...any) { l.t.Logf(format, args...) }

// The server's times are not S3's (a noncurrent version carries the time at which it
// was replaced), so that the state is told by a manifest.
func TestARealServerGoesBack(t *testing.T) {
	t.Parallel()
	address := versity(t)
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(address), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(access, secret, ""),
	})
	for seed := range 3 {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			bucket := fmt.Sprintf("site-%d", seed)
			d := site.Deps{S3: client, Clock: clock{}, Log: log{t}}
			before := play(t, address, bucket, "past")
			require.NotEmpty(t, before.Site)
			q := site.Request{Bucket: bucket, Prefix: "www/", Run: "1", Attempt: "1"}
			taken, err := site.WriteManifest(t.Context(), d, q)
			require.NoError(t, err)
			assert.Equal(t, len(before.Site), taken.Objects)
			broken := play(t, address, bucket, "deploy")
			require.NotEqual(t, before.Site, broken.Site)

			r := site.Restore(t.Context(), d, q)

			require.Equal(t, report.Restored, r.Status, "%+v", r)
			after := play(t, address, bucket, "state")
			assert.Equal(t, before.Site, after.Site)
			assert.Equal(t, broken.Other, after.Other)
			assert.Subset(t, after.Versions, broken.Versions, "a version was lost")
			for _, id := range after.Versions {
				if strings.HasPrefix(id, "other/") {
					assert.Contains(t, broken.Versions, id)
				}
			}

			again := site.Restore(t.Context(), d, q)
			assert.Equal(t, report.NothingChanged, again.Reason, "%+v", again)
			assert.Equal(t, after.Versions, play(t, address, bucket, "state").Versions)
		})
	}
}
