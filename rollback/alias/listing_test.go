package alias_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// listed is a function whose aliases can be listed.
type listed struct {
	*fakeLambda

	change func(*lambda.ListAliasesOutput) // nil: nothing
}

func (l listed) ListAliases(ctx context.Context, _ *lambda.ListAliasesInput, _ ...func(*lambda.Options)) (*lambda.ListAliasesOutput, error) {
	return serve(ctx, l.fakeLambda, "ListAliases", "ListAliases", func() (*lambda.ListAliasesOutput, error) {
		out := &lambda.ListAliasesOutput{}
		for name, a := range l.aliases {
			out.Aliases = append(out.Aliases, types.AliasConfiguration{
				AliasArn: aws.String(arn(name)), Name: aws.String(name), Description: &a.description,
				FunctionVersion: &a.version, RevisionId: &a.revision, RoutingConfig: a.routing(),
			})
		}
		if l.change != nil {
			l.change(out)
		}
		return out, nil
	})
}

// Of several functions both aliases are read by one call, where that works.
func TestAliasesAreReadByOneCall(t *testing.T) {
	t.Parallel()
	const note = "nothing shows that this alias ever pointed at version 40: staging points at it"
	for name, c := range map[string]struct {
		given  func(*fakeLambda)
		change func(*lambda.ListAliasesOutput)
		single int // how often a memory alias is read on its own
		note   string
	}{
		"all are listed": {note: note},
		"one points at no version": {given: func(l *fakeLambda) {
			l.set("odd", 41, nil, "")
			l.aliases["odd"].version = "many"
		}, note: note},
		"another one is on $LATEST": {given: func(l *fakeLambda) {
			l.set("newest", 41, nil, "")
			l.aliases["newest"].version = "$LATEST"
		}, note: note},
		"there is a second page":     {change: func(out *lambda.ListAliasesOutput) { out.NextMarker = aws.String("2") }, single: 1},
		"it has no revision":         {change: clearRevisions, single: 1},
		"the alias is not among all": {change: func(out *lambda.ListAliasesOutput) { out.Aliases = nil }, single: 1},
		"the call breaks": {given: func(l *fakeLambda) {
			l.faults = always("ListAliases", fault{err: answer(400, "InvalidParameterValueException", "")})
		}, single: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playFleet(t, []string{"api", "worker", "billing"}, func(t *testing.T, f *fleet) {
				for i, name := range f.names {
					l := f.lambdas[name]
					l.set(memoryAlias, 40, nil, "rejected=41 run=7001/1 at=2026-11-01T03:04:00Z by=rollback")
					l.set("staging", 40, nil, "")
					l.aliases[memoryAlias].version = "39"
					if c.given != nil {
						c.given(l)
					}
					f.functions[i].Lambda = listed{l, c.change}
				}
				for name, r := range f.run(t, false) {
					assert.Equal(t, report.RolledBack, r.Status, r.Message)
					assert.Equal(t, "40", r.To, "41 was rejected, as the memory says")
					assert.Equal(t, c.single, f.lambdas[name].count("GetAlias "+memoryAlias))
					assert.Contains(t, fmt.Sprint(r.Notes), c.note)
				}
			})
		})
	}
}

func clearRevisions(out *lambda.ListAliasesOutput) {
	for i := range out.Aliases {
		out.Aliases[i].RevisionId = nil
	}
}

// One refusal is enough, and so are a few errors of AWS: the other functions do not try
// it.
func TestListingIsNotTriedAgainWhereItIsOfNoUse(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprintf("api-%02d", i))
	}
	for name, c := range map[string]struct {
		err  error
		most int // those that began at the same time
	}{
		"denied":      {answer(403, "AccessDeniedException", ""), 8},
		"unavailable": {answer(503, "ServiceUnavailable", ""), 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playFleet(t, names, func(t *testing.T, f *fleet) {
				for i, name := range f.names {
					f.lambdas[name].faults = always("ListAliases", fault{err: c.err})
					f.functions[i].Lambda = listed{f.lambdas[name], nil}
				}
				tried := 0
				for name, r := range f.run(t, false) {
					assert.Equal(t, report.RolledBack, r.Status, r.Message)
					tried += f.lambdas[name].count("ListAliases")
				}
				assert.LessOrEqual(t, tried, c.most)
			})
		})
	}
}

// One function alone has no call to save.
func TestOneFunctionIsNotListed(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api"}, func(t *testing.T, f *fleet) {
		f.functions[0].Lambda = listed{f.lambdas["api"], nil}
		assert.Equal(t, report.RolledBack, f.run(t, false)["api"].Status)
		assert.Zero(t, f.lambdas["api"].count("ListAliases"))
	})
}
