package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/org/lambda-rollback-action"

// Libraries that only some packages may know.
var (
	libGitHub   = []string{"github.com/google/go-github", "github.com/sethvargo/go-githubactions"}
	libAWS      = []string{"github.com/aws/"}
	libTerminal = []string{"charm.land/", "github.com/charmbracelet/huh"}
)

// packages names every package of the program: which others of the program it may
// import, and which libraries it must not know.
var packages = map[string]struct {
	imports []string
	not     [][]string
}{
	".":                  {[]string{"github", "rollback"}, [][]string{libAWS, libGitHub, libTerminal}},
	"rollback":           {[]string{"github", "notify", "rollback/alias", "rollback/aws", "rollback/canary", "rollback/errorrate", "rollback/owner", "rollback/report", "rollback/site", "rollback/terminal", "rollback/verify"}, [][]string{libGitHub, libTerminal}},
	"rollback/alias":     {[]string{"rollback/aws", "rollback/report"}, [][]string{libGitHub, libTerminal}},
	"rollback/aws":       {nil, [][]string{libGitHub, libTerminal}},
	"rollback/canary":    {[]string{"rollback/errorrate"}, [][]string{libAWS, libGitHub, libTerminal}},
	"rollback/errorrate": {[]string{"rollback/exact"}, [][]string{libAWS, libGitHub, libTerminal}},
	"rollback/exact":     {nil, [][]string{libAWS, libGitHub, libTerminal}},
	"rollback/owner":     {[]string{"rollback/aws", "rollback/report"}, [][]string{libGitHub, libTerminal}},
	"rollback/report":    {nil, [][]string{libAWS, libGitHub, libTerminal}},
	"rollback/site":      {[]string{"rollback/aws", "rollback/report"}, [][]string{libGitHub, libTerminal}},
	"rollback/terminal":  {nil, [][]string{libAWS, libGitHub}},
	"rollback/verify":    {[]string{"rollback/aws", "rollback/errorrate", "rollback/report"}, [][]string{libGitHub, libTerminal}},
	"github":             {[]string{"rollback/report"}, [][]string{libAWS, libTerminal}},
	"notify":             {[]string{"rollback/report"}, [][]string{libAWS, libGitHub, libTerminal}},
}

func TestPackagesImportOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	for folder, files := range program(t) {
		may, known := packages[folder]
		if !assert.True(t, known, "the package %s is not in the list of packages: say there what it may import", folder) {
			continue
		}
		for path, file := range files {
			for _, spec := range file.Imports {
				name := unquote(t, spec.Path)
				if ours, found := strings.CutPrefix(name, module+"/"); found {
					assert.Contains(t, may.imports, ours, path)
				}
				for _, library := range slices.Concat(may.not...) {
					assert.False(t, strings.HasPrefix(name, library), "%s imports %s", path, name)
				}
			}
		}
	}
}

// The environment, files and the clock are handed in by main. A time limit of a
// context is no reading of the clock: nothing is decided by it.
func TestEffectsAreHandedIn(t *testing.T) {
	t.Parallel()
	banned := map[string][]string{
		"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"},
	}
	for folder, files := range program(t) {
		if folder == "." {
			continue
		}
		for path, file := range files {
			if path == "github/files.go" {
				continue // AppendFile is offered for handing in
			}
			ast.Inspect(file, func(node ast.Node) bool {
				selector, ok := node.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				from, ok := selector.X.(*ast.Ident)
				if !ok || from.Obj != nil {
					return true
				}
				assert.NotContains(t, banned[from.Name], selector.Sel.Name, "%s reads the clock by itself: %s.%s", path, from.Name, selector.Sel.Name)
				if from.Name == "os" {
					assert.Equal(t, "Signal", selector.Sel.Name, "%s uses os.%s", path, selector.Sel.Name)
				}
				return true
			})
		}
	}
}

// Where a template is executed, methods are called by their names, and the linker
// keeps every exported method of every type: a binary of 16 MiB gets 25. See
// TestTheBinaryIsSmall, too, for libraries that do it.
func TestNoTemplates(t *testing.T) {
	t.Parallel()
	for _, files := range program(t) {
		for path, file := range files {
			for _, spec := range file.Imports {
				assert.NotContains(t, []string{"html/template", "text/template"}, unquote(t, spec.Path), path)
			}
		}
	}
}

// program is the source of the program without its tests: by folder, then by
// path. Everything at the top level is the program but for what is named here.
func program(t *testing.T) map[string]map[string]*ast.File {
	t.Helper()
	out := map[string]map[string]*ast.File{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		if entry.IsDir() {
			if slices.Contains([]string{"test", "docs", "examples"}, relative) || entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && relative != "." {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(relative, ".go") || strings.HasSuffix(relative, "_test.go") {
			return nil
		}
		folder := filepath.ToSlash(filepath.Dir(relative))
		if out[folder] == nil {
			out[folder] = map[string]*ast.File{}
		}
		out[folder][relative], err = parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		return err
	})
	require.NoError(t, err)
	require.Contains(t, out, ".")
	return out
}
