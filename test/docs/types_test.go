package docs_test

import (
	"go/ast"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mostMethods is how many methods a type has at most. One with more does more than
// one thing: rules are functions of facts, commands are functions of an action.
const mostMethods = 20

func TestTypesAreSmall(t *testing.T) {
	t.Parallel()
	methods := 0
	for folder, files := range program(t) {
		of := map[string][]string{}
		for _, file := range files {
			for _, declaration := range file.Decls {
				if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv != nil {
					receiver := receiverOf(t, f.Recv.List[0].Type)
					of[receiver] = append(of[receiver], f.Name.Name)
					methods++
				}
			}
		}
		for name, all := range of {
			assert.LessOrEqual(t, len(all), mostMethods, "%s.%s: %v", folder, name, all)
		}
	}
	assert.NotZero(t, methods)
}

func receiverOf(t *testing.T, expression ast.Expr) string {
	t.Helper()
	switch e := expression.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return receiverOf(t, e.X)
	case *ast.IndexExpr:
		return receiverOf(t, e.X)
	case *ast.IndexListExpr:
		return receiverOf(t, e.X)
	}
	require.Failf(t, "unknown receiver", "%T", expression)
	return ""
}

// TestNoStructIsEmbedded: a struct that embeds another borrows its fields and
// methods, and nothing at the place of use says whose they are. An interface can be
// embedded to change one of its methods.
func TestNoStructIsEmbedded(t *testing.T) {
	t.Parallel()
	interfaces := []string{"net.Conn"}
	structs := 0
	for _, files := range program(t) {
		for path, file := range files {
			ast.Inspect(file, func(node ast.Node) bool {
				s, ok := node.(*ast.StructType)
				if !ok {
					return true
				}
				structs++
				for _, field := range s.Fields.List {
					if len(field.Names) == 0 {
						assert.Contains(t, interfaces, nameOf(field.Type), "%s embeds it", path)
					}
				}
				return true
			})
		}
	}
	assert.NotZero(t, structs)
}

// nameOf is the name of a type as it is written.
func nameOf(expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return "*" + nameOf(e.X)
	case *ast.SelectorExpr:
		return nameOf(e.X) + "." + e.Sel.Name
	}
	return "a type of another form"
}
