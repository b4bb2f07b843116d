package image_test

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/buildinfo"
	"debug/elf"
	"encoding/pem"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	built = flag.String("layout", "", "a folder with the image as an OCI layout; without it, only the Dockerfile is looked at")
	again = flag.String("again", "", "a folder with the image of a second build of the same commit")
)

// mostCompressed is what a runner may have to pull, in bytes.
const mostCompressed = 10_000_000

// contents are all that an image holds.
var contents = []string{"etc/", "etc/ssl/", "etc/ssl/certs/", "etc/ssl/certs/ca-certificates.crt", "lambda-rollback-action"}

var machines = map[string]elf.Machine{"linux/amd64": elf.EM_X86_64, "linux/arm64": elf.EM_AARCH64}

func needsImage(t *testing.T) layout {
	t.Helper()
	if *built == "" {
		t.Skip("this needs a built image, which .ci/containers makes: run that")
	}
	return layout{t, *built}
}

func TestTwoBuildsAreOneImage(t *testing.T) {
	first := needsImage(t)
	if *again == "" {
		t.Skip("there is no second build to compare with")
	}
	require.NotEqual(t, *built, *again)
	second := layout{t, *again}
	assert.Equal(t, first.digest(), second.digest())
	t.Logf("built twice without a cache: %s and %s", first.digest(), second.digest())
}

func TestTheImageForEachPlatform(t *testing.T) {
	image := needsImage(t)
	found := map[string]elf.Machine{}
	for _, p := range image.platforms() {
		t.Run(p.name, func(t *testing.T) {
			found[p.name] = machines[p.name]
			t.Logf("%d bytes compressed", p.compressed)
			assert.LessOrEqual(t, p.compressed, int64(mostCompressed))
			names := make([]string, len(p.files))
			for i, f := range p.files {
				names[i] = f.Name
				t.Logf("%s %9d %s", f.FileInfo().Mode(), f.Size, f.Name)
				assert.Equal(t, fmt.Sprint(0, 0), fmt.Sprint(f.Uid, f.Gid), f.Name)
				assert.Equal(t, p.files[0].ModTime, f.ModTime, "%s has the time that all have", f.Name)
				assert.Zero(t, f.Mode&0o7022, "%s may be written by its owner alone", f.Name)
				switch f.Name {
				case "lambda-rollback-action":
					p.checkProgram(t, f.content)
				case "etc/ssl/certs/ca-certificates.crt":
					checkCertificates(t, f.content)
				default:
					assert.Equal(t, byte(tar.TypeDir), f.Typeflag, f.Name)
				}
			}
			assert.Equal(t, contents, names)
			p.checkConfig(t)
		})
	}
	assert.Equal(t, machines, found)
}

func (p platform) checkProgram(t *testing.T, program []byte) {
	t.Helper()
	parsed, err := elf.NewFile(bytes.NewReader(program))
	require.NoError(t, err)
	assert.Equal(t, machines[p.name], parsed.Machine)
	for _, part := range parsed.Progs {
		assert.NotEqual(t, elf.PT_INTERP, part.Type, "the program needs no loader: there is none")
	}
	assert.Nil(t, parsed.Section(".symtab"), "the program is stripped")
	info, err := buildinfo.Read(bytes.NewReader(program))
	require.NoError(t, err)
	settings := map[string]string{}
	for _, s := range info.Settings {
		assert.NotContains(t, s.Key, "vcs", "what git says of a checkout differs from one to the next")
		settings[s.Key] = s.Value
	}
	assert.Equal(t, "true", settings["-trimpath"], "no path of the machine that built it")
	for _, label := range []string{"version", "revision"} {
		value := p.config.Config.Labels["org.opencontainers.image."+label]
		require.NotEmpty(t, value, label)
		assert.True(t, bytes.Contains(program, []byte(value)), "the program knows its %s", label)
	}
}

func checkCertificates(t *testing.T, bundle []byte) {
	t.Helper()
	count := 0
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		_, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		count++
	}
	assert.Greater(t, count, 50)
}

func (p platform) checkConfig(t *testing.T) {
	t.Helper()
	c := p.config.Config
	assert.Equal(t, []string{"/lambda-rollback-action"}, c.Entrypoint)
	assert.Empty(t, c.Cmd)
	assert.Empty(t, c.User, "the files for outputs and summary belong to root")
	assert.Empty(t, c.Volumes)
	for _, variable := range c.Env {
		assert.True(t, strings.HasPrefix(variable, "PATH=") || variable == "GOGC=400", variable)
	}
	for label, want := range map[string]string{
		"title":       `^lambda-rollback-action$`,
		"description": `\w+ \w+`,
		"source":      `^https://github\.com/org/lambda-rollback-action$`,
		"licenses":    `^MIT$`,
		"version":     `^v\d+\.\d+\.\d+`,
		"revision":    `^[0-9a-f]{40}$`,
	} {
		assert.Regexp(t, want, c.Labels["org.opencontainers.image."+label], label)
	}
}
