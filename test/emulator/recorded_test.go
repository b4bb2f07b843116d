package emulator_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// recordings are real responses of AWS, beside the checkout.
var recordings = filepath.Join("..", "..", "..", "shared", "facts", "aws-lambda-recorded.json")

// scene drives the emulator through one recorded test with the real SDK, and
// holds each raw response to the recorded one.
type scene struct {
	t        *testing.T
	ctx      context.Context
	e        *emulator.Emulator
	wire     *wire
	api      *lambda.Client
	name     string
	recorded map[string]json.RawMessage
	held     map[string]bool
	words    *strings.Replacer
	labels   map[string]string // recorded label → value, and "=" value → label
}

func newScene(t *testing.T, test string, words ...string) *scene {
	t.Helper()
	raw, err := os.ReadFile(recordings)
	if os.IsNotExist(err) {
		t.Skipf("the recordings of AWS are not beside the checkout (%s), so the emulator is not held to them here", recordings)
	}
	require.NoError(t, err)
	var all map[string]struct {
		Content map[string]json.RawMessage `json:"recorded-content"`
	}
	require.NoError(t, json.Unmarshal(raw, &all))
	require.Contains(t, all, test)

	s := &scene{
		t: t, ctx: t.Context(), e: emulator.StartFor(t), wire: newWire(t), name: "recorded-function",
		recorded: all[test].Content, held: map[string]bool{}, labels: map[string]string{},
	}
	s.api = client(s.e, region, s.wire)
	s.words = strings.NewReplacer(append([]string{
		"<partition>", "aws", "<region>", region, "<function-name:1>", s.name, "<fn-name>", s.name,
		"<alias-name>", "provisioned",
	}, words...)...)
	return s
}

// done fails where a recorded response was never compared.
func (s *scene) done(except ...string) {
	s.t.Helper()
	for step := range s.recorded {
		if !s.held[step] {
			assert.Contains(s.t, except, step, "recorded, but not compared")
		}
	}
}

// holds compares the last response with the recorded one of that name.
func (s *scene) holds(step string) {
	s.t.Helper()
	raw, ok := s.recorded[step]
	require.True(s.t, ok, "no recording named %s", step)
	s.held[step] = true
	var want map[string]any
	require.NoError(s.t, json.Unmarshal(raw, &want))
	if inner, ok := want["CreateFunctionResponse"].(map[string]any); ok {
		want = inner
	}

	if meta, ok := want["ResponseMetadata"].(map[string]any); ok {
		assert.EqualValues(s.t, meta["HTTPStatusCode"], s.wire.status, "%s: status", step)
	}
	delete(want, "ResponseMetadata")
	got := map[string]any{}
	if len(s.wire.body) > 0 {
		require.NoError(s.t, json.Unmarshal(s.wire.body, &got), "%s: body %s", step, s.wire.body)
	}
	failure, failed := want["Error"].(map[string]any)
	delete(want, "Error")
	assert.Equal(s.t, failed, s.wire.status >= 400, "%s: error or not", step)
	if failed {
		assert.Equal(s.t, failure["Code"], s.wire.header.Get("X-Amzn-Errortype"), "%s: error code", step)
		if failure["Code"] == "ValidationException" {
			// boto3 knows no members of this error, so the recording has none.
			want["message"] = failure["Message"]
		}
	}
	s.same(step, want, got)
}

// same compares values, keys present and absent included.
func (s *scene) same(path string, want, got any) {
	s.t.Helper()
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !assert.True(s.t, ok, "%s: want an object, got %v", path, got) {
			return
		}
		for key, value := range want {
			if assert.Contains(s.t, got, key, "%s: key is recorded", path) {
				s.same(path+"."+key, value, got[key])
			}
		}
		for key := range got {
			if !newerThanSomeRecordings(key) {
				assert.Contains(s.t, want, key, "%s: key is not recorded", path)
			}
		}
	case []any:
		got, ok := got.([]any)
		if assert.True(s.t, ok, "%s: want a list", path) && assert.Len(s.t, got, len(want), path) {
			for i := range want {
				s.same(path+"[]", want[i], got[i])
			}
		}
	case string:
		s.sameText(path, want, got)
	default:
		if !machineOrInput(path) {
			assert.Equal(s.t, want, got, path)
		}
	}
}

// newerThanSomeRecordings names keys that AWS gives now and that the oldest
// recordings do not have.
func newerThanSomeRecordings(key string) bool {
	return key == "LoggingConfig" || key == "RuntimeVersionConfig" || key == "SnapStart"
}

// machineOrInput names what AWS or the recorded test chose freely: only its
// presence is compared.
func machineOrInput(path string) bool {
	switch path[strings.LastIndex(path, ".")+1:] {
	case "LastModified", "Role", "CodeSize", "Location", "RuntimeVersionArn", "Handler", "Runtime", "Timeout",
		"MemorySize", "LogGroup":
		return true
	}
	return false
}

// sameText compares texts. Labels such as <uuid:3> stand for one value each:
// the same label must be the same value everywhere in the scene, and another
// label another value, so that it is seen when a revision changes and when not.
func (s *scene) sameText(path, want string, got any) {
	s.t.Helper()
	if machineOrInput(path) || want == "code-sha256" {
		assert.NotEmpty(s.t, got, path)
		return
	}
	text, ok := got.(string)
	if !assert.True(s.t, ok, "%s: want a text, got %v", path, got) {
		return
	}
	if !strings.HasPrefix(want, "<uuid:") && !strings.HasPrefix(want, "<code-sha256:") {
		assert.Equal(s.t, s.words.Replace(want), text, path)
		return
	}
	if known, seen := s.labels[want]; seen {
		assert.Equal(s.t, known, text, "%s: %s changed", path, want)
	}
	if label, seen := s.labels["="+text]; seen {
		assert.Equal(s.t, want, label, "%s: value did not change", path)
	}
	s.labels[want], s.labels["="+text] = text, want
}

func (s *scene) create(publish bool, environment map[string]string, description string) {
	s.t.Helper()
	in := &lambda.CreateFunctionInput{
		FunctionName: &s.name, Role: aws.String("arn:aws:iam::111111111111:role/any"), Publish: publish,
		Code:    &types.FunctionCode{ZipFile: []byte("code 1")},
		Runtime: types.RuntimePython312, Handler: aws.String("index.handler"), Description: &description,
	}
	if environment != nil {
		in.Environment = &types.Environment{Variables: environment}
	}
	_, err := s.api.CreateFunction(s.ctx, in)
	require.NoError(s.t, err)
}

// wait is what the recorded tests do after each change, by a waiter.
func (s *scene) wait() {
	s.t.Helper()
	s.getConfiguration("")
}

func (s *scene) getConfiguration(qualifier string) {
	s.t.Helper()
	_, err := s.api.GetFunctionConfiguration(s.ctx, &lambda.GetFunctionConfigurationInput{
		FunctionName: &s.name, Qualifier: orNil(qualifier),
	})
	require.NoError(s.t, err)
}

func (s *scene) getFunction(name, qualifier string) {
	_, _ = s.api.GetFunction(s.ctx, &lambda.GetFunctionInput{FunctionName: &name, Qualifier: orNil(qualifier)})
}

func (s *scene) configure(in lambda.UpdateFunctionConfigurationInput) {
	s.t.Helper()
	in.FunctionName = &s.name
	_, err := s.api.UpdateFunctionConfiguration(s.ctx, &in)
	require.NoError(s.t, err)
}

func (s *scene) publish(description, revision string) {
	_, _ = s.api.PublishVersion(s.ctx, &lambda.PublishVersionInput{
		FunctionName: &s.name, Description: orNil(description), RevisionId: orNil(revision),
	})
}

func (s *scene) listVersions() {
	_, _ = s.api.ListVersionsByFunction(s.ctx, &lambda.ListVersionsByFunctionInput{FunctionName: &s.name})
}

func (s *scene) createAlias(name, version, description string, weights map[string]float64) {
	in := &lambda.CreateAliasInput{
		FunctionName: &s.name, Name: &name, FunctionVersion: &version, Description: orNil(description),
	}
	if weights != nil {
		in.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights}
	}
	_, _ = s.api.CreateAlias(s.ctx, in)
}

func (s *scene) getAlias(name string) {
	_, _ = s.api.GetAlias(s.ctx, &lambda.GetAliasInput{FunctionName: &s.name, Name: &name})
}

func (s *scene) updateAlias(in lambda.UpdateAliasInput) {
	in.FunctionName = &s.name
	_, _ = s.api.UpdateAlias(s.ctx, &in)
}

func (s *scene) deleteAlias(name string) {
	_, _ = s.api.DeleteAlias(s.ctx, &lambda.DeleteAliasInput{FunctionName: &s.name, Name: &name})
}

func (s *scene) listAliases(version string) {
	_, _ = s.api.ListAliases(s.ctx, &lambda.ListAliasesInput{FunctionName: &s.name, FunctionVersion: orNil(version)})
}

// revision is the RevisionId in the last response.
func (s *scene) revision() string {
	s.t.Helper()
	var body struct {
		RevisionId    string
		Configuration struct{ RevisionId string }
	}
	require.NoError(s.t, json.Unmarshal(s.wire.body, &body))
	return body.RevisionId + body.Configuration.RevisionId
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
