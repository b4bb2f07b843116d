package alias

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"golang.org/x/sync/errgroup"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// aliasLister is the part of the Lambda API that only a list needs. Without it, the
// list does not show the other aliases of a version.
type aliasLister interface {
	ListAliases(context.Context, *lambda.ListAliasesInput, ...func(*lambda.Options)) (*lambda.ListAliasesOutput, error)
}

const (
	// statesRead is how many versions have their state read: Lambda's list does not
	// contain it, and each one takes a call.
	statesRead = 50
	// aliasPages limits the calls for aliases; each returns 50.
	aliasPages = 40
)

// List returns the versions of every function, newest first, at most limit for each
// function, or all if limit is 0. It changes nothing. The version that a rollback
// would choose now is marked.
func List(ctx context.Context, functions []Function, limit int) []report.Function {
	f := NewFleet(functions)
	each(f.all, func(r *rollback) { lister{r}.list(ctx, limit) })
	return f.Results()
}

// lister lists the versions of one function.
type lister struct{ r *rollback }

func (l lister) list(ctx context.Context, limit int) {
	const nothing = "could not list versions of"
	r := l.r
	if err := r.observer.readAliases(ctx); err != nil {
		r.failDoing(nothing, err)
		return
	}
	r.keepObserved()
	d, err := r.observer.preview(ctx)
	if r.state.why = d.Why; err != nil {
		r.failDoing(nothing, err)
		return
	}
	if d.Action == Move {
		r.state.target = d.Target
	}
	now := r.now().Alias
	all, total, err := l.versions(ctx, limit, []int64{now.Version, now.Weighted, r.now().Request.Target, d.Target})
	if err != nil {
		r.failDoing(nothing, err)
		return
	}
	aliases := l.aliases(ctx)
	if err := l.readStates(ctx, all); err != nil {
		r.failDoing(nothing, err)
		return
	}
	for _, v := range all {
		r.state.versions = append(r.state.versions, l.listed(v, aliases))
	}
	r.state.versionsInAll = total
	r.state.end(report.Listed, "", l.message(d, total))
}

func (l lister) message(d Decision, total int) string {
	count := fmt.Sprintf("of %d versions", total)
	if total == 1 {
		count = "the only version"
	}
	text := fmt.Sprintf("%s serves %s, %s; ", l.r.subject.place(), serving(l.r.now().Alias), count)
	if d.Action != Move {
		return text + "a rollback now would have no version to go back to: " + d.Why
	}
	return text + fmt.Sprintf("a rollback now would go to version %d: %s", d.Target, d.Why)
}

// entry returns what the list shows about a version.
type entry struct {
	number      int64
	description string
	sha         string
	version     Version
}

// versions lists page after page, oldest first as Lambda does, and keeps the newest:
// limit of them, or all if limit is 0, and the versions that are always shown. total
// is the number of versions.
func (l lister) versions(ctx context.Context, limit int, always []int64) (kept []entry, total int, err error) {
	newestFirst := func() {
		slices.SortFunc(kept, func(a, b entry) int { return cmp.Compare(b.number, a.number) })
		if limit > 0 && len(kept) > limit {
			older := slices.DeleteFunc(slices.Clone(kept[limit:]), func(e entry) bool { return !slices.Contains(always, e.number) })
			clear(kept[limit:])
			kept = append(kept[:limit], older...)
		}
	}
	for marker := (*string)(nil); ; {
		out, err := l.r.client.listVersions(ctx, marker, pageSize)
		if err != nil {
			return nil, 0, err
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

// configurationOf converts an entry of the list to the response for a single version.
func configurationOf(c types.FunctionConfiguration) *lambda.GetFunctionConfigurationOutput {
	return &lambda.GetFunctionConfigurationOutput{
		CodeSha256: c.CodeSha256, Runtime: c.Runtime, Handler: c.Handler, MemorySize: c.MemorySize, Timeout: c.Timeout,
		PackageType: c.PackageType, Architectures: c.Architectures, Layers: c.Layers, Role: c.Role,
		EphemeralStorage: c.EphemeralStorage, Environment: c.Environment, LoggingConfig: c.LoggingConfig,
	}
}

// readStates completes the newest of the listed versions, and those that were read
// before.
func (l lister) readStates(ctx context.Context, all []entry) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i := range all {
		if known, looked := l.r.now().Versions[all[i].number]; looked && known.Read {
			all[i].version = known
			continue
		}
		if i >= statesRead {
			continue
		}
		g.Go(func() error {
			v, err := l.r.client.readVersion(ctx, all[i].number)
			if err == nil && v.Exists { // otherwise, it was deleted after it was listed
				all[i].version = v
			}
			return err
		})
	}
	return g.Wait()
}

// aliases returns which aliases send traffic to each version. If they cannot be
// listed, only the two known aliases are included.
func (l lister) aliases(ctx context.Context) map[int64][]string {
	c, o := l.r.client, l.r.now()
	own := map[int64][]string{}
	add := func(to map[int64][]string, name string, versions ...int64) {
		for _, v := range versions {
			if v != 0 {
				to[v] = append(to[v], name)
			}
		}
	}
	add(own, c.alias, o.Alias.Version, o.Alias.Weighted)
	if o.Memory.Exists {
		add(own, c.memoryAlias(), o.Memory.Version)
	}
	lister, can := c.lambda.(aliasLister)
	if !can {
		return own
	}
	all := map[int64][]string{}
	marker := (*string)(nil)
	for range aliasPages {
		out, err := do(ctx, c.caller, "ListAliases", func(ctx context.Context) (*lambda.ListAliasesOutput, error) {
			return lister.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: &c.function, MaxItems: aws.Int32(pageSize), Marker: marker}, unretried)
		})
		if err != nil {
			note := report.Note{Warning: classify(err) != denied, Text: fmt.Sprintf(
				"the other aliases of each version are not shown: %s", explain(err, "ListAliases", c.function))}
			l.r.notes.add(note)
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
	l.r.notes.add(report.Note{Text: fmt.Sprintf("there are more than %d aliases; not all are shown", aliasPages*pageSize)})
	return all
}

func (l lister) listed(e entry, aliases map[int64][]string) report.Version {
	o, subject := l.r.now(), l.r.subject
	v := report.Version{
		Function: subject.name, Region: subject.region, Alias: subject.alias,
		Version: versionText(e.number), Published: e.version.LastModified,
		Description: e.description, CodeSHA256: e.sha,
		State: e.version.State, StateReason: strings.Trim(stateReason(e.version), " ()"),
		Aliases: append([]string{}, aliases[e.number]...),
		Serving: o.Alias.Serves(e.number),
		Target:  l.r.state.target == e.number,
	}
	if r, rejected := o.Memory.Rejected.Find(e.number); rejected {
		v.Rejected, v.RejectedBy = true, versionText(r.Run)
	}
	if !o.Alias.Latest { // the code behind it changes without a new version
		v.Changes = append([]report.Change{}, changes(o.Versions[o.Alias.Version].Settings, e.version.Settings)...)
	}
	return v
}
