package runner_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestABadDeployGoesBack(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)

	o := s.step().run()

	assert.Equal(t, "rolled-back/previous-version", o.ended())
	assert.Equal(t, "2", f.Serving("live"))
	assert.Equal(t, "2", f.Serving("live-rollback"))
	assert.Equal(t, "3", o.outputs["from-version"])
	assert.Equal(t, "2", o.outputs["to-version"])
	assert.Equal(t, []string{"UpdateAlias live", "CreateAlias live-rollback"}, s.mutations())
	assert.Empty(t, o.warnings())
}
