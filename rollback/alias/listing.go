package alias

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// listing reads the alias and the memory alias of each function of a fleet in one
// call instead of two.
type listing struct {
	denied atomic.Bool // for one function: it is not tried for the others
}

// read lists the aliases of a function. found is false where the two aliases must
// be read one by one: the call is not allowed or fails, there is more than one page
// of aliases, or the alias is not among them. A nil listing finds nothing.
func (l *listing) read(ctx context.Context, c *client) (alias Alias, memory Memory, others map[int64][]string, found bool) {
	lister, can := c.lambda.(AliasLister)
	if l == nil || !can || l.denied.Load() {
		return alias, memory, nil, false
	}
	out, err := do(ctx, c.caller, "ListAliases", func(ctx context.Context) (*lambda.ListAliasesOutput, error) {
		return lister.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: &c.function, MaxItems: aws.Int32(pageSize)}, unretried)
	})
	if err != nil {
		l.denied.CompareAndSwap(false, httpStatus(err) == http.StatusForbidden)
		return alias, memory, nil, false
	}
	if aws.ToString(out.NextMarker) != "" {
		return alias, memory, nil, false
	}
	all := map[int64][]string{}
	for _, a := range out.Aliases {
		at, err := aliasOf(a)
		name := aws.ToString(a.Name)
		if name == c.memoryAlias() {
			memory = memoryOf(a.Description, a.RevisionId, at, err)
		}
		if err != nil {
			continue
		}
		if name == c.alias {
			alias, found = at, at.RevisionID != ""
		}
		for _, v := range []int64{at.Version, at.Weighted} {
			if v != 0 {
				all[v] = append(all[v], name)
			}
		}
	}
	return alias, memory, otherAliases(all, c.alias), found
}

func aliasOf(a types.AliasConfiguration) (Alias, error) {
	at, err := aliasFrom(a.FunctionVersion, a.RoutingConfig)
	at.ARN, at.RevisionID = aws.ToString(a.AliasArn), aws.ToString(a.RevisionId)
	return at, err
}
