package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSummarize(t *testing.T) {
	t.Parallel()
	const skip = `{"Action":"run","Package":"p/a","Test":"TestA"}
{"Action":"output","Package":"p/a","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p/a","Test":"TestA","Output":"    a_test.go:9: needs an engine\n"}
{"Action":"output","Package":"p/a","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
{"Action":"skip","Package":"p/a","Test":"TestA","Elapsed":0}
{"Action":"output","Package":"p/a","Output":"PASS\n"}
{"Action":"output","Package":"p/a","Output":"ok  \tp/a\t0.1s\n"}
{"Action":"pass","Package":"p/a","Elapsed":0.1}
`
	for name, c := range map[string]struct {
		events string
		want   string
		failed bool
	}{
		"a test is skipped": {skip, "ok  \tp/a\t0.1s\nskipped 1 in p/a: needs an engine\n", false},
		"two for one reason": {
			strings.ReplaceAll(skip, "TestA", "TestB") + skip,
			"ok  \tp/a\t0.1s\nok  \tp/a\t0.1s\nskipped 2 in p/a: needs an engine\n", false,
		},
		"a test says nothing": {
			`{"Action":"skip","Package":"p/a","Test":"TestA"}` + "\n",
			"skipped 1 in p/a: no reason is given\n", false,
		},
		"a test fails: what it wrote, and nothing of the others": {
			`{"Action":"output","Package":"p/a","Test":"TestB","Output":"    a_test.go:7: of no use\n"}
{"Action":"pass","Package":"p/a","Test":"TestB"}
{"Action":"output","Package":"p/a","Test":"TestA","Output":"    a_test.go:9: 1 is not 2\n"}
{"Action":"fail","Package":"p/a","Test":"TestA"}
{"Action":"output","Package":"p/a","Output":"FAIL\tp/a\t0.1s\n"}
{"Action":"fail","Package":"p/a"}
`, "    a_test.go:9: 1 is not 2\nFAIL\tp/a\t0.1s\n", true,
		},
		"a package does not compile": {
			`{"ImportPath":"p/a","Action":"build-output","Output":"a.go:1: syntax error\n"}
{"ImportPath":"p/a","Action":"build-fail"}
`, "a.go:1: syntax error\n", true,
		},
		"a package has no tests": {
			`{"Action":"output","Package":"p/a","Output":"?   \tp/a\t[no test files]\n"}
{"Action":"skip","Package":"p/a"}
`, "?   \tp/a\t[no test files]\n", false,
		},
		"a line that is no event": {"go: downloading x\n", "go: downloading x\n", false},
		"all is well": {
			`{"Action":"output","Package":"p/a","Output":"ok  \tp/a\t0.1s\n"}` + "\n" + `{"Action":"pass","Package":"p/a"}` + "\n",
			"ok  \tp/a\t0.1s\n", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			failed, err := summarize(strings.NewReader(c.events), &out)
			require.NoError(t, err)
			assert.Equal(t, c.want, out.String())
			assert.Equal(t, c.failed, failed)
		})
	}
}
