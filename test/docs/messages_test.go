package docs_test

import (
	"go/ast"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Where a message for a person is made: by these calls, as these fields, and in
// these files by any error.
var (
	saying      = []string{"Warningf", "warning", "refuse", "fail"}
	sayingField = map[string]string{"Problem": "Text"}
	inputFiles  = []string{"versions.go", "functionname.go", "inputtarget.go", "needs.go", "relations.go"}
)

// TestEveryMessageIsExplained is the other direction of the quotes: what a person
// is warned of, or why nothing was done, can be looked up by its words.
func TestEveryMessageIsExplained(t *testing.T) {
	var quoted []string
	for _, text := range fences(read(t, troubleshooting), "text") {
		for line := range strings.Lines(text) {
			quoted = append(quoted, strings.TrimSpace(line))
		}
	}
	messages := messages(t)
	require.Greater(t, len(messages), 50)
	for _, message := range messages {
		assert.True(t, slices.ContainsFunc(quoted, func(line string) bool { return strings.Contains(message, line) }),
			"%s does not explain: %s", troubleshooting, message)
	}
}

// messages are the texts, with `…` for what is filled in.
func messages(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, folder := range product {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			input := slices.Contains(inputFiles, filepath.Base(file)) && folder == "github"
			ast.Inspect(parse(t, file), func(node ast.Node) bool {
				switch node := node.(type) {
				case *ast.CallExpr:
					name := called(node)
					if slices.Contains(saying, name) || input && slices.Contains([]string{"Errorf", "New", "append"}, name) {
						found = append(found, said(t, node.Args)...)
					}
				case *ast.CompositeLit:
					found = append(found, fieldOf(t, node)...)
				}
				return true
			})
		}
	}
	return found
}

// fieldOf is the text in a literal of a type that is a message.
func fieldOf(t *testing.T, literal *ast.CompositeLit) []string {
	t.Helper()
	kind, ok := literal.Type.(*ast.Ident)
	if !ok {
		return nil
	}
	var found []string
	for _, element := range literal.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok && key.Name == sayingField[kind.Name] {
				found = append(found, said(t, []ast.Expr{pair.Value})...)
			}
		}
	}
	return found
}

func called(call *ast.CallExpr) string {
	switch function := call.Fun.(type) {
	case *ast.Ident:
		return function.Name
	case *ast.SelectorExpr:
		return function.Sel.Name
	}
	return ""
}

// said are the sentences among arguments: literals, joined ones (the longest part
// where a value is between them), and those inside a Sprintf. A word or a name is
// none.
func said(t *testing.T, arguments []ast.Expr) []string {
	t.Helper()
	var found []string
	for _, argument := range arguments {
		switch argument := argument.(type) {
		case *ast.BasicLit, *ast.BinaryExpr:
			text := literal(t, argument)
			if text == "" { // joined with something that is no literal
				for _, part := range operands(argument) {
					if piece := literal(t, part); len(piece) > len(text) {
						text = piece
					}
				}
			}
			if text = blanked(text); len(strings.Fields(strings.ReplaceAll(text, "…", ""))) > 3 {
				found = append(found, text)
			}
		case *ast.CallExpr:
			if name := called(argument); name == "Sprintf" || name == "Errorf" {
				found = append(found, said(t, argument.Args)...)
			}
		}
	}
	return slices.DeleteFunc(found, func(text string) bool { return text == "" })
}

// operands are the two sides of a joined text, and of those that they are
// joined of.
func operands(node ast.Expr) []ast.Expr {
	joined, ok := node.(*ast.BinaryExpr)
	if !ok {
		return []ast.Expr{node}
	}
	return slices.Concat([]ast.Expr{joined.X, joined.Y}, operands(joined.X), operands(joined.Y))
}
