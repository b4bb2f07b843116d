package alias

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// listing reads the alias and the memory alias of each function of a fleet in one
// call instead of two.
type listing struct {
	denied atomic.Bool // for one function: it is not tried for the others
}

var errNotAllowed = errors.New("ListAliases is not allowed")

// read lists the aliases of a function. found is false where the two aliases must
// be read one by one: the call is not allowed or fails, there is more than one page
// of aliases, or the alias is not among them. A nil listing finds nothing.
func (l *listing) read(ctx context.Context, c *client) (alias Alias, memory Memory, others map[int64][]string, found bool) {
	lister, can := c.lambda.(aliasLister)
	if l == nil || !can || l.denied.Load() {
		return alias, memory, nil, false
	}
	out, err := do(ctx, c.caller, "ListAliases", func(ctx context.Context) (*lambda.ListAliasesOutput, error) {
		out, err := lister.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: &c.function, MaxItems: sdk.Int32(pageSize)}, unretried)
		if aws.Status(err) == http.StatusForbidden {
			l.denied.Store(true)
			err = errNotAllowed // no further try: there is another way
		}
		return out, err
	})
	if err != nil {
		return alias, memory, nil, false
	}
	if sdk.ToString(out.NextMarker) != "" {
		return alias, memory, nil, false
	}
	all := map[int64][]string{}
	for _, a := range out.Aliases {
		at, err := aliasOf(a)
		name := sdk.ToString(a.Name)
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
	at.ARN, at.RevisionID = sdk.ToString(a.AliasArn), sdk.ToString(a.RevisionId)
	return at, err
}
