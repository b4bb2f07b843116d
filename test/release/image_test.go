package release_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed; .ci/run installs it", tool)
		}
	}
}

// needCrane skips where the tools that the release installs are not there.
// .ci/run has them.
func needCrane(t *testing.T) {
	t.Helper()
	need(t, "crane", "jq")
}

// rootfs are the files of both platforms, as the engine gives them: with the
// clock of the build in them, and in any order.
func (r *repo) rootfs(built time.Time) string {
	r.Helper()
	programs := map[string][]byte{}
	for _, platform := range []string{"amd64", "arm64"} {
		programs[platform] = make([]byte, 1_500_000) // that cannot be compressed
		_, _ = rand.NewChaCha8([32]byte{platform[3]}).Read(programs[platform])
	}
	return r.rootfsOf(built, programs)
}

func (r *repo) rootfsOf(built time.Time, programs map[string][]byte) string {
	r.Helper()
	dir := r.TempDir()
	for platform, program := range programs {
		file, err := os.Create(filepath.Join(dir, platform+".tar"))
		require.NoError(r, err)
		archive := tar.NewWriter(file)
		for name, content := range map[string][]byte{
			"lambda-rollback-action": program, "ca-certificates.crt": []byte("certificates"),
		} {
			require.NoError(r, archive.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), ModTime: built}))
			_, err = archive.Write(content)
			require.NoError(r, err)
		}
		require.NoError(r, archive.Close())
		require.NoError(r, file.Close())
	}
	return dir
}

func (r *repo) layout(built time.Time) (dir, digest string) {
	r.Helper()
	return r.layoutOf(r.rootfs(built))
}

func (r *repo) layoutOf(rootfs string) (dir, digest string) {
	r.Helper()
	dir = filepath.Join(r.TempDir(), "layout")
	return dir, r.does("image", version, r.git("rev-parse", "main"), "Org/Name", rootfs, dir)
}

func TestTheSameCommitGivesTheSameImage(t *testing.T) {
	t.Parallel()
	needCrane(t)
	r := newRepo(t)
	_, first := r.layout(time.Unix(1_700_000_000, 0))
	_, second := r.layout(time.Unix(1_800_000_000, 0))
	assert.Equal(t, first, second)
	assert.Regexp(t, `^sha256:[0-9a-f]{64}$`, first)
}

func TestTheImageIsPushedAndReadBack(t *testing.T) {
	t.Parallel()
	needCrane(t)
	r := newRepo(t)
	layout, digest := r.layout(time.Unix(1_700_000_000, 0))
	registry := r.registry()

	pushed := r.does("push", layout, registry+"/Org/Name", version)
	assert.Equal(t, registry+"/org/name@"+digest, pushed, "lower case, and by digest")
	assert.Equal(t, pushed, r.does("push", layout, registry+"/Org/Name", version), "again, the same")

	for _, platform := range []string{"amd64", "arm64"} {
		var config struct {
			Architecture string `json:"architecture"`
			OS           string `json:"os"`
			Config       struct {
				Entrypoint []string          `json:"Entrypoint"`
				User       string            `json:"User"`
				Labels     map[string]string `json:"Labels"`
			} `json:"config"`
		}
		require.NoError(t, json.Unmarshal([]byte(r.crane("config", "--platform", "linux/"+platform, pushed)), &config))
		assert.Equal(t, platform, config.Architecture)
		assert.Equal(t, "linux", config.OS)
		assert.Equal(t, entrypoint(t), config.Config.Entrypoint, "as in the Dockerfile")
		assert.Empty(t, config.Config.User, "only root can write the runner's files")
		assert.Equal(t, version, config.Config.Labels["org.opencontainers.image.version"])
		assert.Equal(t, r.git("rev-parse", "main"), config.Config.Labels["org.opencontainers.image.revision"])
		assert.Equal(t, "https://github.com/Org/Name", config.Config.Labels["org.opencontainers.image.source"])
		for label, value := range fixedLabels(t) {
			assert.Equal(t, value, config.Config.Labels[label], "as in the Dockerfile")
		}
	}

	// The whole way: what was pushed is what the release commit names.
	commit := r.does("commit", version, r.git("rev-parse", "main"), pushed)
	assert.True(t, strings.HasSuffix(r.git("show", commit+":action.yml"), "\n  image: docker://"+pushed))

	r.git("commit", "--quiet", "--allow-empty", "--date", "2030-01-01T00:00:00Z", "--message", "Later")
	other := filepath.Join(t.TempDir(), "layout")
	r.does("image", version, r.git("rev-parse", "HEAD"), "Org/Name", r.rootfs(time.Unix(0, 0)), other)
	r.refuses("is there already with other content", "push", other, registry+"/Org/Name", version)
}

func TestTheReadmeSaysHowLargeTheImageIs(t *testing.T) {
	t.Parallel()
	needCrane(t)
	r := newRepo(t)
	layout, _ := r.layout(time.Unix(0, 0))
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^The image is [\d.]+ MB compressed for linux/amd64, [\d.]+ MB for linux/arm64\.$`, string(readme))

	// That of the scratch repository is another one.
	_, stderr, ok := r.step("size", layout)
	assert.False(t, ok)
	assert.Contains(t, stderr, "measured were 1.5 and 1.5")
	_, stderr, ok = r.step("size", layout, "--update")
	assert.True(t, ok, stderr)
	assert.Equal(t, "1\t1\tREADME.md", r.git("diff", "--numstat"), "one line, and no other")
	_, stderr, ok = r.step("size", layout)
	assert.True(t, ok, stderr)
}

// crane stands for the released program: it is made of modules, as that is.
func TestTheProgramsOfTheImageAreTheAssets(t *testing.T) {
	t.Parallel()
	needCrane(t)
	need(t, "go", "cyclonedx-gomod")
	r := newRepo(t)
	tool, err := exec.LookPath("crane")
	require.NoError(t, err)
	program, err := os.ReadFile(tool)
	require.NoError(t, err)
	layout, _ := r.layoutOf(r.rootfsOf(time.Unix(0, 0), map[string][]byte{"amd64": program, "arm64": program}))

	assets := filepath.Join(t.TempDir(), "assets")
	r.does("assets", version, layout, assets)
	_, stderr, ok := r.run("bash", "-c", `cd "$0" && sha256sum --check --strict checksums.txt`, assets)
	require.True(t, ok, stderr)
	for _, platform := range []string{"amd64", "arm64"} {
		published, err := os.ReadFile(filepath.Join(assets, "lambda-rollback-action_linux_"+platform))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(program, published), "the program of %s is another", platform)
	}
	list, err := os.ReadFile(filepath.Join(assets, "sbom.cdx.json"))
	require.NoError(t, err)
	var sbom struct {
		BomFormat, SerialNumber string // without these GitHub does not know it
		Components              []struct{ Name string }
	}
	require.NoError(t, json.Unmarshal(list, &sbom))
	assert.Equal(t, "CycloneDX", sbom.BomFormat)
	assert.NotEmpty(t, sbom.SerialNumber)
	names := make([]string, len(sbom.Components))
	for i, component := range sbom.Components {
		names[i] = component.Name
	}
	assert.Contains(t, names, "github.com/spf13/cobra")

	r.refuses("is there already", "assets", version, layout, assets)
	tool, err = exec.LookPath("cyclonedx-gomod")
	require.NoError(t, err)
	other, err := os.ReadFile(tool)
	require.NoError(t, err)
	layout, _ = r.layoutOf(r.rootfsOf(time.Unix(0, 0), map[string][]byte{"amd64": program, "arm64": other}))
	r.refuses("are made of different modules", "assets", version, layout, filepath.Join(t.TempDir(), "assets"))
}

// registry starts one on loopback, and gives its address.
func (r *repo) registry() string {
	r.Helper()
	command := exec.Command("crane", "registry", "serve", "--address", "127.0.0.1:0")
	stderr, err := command.StderrPipe()
	require.NoError(r, err)
	require.NoError(r, command.Start())
	r.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if match := regexp.MustCompile(`serving on port (\d+)`).FindStringSubmatch(lines.Text()); match != nil {
			go func() {
				for lines.Scan() { // so that the pipe never fills up
				}
			}()
			return "127.0.0.1:" + match[1]
		}
	}
	require.Fail(r, "the registry did not start")
	return ""
}

func (r *repo) crane(args ...string) string {
	r.Helper()
	stdout, stderr, ok := r.run("crane", args...)
	require.True(r, ok, "crane %v: %s", args, stderr)
	return stdout
}

// entrypoint is that of the Dockerfile, which a fork runs.
func entrypoint(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		if list, found := strings.CutPrefix(strings.TrimSpace(line), "ENTRYPOINT "); found {
			var words []string
			require.NoError(t, json.Unmarshal([]byte(list), &words))
			return words
		}
	}
	require.Fail(t, "the Dockerfile has no ENTRYPOINT")
	return nil
}

// fixedLabels are those of the Dockerfile that no build fills in. The source is
// the repository that releases, which may be a fork.
func fixedLabels(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	require.NoError(t, err)
	labels := map[string]string{}
	for _, match := range regexp.MustCompile(`(org\.opencontainers\.image\.\w+)="([^"$]+)"`).FindAllStringSubmatch(string(content), -1) {
		if !strings.HasSuffix(match[1], ".source") {
			labels[match[1]] = match[2]
		}
	}
	return labels
}
