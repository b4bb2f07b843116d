package alias

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// listing reads the alias and the memory alias of each function of a fleet in one call
// instead of two.
type listing struct {
	unusable atomic.Bool  // it is not allowed, hangs or fails: it is not tried for the other functions
	failures atomic.Int32 // server errors since the last success
}

const (
	// listingLimit is the time limit for one try.
	listingLimit = 3 * time.Second
	listingTries = 4
	// listingPause is the longest pause between two tries that AWS may ask for.
	listingPause = time.Second
	// listingFailures is how many server errors in a row make the call unusable: each
	// costs one of the calls per second that the moves need.
	listingFailures = 3
)

// errUnlisted ends the tries.
var errUnlisted = errors.New("the aliases could not be listed, so they are read one by one")

// read lists the aliases of a function. found is false if the two aliases must be read
// one by one: the call is not allowed or fails, there is more than one page of
// aliases, or the alias is not among them. A nil listing finds nothing.
func (l *listing) read(ctx context.Context, c *client) (alias Alias, memory Memory, others map[int64][]string, found bool) {
	lister, can := c.lambda.(aliasLister)
	if l == nil || !can || l.unusable.Load() {
		return alias, memory, nil, false
	}
	tries := 0
	out, err := do(ctx, c.caller, "ListAliases", func(ctx context.Context) (*lambda.ListAliasesOutput, error) {
		ctx, cancel := context.WithTimeout(ctx, listingLimit)
		defer cancel()
		out, err := lister.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: &c.function, MaxItems: sdk.Int32(pageSize)}, unretried)
		tries++
		// Only a short throttling is waited for, because there is another way.
		if err != nil && (tries == listingTries || aws.Status(err) != http.StatusTooManyRequests || pause(c.caller.clock.Now(), tries, err) > listingPause) {
			if aws.Status(err) < http.StatusInternalServerError || l.failures.Add(1) >= listingFailures {
				l.unusable.Store(true)
			}
			err = errUnlisted
		}
		return out, err
	})
	if err != nil {
		return alias, memory, nil, false
	}
	l.failures.Store(0)
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
