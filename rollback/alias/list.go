package alias

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"golang.org/x/sync/errgroup"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// AliasLister is AWS Lambda's API as far as only a list needs it; a Lambda that
// is none leaves out which other aliases serve a version.
type AliasLister interface {
	ListAliases(context.Context, *lambda.ListAliasesInput, ...func(*lambda.Options)) (*lambda.ListAliasesOutput, error)
}

const (
	// statesRead is of how many versions the state is read: the list that Lambda
	// gives does not have it, and each takes a call.
	statesRead = 50
	// aliasPages bounds the calls for aliases; each has 50.
	aliasPages = 40
)

// List gives the versions of every function, the newest first, at most limit of
// each; 0: all. It changes nothing. What a rollback would choose now is marked.
func List(ctx context.Context, functions []Function, limit int) []report.Function {
	f := NewFleet(functions)
	each(f.tasks, func(t *task) { t.list(ctx, limit) })
	return f.Results()
}

func (t *task) list(ctx context.Context, limit int) {
	const nothing = "the versions could not be listed of"
	if err := t.readAliases(ctx); err != nil {
		t.failDoing(nothing, err)
		return
	}
	t.seen()
	d, err := t.propose(ctx)
	if err != nil {
		t.failDoing(nothing, err)
		return
	}
	always := []int64{t.o.Alias.Version, t.o.Alias.Weighted, t.Request.Target, d.Target}
	all, total, err := t.versions(ctx, limit, always)
	if err != nil {
		t.failDoing(nothing, err)
		return
	}
	aliases := t.aliases(ctx)
	if err := t.readStates(ctx, all); err != nil {
		t.failDoing(nothing, err)
		return
	}
	now := t.o.Versions[t.o.Alias.Version].Settings
	for _, v := range all {
		t.result.Versions = append(t.result.Versions, t.listed(v, d, now, aliases))
	}
	t.result.Status, t.result.VersionsInAll = report.Listed, total
	t.result.Message = t.listMessage(d, total)
}

// propose decides where a rollback would go now.
func (t *task) propose(ctx context.Context) (Decision, error) {
	if !t.o.Alias.Latest {
		if err := t.readVersions(ctx, t.o.prefetch()); err != nil {
			return Decision{}, err
		}
	}
	d, err := t.decideBy(ctx, decidePreview)
	if t.result.Why = d.Why; err == nil && d.Action == Move {
		t.result.Target = versionText(d.Target)
	}
	return d, err
}

func (t *task) listMessage(d Decision, total int) string {
	text := fmt.Sprintf("%s in %s serves %s, of %d versions; ", t.label(), t.Environment, serving(t.o.Alias), total)
	if total == 1 {
		text = fmt.Sprintf("%s in %s serves %s, the only version; ", t.label(), t.Environment, serving(t.o.Alias))
	}
	if d.Action != Move {
		return text + "a rollback now would find nothing to go to: " + d.Why
	}
	return text + fmt.Sprintf("a rollback now would go to version %d: %s", d.Target, d.Why)
}

// entry is what the listing tells of a version.
type entry struct {
	number      int64
	description string
	sha         string
	version     Version
}

// versions lists page after page, oldest first as Lambda does it, and keeps the
// newest: limit of them, or all (0), and those that are always of interest.
// total is how many there are.
func (t *task) versions(ctx context.Context, limit int, always []int64) (kept []entry, total int, err error) {
	newestFirst := func() {
		slices.SortFunc(kept, func(a, b entry) int { return cmp.Compare(b.number, a.number) })
		if limit > 0 && len(kept) > limit {
			older := slices.DeleteFunc(slices.Clone(kept[limit:]), func(e entry) bool { return !slices.Contains(always, e.number) })
			clear(kept[limit:])
			kept = append(kept[:limit], older...)
		}
	}
	for marker := (*string)(nil); ; {
		out, err := do(ctx, t.caller, "ListVersionsByFunction", func(ctx context.Context) (*lambda.ListVersionsByFunctionOutput, error) {
			return t.api.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{
				FunctionName: &t.function, MaxItems: aws.Int32(pageSize), Marker: marker,
			}, unretried)
		})
		if err != nil {
			return nil, 0, explain(err, "ListVersionsByFunction", t.function)
		}
		for _, c := range out.Versions {
			n, err := parseNumber(aws.ToString(c.Version))
			if err != nil {
				continue // $LATEST
			}
			total++
			kept = append(kept, entryOf(n, c))
		}
		newestFirst()
		if marker = out.NextMarker; aws.ToString(marker) == "" {
			return kept, total, nil
		}
	}
}

func entryOf(n int64, c types.FunctionConfiguration) entry {
	return entry{
		number: n, description: aws.ToString(c.Description), sha: aws.ToString(c.CodeSha256),
		version: Version{Exists: true, LastModified: parseModified(c.LastModified), Settings: settingsOf(configurationOf(c))},
	}
}

// configurationOf gives an entry of the listing the form of a single answer.
func configurationOf(c types.FunctionConfiguration) *lambda.GetFunctionConfigurationOutput {
	return &lambda.GetFunctionConfigurationOutput{
		CodeSha256: c.CodeSha256, Runtime: c.Runtime, Handler: c.Handler, MemorySize: c.MemorySize, Timeout: c.Timeout,
		PackageType: c.PackageType, Architectures: c.Architectures, Layers: c.Layers, Role: c.Role,
		EphemeralStorage: c.EphemeralStorage, Environment: c.Environment, LoggingConfig: c.LoggingConfig,
	}
}

// readStates completes the newest of the listed versions, and those that were
// read before.
func (t *task) readStates(ctx context.Context, all []entry) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i := range all {
		if known, looked := t.o.Versions[all[i].number]; looked && known.Read {
			all[i].version = known
			continue
		}
		if i >= statesRead {
			continue
		}
		g.Go(func() error {
			v, err := t.readVersion(ctx, all[i].number)
			if err == nil && v.Exists { // else it was deleted since it was listed
				all[i].version = v
			}
			return err
		})
	}
	return g.Wait()
}

// aliases tells for each version which aliases send traffic to it. Where they
// cannot be listed, the two that this program knows of remain.
func (t *task) aliases(ctx context.Context) map[int64][]string {
	own := map[int64][]string{}
	add := func(to map[int64][]string, name string, versions ...int64) {
		for _, v := range versions {
			if v != 0 {
				to[v] = append(to[v], name)
			}
		}
	}
	add(own, t.alias, t.o.Alias.Version, t.o.Alias.Weighted)
	if t.o.Memory.Exists {
		add(own, t.memoryName(), t.o.Memory.Version)
	}
	lister, can := t.Lambda.(AliasLister)
	if !can {
		return own
	}
	all := map[int64][]string{}
	marker := (*string)(nil)
	for range aliasPages {
		out, err := do(ctx, t.caller, "ListAliases", func(ctx context.Context) (*lambda.ListAliasesOutput, error) {
			return lister.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: &t.function, MaxItems: aws.Int32(pageSize), Marker: marker}, unretried)
		})
		if err != nil {
			note := report.Note{Warning: httpStatus(err) != http.StatusForbidden, Text: fmt.Sprintf(
				"which other aliases serve a version is not shown: %s", explain(err, "ListAliases", t.function))}
			t.notes = append(t.notes, note)
			return own
		}
		for _, a := range out.Aliases {
			if at, err := aliasFrom(a.FunctionVersion, a.RoutingConfig); err == nil {
				add(all, aws.ToString(a.Name), at.Version, at.Weighted)
			}
		}
		if marker = out.NextMarker; aws.ToString(marker) == "" {
			return all
		}
	}
	t.notes = append(t.notes, report.Note{Text: fmt.Sprintf("there are more than %d aliases; not all are shown", aliasPages*pageSize)})
	return all
}

func (t *task) listed(e entry, d Decision, now Settings, aliases map[int64][]string) report.Version {
	v := report.Version{
		Function: t.Name, Region: t.Region, Alias: t.alias,
		Version: versionText(e.number), Published: e.version.LastModified,
		Description: e.description, CodeSHA256: e.sha,
		State: e.version.State, StateReason: strings.Trim(stateReason(e.version), " ()"),
		Aliases: append([]string{}, aliases[e.number]...),
		Serving: t.o.Alias.Serves(e.number),
		Target:  d.Action == Move && d.Target == e.number,
	}
	if r, rejected := t.o.Memory.Rejected.Find(e.number); rejected {
		v.Rejected = true
		if r.Run != 0 {
			v.RejectedBy = versionText(r.Run)
		}
	}
	if !t.o.Alias.Latest { // what serves there changes under its name
		v.Changes = append([]report.Change{}, changes(now, e.version.Settings)...)
	}
	return v
}
