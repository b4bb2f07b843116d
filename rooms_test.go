package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/org/lambda-rollback-action/"

// Which room may import which. The story in this folder knows them all.
var rooms = map[string][]string{
	"report":   nil,
	"github":   {"report"},
	"rollback": {"report"},
	"verify":   {"report"},
	"notify":   {"report"},
	"cloud":    nil,
	"terminal": nil,
}

// What only one room may know: GitHub is for github, AWS for the others.
var foreign = map[string][]string{
	"report":   {"aws-sdk-go-v2", "go-github", "go-githubactions"},
	"github":   {"aws-sdk-go-v2"},
	"rollback": {"go-github", "go-githubactions"},
	"verify":   {"go-github", "go-githubactions"},
	"notify":   {"aws-sdk-go-v2", "go-github", "go-githubactions"},
	"cloud":    {"go-github", "go-githubactions"},
	"terminal": {"aws-sdk-go-v2", "go-github", "go-githubactions"},
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	for room, may := range rooms {
		for file, paths := range importsBelow(t, room) {
			for _, path := range paths {
				if ours, found := strings.CutPrefix(path, module); found {
					assert.Contains(t, may, ours, file)
				}
				for _, strange := range foreign[room] {
					assert.NotContains(t, path, strange, file)
				}
			}
		}
	}
}

// Nothing below main reads the environment or the clock: they are handed in.
func TestEffectsAreHandedIn(t *testing.T) {
	t.Parallel()
	for room := range rooms {
		for file, paths := range importsBelow(t, room) {
			if strings.HasSuffix(file, filepath.Join("github", "files.go")) {
				continue // AppendFile is the one effect that is offered for handing in
			}
			assert.NotContains(t, paths, "os", file)
		}
	}
}

// Where a template is executed, methods are called by their names, and the linker
// keeps every exported method of every type: a binary of 16 MiB gets 25. See
// TestTheBinaryIsSmall, too, for libraries that do it.
func TestNoTemplates(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	places := append(slices.Sorted(maps.Keys(rooms)), files...)
	require.Contains(t, places, "main.go")
	for _, place := range places {
		for file, paths := range importsBelow(t, place) {
			assert.NotContains(t, paths, "html/template", file)
			assert.NotContains(t, paths, "text/template", file)
		}
	}
}

// importsBelow gives the imports of each file of the product in a folder.
func importsBelow(t *testing.T, folder string) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil //nolint:nilerr // a room that is not built yet has no folder
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports[path] = append(imports[path], name)
		}
		return nil
	})
	require.NoError(t, err)
	return imports
}
