package runner_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/test/emulator"
)

// refused wants what every wrong input leads to: exit 1, everything written,
// and nobody asked.
func refused(t *testing.T, s *scene, o outcome) {
	t.Helper()
	assert.Equal(t, 1, o.code)
	assert.Equal(t, "failed/invalid-input", o.ended())
	assert.Len(t, o.annotations("error"), 1)
	assert.Empty(t, s.Journal())
}

var essentialFaults = map[string]string{
	"command":           "undo",
	"function-name":     "api, no/such name",
	"alias":             "42",
	"branch":            "main\x7f",
	"needs":             `{"deploy":`,
	"failed-results":    "skipped",
	"deploy-job":        "depoly",
	"target-version":    "$LATEST",
	"only-if-deployed":  "yes",
	"all-or-nothing":    "1",
	"remember":          "maybe",
	"dry-run":           "on",
	"aws-region":        "Ireland",
	"role-to-assume":    "admin",
	"role-session-name": "a b",
	"audience":          "two words",
	"timeout":           "300",
}

func TestEachEssentialInputThatIsWrongIsNamedBeforeAnyCall(t *testing.T) {
	t.Parallel()
	for _, d := range github.InputDefinitions() {
		value, listed := essentialFaults[d.Name]
		// What is of no use in deployed-version is warned of: it only helps.
		require.Equal(t, d.Essential && d.Name != "deployed-version", listed, d.Name)
		if !listed {
			continue
		}
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			o := s.step().input(d.Name, value).run()
			refused(t, s, o)
			assert.Contains(t, o.annotations("error")[0], "input "+d.Name+" ")
		})
	}
}

func TestEveryWrongInputIsNamedAtOnceBeforeAnyCall(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	wrong := maps.Clone(essentialFaults)
	delete(wrong, "deploy-job") // with needs that are none, no job can be missing
	for input, fault := range optionalFaults {
		wrong[input] = fault.value
	}
	o := s.step().inputs(wrong).run()
	refused(t, s, o)
	var unnamed []string
	for input := range wrong {
		if !strings.Contains(o.stdout, "input "+input+" ") {
			unnamed = append(unnamed, input)
		}
	}
	if len(unnamed) > 0 {
		t.Errorf("the log does not name %s", strings.Join(unnamed, ", "))
	}
}

func TestAFewWrongInputsAreNamedInEveryPlace(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	wrong := map[string]string{"alias": "42", "timeout": "300", "dry-run": "on", "aws-region": "Ireland"}
	o := s.step().inputs(wrong).run()
	refused(t, s, o)
	for input := range wrong {
		for _, place := range []string{o.annotations("error")[0], o.outputs["message"], o.summary} {
			assert.Contains(t, place, input)
		}
	}
}

func TestInputsThatAreMissing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*step){
		"empty":                   func(s *step) { s.input("function-name", "") },
		"blank":                   func(s *step) { s.input("function-name", " \n\t, ") },
		"not handed over":         func(s *step) { s.unset("INPUT_FUNCTION-NAME") },
		"dashes made underscores": func(s *step) { s.unset("INPUT_FUNCTION-NAME").set("INPUT_FUNCTION_NAME", "api") },
		"not one input handed over": func(s *step) {
			maps.DeleteFunc(s.env, func(k, _ string) bool { return strings.HasPrefix(k, "INPUT_") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			st := s.step()
			change(st)
			o := st.run()
			refused(t, s, o)
			assert.Contains(t, o.outputs["message"], "function-name")
		})
	}
}

func TestADeployJobThatNeedsDoesNotHave(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	o := s.step().inputs(map[string]string{
		"needs":      `{"build":{"result":"success"},"deploy":{"result":"failure"}}`,
		"deploy-job": "depoly",
	}).run()
	refused(t, s, o)
	for _, job := range []string{"depoly", "build", "deploy"} {
		assert.Contains(t, o.outputs["message"], `"`+job+`"`)
	}
}

func TestNoRegionIsAnInputProblem(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	o := s.step().unset("AWS_REGION").run()
	assert.Equal(t, "failed/invalid-input", o.ended())
	assert.Contains(t, o.outputs["message"], "aws-region")
	s.untouched(t)
}

func TestARegionWithinAnARNIsEnough(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	o := s.step().unset("AWS_REGION").input("function-name", f.ARN()+":live").run()
	assert.Equal(t, "rolled-back/previous-version", o.ended())
	assert.Equal(t, "2", f.Serving("live"))
}

func TestWithoutATokenGitHubIsNotAskedAndTheRollbackGoesOn(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	o := s.step().input("github-token", "").run()
	assert.Equal(t, "rolled-back/previous-version", o.ended())
	assert.Equal(t, "2", f.Serving("live"))
	assert.Len(t, o.warnings(), 1)
	assert.Contains(t, o.warnings()[0], "github-token")
	assert.Empty(t, s.asked(emulator.ServiceGitHub))
}

// Problems without number must not make a log or an output without end.
func TestHugeInputsStaySmallInWhatIsSaid(t *testing.T) {
	t.Parallel()
	// The kernel takes 128 kB for one variable.
	huge := strings.Repeat("é?,", 30_000)
	for _, input := range slices.Sorted(maps.Keys(manifest.Inputs)) {
		t.Run(input, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			o := s.step().input(input, huge).run()
			if o.code == 1 && o.reason() == "invalid-input" && o.outputs["rolled-back"] == "false" {
				refused(t, s, o)
			}
			assert.Less(t, len(o.everything()), 200_000, "no text is repeated again and again")
		})
	}
}
