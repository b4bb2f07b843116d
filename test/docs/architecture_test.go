package docs_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every library that go.mod names directly has a line in the decision record that
// says what it earns, and whether the program has it or the tests alone.
func TestEveryLibraryIsArgued(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile(`(?s)\nrequire \((.*?)\n\)`).FindStringSubmatch(read(t, "go.mod"))
	require.NotNil(t, block)
	var direct []string
	for line := range strings.Lines(block[1]) {
		if fields := strings.Fields(line); len(fields) > 0 && !strings.Contains(line, "// indirect") {
			direct = append(direct, fields[0])
		}
	}
	require.NotEmpty(t, direct)
	argued := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.+) \\|$").FindAllStringSubmatch(read(t, "docs/decisions/0005-packages-and-libraries.md"), -1) {
		argued[row[1]] = row[2]
	}
	assert.ElementsMatch(t, direct, slices.Collect(maps.Keys(argued)))

	imports := importsOfProgram(t)
	for library, why := range argued {
		used := slices.ContainsFunc(imports, func(path string) bool { return path == library || strings.HasPrefix(path, library+"/") })
		assert.Equal(t, !used, strings.HasPrefix(why, "tests only"), library)
	}
}

func importsOfProgram(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, files := range program(t) {
		for _, file := range files {
			for _, spec := range file.Imports {
				all = append(all, unquote(t, spec.Path))
			}
		}
	}
	return all
}

// The page's table of packages is the list that the imports are held to.
func TestTheArchitecturePageHasEveryPackage(t *testing.T) {
	t.Parallel()
	rows := map[string]string{}
	page := read(t, "docs/architecture.md")
	_, table, found := strings.Cut(page, "| Package | What it does | May import |\n| --- | --- | --- |\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .+ \\| (.+) \\|$").FindAllStringSubmatch(table, -1) {
		rows[strings.TrimSuffix(row[1], "main.go")] = row[2]
	}
	assert.Len(t, rows, len(packages))
	for folder, may := range packages {
		row, has := rows[strings.TrimPrefix(folder, ".")]
		if !assert.True(t, has, "%s has no row", folder) {
			continue
		}
		switch {
		case row == "all below":
		case len(may.imports) == 0:
			assert.Equal(t, "none", row, folder)
		default:
			assert.Equal(t, "`"+strings.Join(may.imports, "`, `")+"`", row, folder)
		}
	}
	for _, file := range regexp.MustCompile("`([a-z/]+\\.go)`").FindAllStringSubmatch(page, -1) {
		paths := slices.Collect(maps.Keys(pathsOfProgram(t)))
		assert.True(t, slices.ContainsFunc(paths, func(path string) bool {
			return path == file[1] || strings.HasSuffix(path, "/"+file[1])
		}), "%s is no file of the program", file[1])
	}
}

func pathsOfProgram(t *testing.T) map[string]bool {
	t.Helper()
	paths := map[string]bool{}
	for _, files := range program(t) {
		for path := range files {
			paths[path] = true
		}
	}
	return paths
}
