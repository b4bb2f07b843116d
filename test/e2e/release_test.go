package e2e_test

import (
	"archive/tar"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The first step of a release, which test/release does without because it needs
// an engine: the Dockerfile's files for both platforms.
func TestTheFilesOfARelease(t *testing.T) {
	needsEngine(t)
	head, err := exec.Command("git", "-C", checkout, "rev-parse", "HEAD").Output()
	require.NoError(t, err)
	commit := strings.TrimSpace(string(head))
	rootfs, out := filepath.Join(checkout, ".ci/release/rootfs"), t.TempDir()
	said, err := exec.Command("bash", rootfs, version+".0", commit, out).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(said), "is not a version of the form vX.Y.Z")
	said, err = exec.Command("bash", rootfs, "v1.2.3", commit, out).CombinedOutput()
	require.NoError(t, err, "%s", said)
	for platform, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		files := unpacked(t, filepath.Join(out, platform+".tar"))
		assert.Len(t, files, 2)
		assert.Contains(t, files["etc/ssl/certs/ca-certificates.crt"], "BEGIN CERTIFICATE")
		content := files["lambda-rollback-action"]
		program, err := elf.NewFile(strings.NewReader(content))
		require.NoError(t, err)
		assert.Equal(t, machine, program.Machine)
		assert.Contains(t, content, commit, "it knows its commit")
	}
}

// unpacked are the files of an archive, without the folders.
func unpacked(t *testing.T, path string) map[string]string {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	files := map[string]string{}
	for archive := tar.NewReader(file); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		if header.Typeflag == tar.TypeDir {
			continue
		}
		content, err := io.ReadAll(archive)
		require.NoError(t, err)
		files[header.Name] = string(content)
	}
}
