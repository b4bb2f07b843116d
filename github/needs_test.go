package github_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
)

func TestParseNeeds(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want github.Needs
	}{
		"not given":            {"", nil},
		"blank":                {" \n", nil},
		"null":                 {"null", nil},
		"a job without needs":  {"{}", nil},
		"results with outputs": {`{"deploy":{"result":"failure","outputs":{"version":"42"}},"test":{"result":"success","outputs":{}}}`, github.Needs{"deploy": {"failure"}, "test": {"success"}}},
		"every known result":   {`{"a":{"result":"success"},"b":{"result":"failure"},"c":{"result":"cancelled"},"d":{"result":"skipped"}}`, github.Needs{"a": {"success"}, "b": {"failure"}, "c": {"cancelled"}, "d": {"skipped"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := github.ParseNeeds(tt.text)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestParseNeedsRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"one result instead of all":   {"failure", "is not valid JSON"},
		"two values":                  {"{} {}", "is not valid JSON"},
		"an array":                    {`["deploy"]`, "is a JSON array instead of an object of jobs"},
		"one job instead of all":      {`{"result":"failure","outputs":{}}`, `has no result for the job "outputs", as if it held a single job instead of the whole context`},
		"a job that is null":          {`{"deploy":null}`, `has no result for the job "deploy", as if it held a single job instead of the whole context`},
		"a result GitHub cannot give": {`{"deploy":{"result":"Failure\n::error::x"}}`, `has the unknown result "Failure\n::error::x" for the job "deploy", which is not one of success, failure, cancelled, skipped`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := github.ParseNeeds(tt.text)
			assert.EqualError(t, err, tt.want)
		})
	}
}

func TestFailedNeeds(t *testing.T) {
	needs := github.Needs{"test": {"success"}, "site": {"failure"}, "deploy": {"failure"}, "lint": {"cancelled"}}
	failure, both := []string{"failure"}, []string{"failure", "cancelled"}
	for name, tt := range map[string]struct{ results, jobs, want []string }{
		"all count where none is named": {failure, nil, []string{"deploy", "site"}},
		"the named one failed":          {failure, []string{"deploy"}, []string{"deploy"}},
		"another than the named failed": {failure, []string{"test"}, nil},
		"cancelled is not failed":       {failure, []string{"lint"}, nil},
		"cancelled counts where asked":  {both, []string{"lint"}, []string{"lint"}},
		"both, sorted":                  {both, nil, []string{"deploy", "lint", "site"}},
		"cancelled alone":               {[]string{"cancelled"}, nil, []string{"lint"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, needs.With(tt.results, tt.jobs))
		})
	}
	assert.Empty(t, github.Needs(nil).With(failure, nil))
}

func FuzzParseNeeds(f *testing.F) {
	f.Add(`{"deploy":{"result":"failure","outputs":{"version":"42"}}}`)
	f.Add(`{"a":{"result":"success"},"a":{"result":"failure"}}`)
	f.Add(`[[[{"a":`)
	f.Fuzz(func(t *testing.T, text string) {
		needs, err := github.ParseNeeds(text)
		if err != nil {
			assert.Nil(t, needs)
			assert.NotContains(t, err.Error(), "\n")
			return
		}
		failed := needs.With([]string{"failure"}, nil)
		assert.True(t, slices.IsSorted(failed))
		for _, job := range failed {
			assert.Equal(t, []string{job}, needs.With([]string{"failure"}, []string{job}))
		}
	})
}
