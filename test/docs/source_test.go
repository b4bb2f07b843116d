package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// reasons are the constants of the type report.Reason.
func reasons(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, file := range []string{"result.go", "site.go"} {
		ast.Inspect(parse(t, filepath.Join(root, "rollback/report", file)), func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Reason" {
				for _, value := range spec.Values {
					found = append(found, unquote(t, value.(*ast.BasicLit)))
				}
			}
			return true
		})
	}
	require.NotEmpty(t, found)
	return found
}

// verb is a verb of package fmt.
var verb = regexp.MustCompile(`%[-+# 0]*[0-9]*(?:\.[0-9]+)?[a-zA-Z]`)

// product are the packages whose words people read.
var product = slices.Sorted(maps.Keys(packages))

// literals are the texts in the program, with `…` for what is filled in.
func literals(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, folder := range product {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			ast.Inspect(parse(t, file), func(node ast.Node) bool {
				if text := literal(t, node); text != "" {
					found = append(found, blanked(text))
				}
				return true
			})
		}
	}
	return found
}

// literal is the text of a literal, or of several that are joined.
func literal(t *testing.T, node ast.Node) string {
	t.Helper()
	switch node := node.(type) {
	case *ast.BasicLit:
		if node.Kind == token.STRING {
			return unquote(t, node)
		}
	case *ast.BinaryExpr:
		if left, right := literal(t, node.X), literal(t, node.Y); left != "" && right != "" {
			return left + right
		}
	}
	return ""
}

func blanked(format string) string {
	const percent = "\x00"
	format = verb.ReplaceAllString(strings.ReplaceAll(format, "%%", percent), "…")
	return strings.ReplaceAll(format, percent, "%")
}

func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	require.NoError(t, err)
	return file
}

func unquote(t *testing.T, literal *ast.BasicLit) string {
	t.Helper()
	text, err := strconv.Unquote(literal.Value)
	require.NoError(t, err)
	return text
}
