package site

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator/storage"
)

// actionsOf are the IAM actions that a call can need.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
var actionsOf = map[string][]string{
	"GetBucketVersioning":        {"s3:GetBucketVersioning"},
	"ListObjectVersions":         {"s3:ListBucketVersions"},
	"GetBucketOwnershipControls": {"s3:GetBucketOwnershipControls"},
	"GetBucketRequestPayment":    {"s3:GetBucketRequestPayment"},
	"HeadObject":                 {"s3:GetObjectVersion"},
	"GetObject":                  {"s3:GetObjectVersion"},
	"GetObjectTagging":           {"s3:GetObjectVersionTagging"},
	"GetObjectAcl":               {"s3:GetObjectVersionAcl"},
	"PutObject":                  {"s3:PutObject"},
	"CopyObject":                 {"s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionTagging", "s3:PutObjectTagging", "s3:PutObjectAcl"},
	"CreateMultipartUpload":      {"s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectAcl"},
	"UploadPart":                 {"s3:PutObject"},
	"UploadPartCopy":             {"s3:PutObject", "s3:GetObjectVersion"},
	"CompleteMultipartUpload":    {"s3:PutObject", "s3:GetObject"},
	"AbortMultipartUpload":       {"s3:AbortMultipartUpload"},
	"DeleteObjects":              {"s3:DeleteObject"},
	"DeleteObject":               {"s3:DeleteObject"},
	"GetDistributionConfig":      {"cloudfront:GetDistributionConfig"},
	"CreateInvalidation":         {"cloudfront:CreateInvalidation"},
	"GetInvalidation":            {"cloudfront:GetInvalidation"},
}

// The policy in the documentation has what the calls need, and no more.
func TestThePolicyIsWhatTheCallsNeed(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.bucket.Ownership = "ObjectWriter"
	w.server.Distribution("E1").Bucket = "www"
	w.site()
	w.bucket.Put("www/big", storage.Object{Size: 20, Fill: "x", PartSize: 10, Tags: map[string]string{"a": "b"}})
	q := w.cut("www/")
	q.DistributionID, q.CloudFrontWait = "E1", true
	_, err := WriteManifest(t.Context(), w.deps(), q)
	require.NoError(t, err)
	w.deploy()
	w.bucket.PutText("www/big", "other")
	w.bucket.PutText("www/born\x07", "a key that fits into no XML")
	w.clock.pass(time.Minute)
	Check(t.Context(), w.deps(), q)
	w.server.Effect = func(c storage.Call) storage.Effect {
		if c.Operation == "CompleteMultipartUpload" {
			return storage.Effect{Status: 400, Code: "InvalidPart"}
		}
		return storage.Effect{}
	}
	w.restore(t, q)
	w.server.Effect = nil
	w.restore(t, q)
	_, err = Moments(t.Context(), w.deps(), q, 5)
	require.NoError(t, err)
	up := &upload{ctx: t.Context(), b: w.deps().bucket("www"), key: Reserved + "x"}
	_, err = up.Write(make([]byte, partSize))
	require.NoError(t, err)
	require.NoError(t, up.finish())
	w.bucket.Payer = "Requester"
	w.restore(t, q)

	needed, seen := map[string]bool{}, map[string]bool{}
	for _, c := range w.server.Journal() {
		seen[c.Operation] = true
		require.Contains(t, actionsOf, c.Operation)
		for _, action := range actionsOf[c.Operation] {
			needed[action] = true
		}
	}
	for operation := range actionsOf {
		assert.True(t, seen[operation], "%s is not made", operation)
	}
	for _, action := range documented(t) {
		assert.True(t, needed[action], "%s is not needed", action)
		delete(needed, action)
	}
	assert.Empty(t, needed, "not in the policy of docs/site.md")
}

func documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/site.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "## The IAM policy\n\n```json\n")
	require.True(t, found)
	body, table, found := strings.Cut(rest, "```")
	require.True(t, found)
	var policy struct {
		Statement []struct{ Action []string }
	}
	require.NoError(t, json.Unmarshal([]byte(body), &policy))
	var actions []string
	for _, s := range policy.Statement {
		for _, action := range s.Action {
			if !slices.Contains(actions, action) {
				actions = append(actions, action)
				assert.Contains(t, table, "`"+action+"`", "the table below the policy")
			}
		}
	}
	return actions
}
