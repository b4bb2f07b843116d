package release_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhatAUserCouldNotUseIsNotReleased(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ docker, gh, sentence string }{
		"a package that is still private": {
			`[ "$1" != pull ]`, `true`,
			"cannot be pulled without a login: make the package public in its settings on GitHub",
		},
		"an image that does not start": {`[ "$1" != run ]`, `true`, "does not start"},
		"no attestation of the build": {
			`true`, `case "$*" in *slsa.dev/provenance*) exit 1 ;; esac`,
			"has no valid attestation https://slsa.dev/provenance/v1",
		},
		"no list of what it is made of": {
			`true`, `case "$*" in *cyclonedx.org*) exit 1 ;; esac`,
			"has no valid attestation https://cyclonedx.org/bom",
		},
		"an attestation by another workflow of the repository": {
			`true`, `case "$*" in *"--signer-workflow Org/Name/.github/workflows/release.yml"*) exit 1 ;; esac`,
			"by the release workflow of Org/Name",
		},
	}
	for situation, test := range tests {
		t.Run(situation, func(t *testing.T) {
			t.Parallel()
			r := newRepo(t)
			r.program("docker", test.docker)
			r.program("gh", test.gh)
			r.refuses(test.sentence, "verify", image, "Org/Name")
		})
	}
	t.Run("all is well", func(t *testing.T) {
		t.Parallel()
		r := newRepo(t)
		r.program("docker", "true")
		r.program("gh", "true")
		assert.Contains(t, r.does("verify", image, "Org/Name"), "starts, and its attestations are those of Org/Name")
	})
}
