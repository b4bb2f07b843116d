package emulator

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// aliasBody is what CreateAlias and UpdateAlias take. Nil means "not said":
// what is not said stays as it is.
type aliasBody struct {
	Name            string
	FunctionVersion *string
	Description     *string
	RevisionId      string
	RoutingConfig   *struct {
		AdditionalVersionWeights map[string]float64
	}
}

// aliasAnswer is an AliasConfiguration on the wire.
type aliasAnswer struct {
	AliasArn        string
	Description     string
	FunctionVersion string
	Name            string
	RevisionId      string
	RoutingConfig   *routingAnswer `json:",omitempty"`
}

type routingAnswer struct{ AdditionalVersionWeights map[string]float64 }

func (f *Function) aliasAnswer(a *alias, weights map[string]float64) aliasAnswer {
	body := aliasAnswer{
		AliasArn: functionARN(f.region, f.name, a.name), Name: a.name,
		Description: a.now.Description, FunctionVersion: a.now.Version, RevisionId: a.now.RevisionID,
	}
	if len(weights) > 0 {
		body.RoutingConfig = &routingAnswer{AdditionalVersionWeights: maps.Clone(weights)}
	}
	return body
}

// notAllDigits with aliasName is AWS's (?!^[0-9]+$)([a-zA-Z0-9-_]+).
var (
	aliasName     = regexp.MustCompile(`^[a-zA-Z0-9-_]+$`)
	versionNumber = regexp.MustCompile(`^[0-9]+$`)
	versionName   = regexp.MustCompile(`^(\$LATEST|[0-9]+)$`)
)

// check refuses what breaks the form of a field, before anything is looked up.
func (b *aliasBody) check() *refusal {
	switch {
	case len(b.Name) < 1 || len(b.Name) > 128:
		return violation(b.Name, "name", "Member must have length less than or equal to 128")
	case !aliasName.MatchString(b.Name) || versionNumber.MatchString(b.Name):
		return violation(b.Name, "name", "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")
	case b.Description != nil && len([]rune(*b.Description)) > 256:
		return violation(*b.Description, "description", "Member must have length less than or equal to 256")
	case b.FunctionVersion != nil && !versionName.MatchString(*b.FunctionVersion):
		return violation(*b.FunctionVersion, "functionVersion", "Member must satisfy regular expression pattern: (\\$LATEST|[0-9]+)")
	}
	if b.RoutingConfig == nil {
		return nil
	}
	weights := b.RoutingConfig.AdditionalVersionWeights
	const field = "routingConfig.additionalVersionWeights"
	for version, weight := range weights {
		if !versionNumber.MatchString(version) {
			return violation(weightsText(weights), field, "Map keys must satisfy constraint: "+
				"[Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, "+
				"Member must satisfy regular expression pattern: [0-9]+]")
		}
		if weight < 0 || weight > 1 {
			return violation(weightsText(weights), field, "Map value must satisfy constraint: "+
				"[Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]")
		}
	}
	return nil
}

// weightsText writes weights as AWS's errors do: {2=2.0}.
func weightsText(weights map[string]float64) string {
	var entries []string
	for _, version := range slices.Sorted(maps.Keys(weights)) {
		number := strconv.FormatFloat(weights[version], 'f', -1, 64)
		if !strings.Contains(number, ".") {
			number += ".0"
		}
		entries = append(entries, version+"="+number)
	}
	return "{" + strings.Join(entries, ", ") + "}"
}

// checkTargets refuses versions that an alias cannot point at together.
func (f *Function) checkTargets(version string, weights map[string]float64) *refusal {
	if len(weights) > 1 {
		return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	if len(weights) > 0 && version == "$LATEST" {
		r := invalid("$LATEST is not supported for an alias pointing to more than 1 version")
		r.untyped = true
		return r
	}
	if _, twice := weights[version]; twice {
		return invalid("Invalid function version %s. Function version %s is already included in routing configuration.", version, version)
	}
	main, r := f.target(version)
	if r != nil {
		return r
	}
	for weighted := range weights {
		other, r := f.target(weighted)
		if r != nil {
			return r
		}
		if other.Role != main.Role || other.DeadLetterQueue != main.DeadLetterQueue {
			return invalid("Versions %s and %s must have the same execution role and dead-letter queue to share an alias.", version, weighted)
		}
	}
	return nil
}

// target finds a version by number or $LATEST; aliases are no targets.
func (f *Function) target(version string) (*Version, *refusal) {
	if version == "$LATEST" {
		return f.latest, nil
	}
	if number, err := strconv.ParseInt(version, 10, 64); err == nil {
		if v := f.version(number); v != nil {
			return v, nil
		}
	}
	return nil, notFound("Function not found: %s", functionARN(f.region, f.name, version))
}

func (x *exchange) getAlias(f *Function) answer {
	a := f.aliases[x.call.Qualifier]
	if a == nil {
		return x.refuse(notFound("Cannot find alias arn: %s", functionARN(f.region, f.name, x.call.Qualifier)))
	}
	return x.ok(http.StatusOK, f.aliasAnswer(a, a.read()))
}

// listAliases gives a page of the aliases by name, of one version where
// FunctionVersion says so.
func (x *exchange) listAliases(f *Function) answer {
	version := x.query.Get("FunctionVersion")
	var all []*alias
	for _, name := range slices.Sorted(maps.Keys(f.aliases)) {
		if a := f.aliases[name]; version == "" || a.leadsTo(version) {
			all = append(all, a)
		}
	}
	aliases, next, r := page(x, all)
	if r != nil {
		return x.refuse(r)
	}
	body := struct {
		Aliases    []aliasAnswer
		NextMarker *string `json:",omitempty"`
	}{NextMarker: next, Aliases: make([]aliasAnswer, 0, len(aliases))}
	for _, a := range aliases {
		body.Aliases = append(body.Aliases, f.aliasAnswer(a, a.shown()))
	}
	return x.ok(http.StatusOK, body)
}

func (x *exchange) createAlias(f *Function) answer {
	var body aliasBody
	if r := x.decode(&body); r != nil {
		return x.refuse(r)
	}
	if body.FunctionVersion == nil {
		missing := ""
		body.FunctionVersion = &missing
	}
	if r := body.check(); r != nil {
		return x.refuse(r)
	}
	if f.aliases[body.Name] != nil {
		return x.refuse(conflict("Alias already exists: %s", functionARN(f.region, f.name, body.Name)))
	}
	next := body.over(AliasState{})
	if r := f.checkTargets(next.Version, next.Weights); r != nil {
		return x.refuse(r)
	}
	a := &alias{name: body.Name, history: f.past(body.Name)}
	f.aliases[a.name] = a
	a.set(x.stamp(next))
	return x.ok(http.StatusCreated, f.aliasAnswer(a, a.shown()))
}

func (x *exchange) updateAlias(f *Function) answer {
	var body aliasBody
	if r := x.decode(&body); r != nil {
		return x.refuse(r)
	}
	body.Name = x.call.Qualifier
	if r := body.check(); r != nil {
		return x.refuse(r)
	}
	a := f.aliases[body.Name]
	if a == nil {
		return x.refuse(notFound("Alias not found: %s", functionARN(f.region, f.name, body.Name)))
	}
	if body.RevisionId != "" && body.RevisionId != a.now.RevisionID {
		return x.refuse(staleRevision())
	}
	next := body.over(a.now)
	if r := f.checkTargets(next.Version, next.Weights); r != nil {
		return x.refuse(r)
	}
	from := a.now.Version
	a.set(x.stamp(next))
	if from != next.Version {
		a.shift = x.shift
		if a.shift != nil {
			a.shift.from = from
		}
		f.moved(a.name)
	}
	return x.ok(http.StatusOK, f.aliasAnswer(a, a.shown()))
}

func (x *exchange) deleteAlias(f *Function) answer {
	if a := f.aliases[x.call.Qualifier]; a != nil {
		last := x.stamp(a.now)
		last.Deleted = true
		f.buried[a.name] = append(a.history, last)
		delete(f.aliases, a.name)
		delete(f.provisioned, a.name)
	}
	return x.ok(http.StatusNoContent, nil)
}

// over is a state with everything the request said written over it. An empty
// map of weights clears them; a RoutingConfig left out leaves them.
func (b *aliasBody) over(state AliasState) AliasState {
	set(&state.Version, b.FunctionVersion)
	set(&state.Description, b.Description)
	if b.RoutingConfig != nil {
		state.Weights = b.RoutingConfig.AdditionalVersionWeights
	}
	return state
}

// stamp notes who made the state, when and by which call.
func (x *exchange) stamp(state AliasState) AliasState {
	state.At, state.Cause = x.e.now(), x.call.Operation
	state.Actor, state.RequestID = x.call.Actor, x.call.RequestID
	return state
}
