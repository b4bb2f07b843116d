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

// startGoroutines are the functions and methods that run a function literal in a
// goroutine of their own: of the standard library, of testify, and of our tests,
// where a fake answers the program or the emulator answers a request.
var startGoroutines = []string{
	"Go", "AfterFunc", "HandlerFunc", "HandleFunc", "Eventually", "Eventuallyf", "Never",
	"Before", "After", "Health",
	"alarms", "metrics", "logs", "invokes",
}

// answer are the fields whose function literals answer the program.
var answer = []string{"after", "before", "faults", "Respond", "spoil"}

// endTests are the methods of a testing.T that call runtime.Goexit.
var endTests = []string{"Fatal", "Fatalf", "FailNow", "Skip", "Skipf", "SkipNow"}

// require ends the goroutine that it is called in. In another one than the test's
// that leaves the test waiting, or passing: https://pkg.go.dev/testing#T.FailNow.
func TestNoTestIsEndedInAGoroutine(t *testing.T) {
	t.Parallel()
	files := token.NewFileSet()
	for folder, sources := range testSources(t, files) {
		helpers := endingHelpers(sources)
		for _, file := range sources {
			for _, body := range inGoroutines(file) {
				ast.Inspect(body, func(node ast.Node) bool {
					if call, ok := node.(*ast.CallExpr); ok && ends(call, helpers) {
						assert.Fail(t, "a test is ended in a goroutine: use assert there, and return", "%s in %s", files.Position(call.Pos()), folder)
					}
					return true
				})
			}
		}
	}
}

func TestEndsInGoroutinesAreFound(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]string{
		"go statement":    `go func() { require.NoError(t, err) }()`,
		"a group":         `group.Go(func() { require.NoError(t, err) })`,
		"Fatal":           `go func() { t.Fatal(err) }()`,
		"a handler":       `h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { require.NoError(t, err) })`,
		"a helper":        `go func() { stop(t) }()`,
		"further inside":  `go func() { if true { func() { require.NoError(t, err) }() } }()`,
		"a method":        `go func() { x.stop(t) }()`,
		"a fake":          `fake.before = func() { require.NoError(t, err) }`,
		"what is awaited": `require.Eventually(t, func() bool { require.NoError(t, err); return true }, 1, 1)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := "package x\nfunc stop(t *testing.T) { require.Fail(t, \"\") }\nfunc TestX(t *testing.T) {\n" + code + "\n}\n"
			file, err := parser.ParseFile(token.NewFileSet(), "x_test.go", source, 0)
			require.NoError(t, err)
			helpers := endingHelpers([]*ast.File{file})
			found := 0
			for _, body := range inGoroutines(file) {
				ast.Inspect(body, func(node ast.Node) bool {
					if call, ok := node.(*ast.CallExpr); ok && ends(call, helpers) {
						found++
					}
					return true
				})
			}
			assert.NotZero(t, found)
		})
	}
}

// inGoroutines are the bodies of functions in a file that run in goroutines.
func inGoroutines(file *ast.File) []*ast.BlockStmt {
	var found []*ast.BlockStmt
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.GoStmt:
			if literal, ok := node.Call.Fun.(*ast.FuncLit); ok {
				found = append(found, literal.Body)
			}
		case *ast.CallExpr:
			if !slices.Contains(startGoroutines, calledName(node)) {
				break
			}
			for _, argument := range node.Args {
				if literal, ok := argument.(*ast.FuncLit); ok {
					found = append(found, literal.Body)
				}
			}
		case *ast.AssignStmt:
			for i, value := range node.Rhs {
				literal, ok := value.(*ast.FuncLit)
				field, chosen := node.Lhs[i].(*ast.SelectorExpr)
				if ok && chosen && slices.Contains(answer, field.Sel.Name) {
					found = append(found, literal.Body)
				}
			}
		case *ast.FuncDecl:
			if node.Recv != nil && node.Body != nil && slices.Contains([]string{"ServeHTTP", "RoundTrip"}, node.Name.Name) {
				found = append(found, node.Body)
			}
		}
		return true
	})
	return found
}

// endingHelpers are the functions and methods of a package, by name, that end the
// test that they are handed.
func endingHelpers(sources []*ast.File) map[string]bool {
	helpers := map[string]bool{}
	for known := -1; known < len(helpers); {
		known = len(helpers)
		for _, file := range sources {
			for _, declared := range file.Decls {
				function, ok := declared.(*ast.FuncDecl)
				if !ok || function.Body == nil || !takesTest(function) || strings.HasPrefix(function.Name.Name, "Test") {
					continue
				}
				ast.Inspect(function.Body, func(node ast.Node) bool {
					if call, ok := node.(*ast.CallExpr); ok && ends(call, helpers) {
						helpers[function.Name.Name] = true
					}
					return true
				})
			}
		}
	}
	return helpers
}

// takesTest tells whether a testing.T, testing.TB … is among the parameters.
func takesTest(function *ast.FuncDecl) bool {
	return slices.ContainsFunc(function.Type.Params.List, func(parameter *ast.Field) bool {
		kind := parameter.Type
		if pointer, ok := kind.(*ast.StarExpr); ok {
			kind = pointer.X
		}
		selector, ok := kind.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		from, ok := selector.X.(*ast.Ident)
		return ok && from.Name == "testing"
	})
}

func ends(call *ast.CallExpr, helpers map[string]bool) bool {
	switch function := call.Fun.(type) {
	case *ast.Ident:
		return helpers[function.Name]
	case *ast.SelectorExpr:
		if from, ok := function.X.(*ast.Ident); ok && from.Name == "require" {
			return true
		}
		return helpers[function.Sel.Name] || slices.Contains(endTests, function.Sel.Name)
	}
	return false
}

func calledName(call *ast.CallExpr) string {
	switch function := call.Fun.(type) {
	case *ast.Ident:
		return function.Name
	case *ast.SelectorExpr:
		return function.Sel.Name
	}
	return ""
}

// testSources are all tests, and what helps them below test/, by folder.
func testSources(t *testing.T, files *token.FileSet) map[string][]*ast.File {
	t.Helper()
	found := map[string][]*ast.File{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != root {
			return filepath.SkipDir
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		if !strings.HasSuffix(relative, ".go") || !strings.HasSuffix(relative, "_test.go") && !strings.HasPrefix(relative, "test/") {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		folder := filepath.ToSlash(filepath.Dir(relative))
		found[folder] = append(found[folder], file)
		return err
	})
	require.NoError(t, err)
	require.Contains(t, found, "test/docs")
	return found
}
