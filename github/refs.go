package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"
)

const (
	// refLimit is the time limit for finding out what a name or a commit is.
	refLimit = 4 * time.Second
	// maxCompared is the maximum number of branches with which a commit is compared.
	maxCompared = 5

	contentsRead = "contents: read"
)

// ResolveRef asks GitHub what a name or a commit is. It never fails: if this is not
// known, the answer says why. A nil API is allowed.
func (a *API) ResolveRef(ctx context.Context, q RefQuestion) RefAnswer {
	if a == nil {
		return RefAnswer{Problem: "GitHub's API cannot be called"}
	}
	ctx, cancel := context.WithTimeout(ctx, refLimit)
	defer cancel()
	finder := refFinder{api: a}
	var refs []string
	var err error
	if q.Commit != "" {
		refs, err = finder.ofCommit(ctx, q.Commit, q.Patterns)
	} else {
		refs, err = finder.ofName(ctx, q.Name, q.SHA)
	}
	if err != nil {
		return RefAnswer{Problem: "the lookup with GitHub's API failed: " + causeOf(err, contentsRead)}
	}
	if len(refs) == 0 && q.Commit == "" {
		return RefAnswer{Problem: "GitHub no longer has a branch or a tag with that name"}
	}
	return RefAnswer{Refs: refs}
}

// refFinder finds branches and tags.
type refFinder struct{ api *API }

// ofName returns the branch and the tag with a name, as far as they exist. If only
// one of them points at the commit, it returns that one.
func (f refFinder) ofName(ctx context.Context, name, sha string) ([]string, error) {
	var all, there []string
	for _, prefix := range []string{branchPrefix, tagPrefix} {
		var ref gh.Reference
		err := f.getOrNone(ctx, "git/ref/"+escapedPath(strings.TrimPrefix(prefix, "refs/")+name), nil, &ref)
		if err != nil {
			return nil, err
		}
		if ref.GetRef() != prefix+name {
			continue
		}
		all = append(all, prefix+name)
		commit, err := f.commitOf(ctx, ref.GetObject())
		if err != nil {
			return nil, err
		}
		if sha != "" && commit == sha {
			there = append(there, prefix+name)
		}
	}
	if len(there) == 1 {
		return there, nil
	}
	return all, nil
}

// commitOf returns the commit that a ref points at: an annotated tag is an object of its
// own, which points at the commit.
func (f refFinder) commitOf(ctx context.Context, object *gh.GitObject) (string, error) {
	if object.GetType() != "tag" {
		return object.GetSHA(), nil
	}
	var tag gh.Tag
	err := f.getOrNone(ctx, "git/tags/"+object.GetSHA(), nil, &tag)
	return tag.GetObject().GetSHA(), err
}

// ofCommit returns the branches and tags that match the patterns and point at the
// commit. If there are none, it returns a matching branch that has the commit in its
// history.
func (f refFinder) ofCommit(ctx context.Context, sha string, patterns []string) ([]string, error) {
	var refs []string
	var heads []*gh.BranchCommit
	if err := f.getOrNone(ctx, "commits/"+sha+"/branches-where-head", nil, &heads); err != nil {
		return nil, err
	}
	for _, head := range heads {
		refs = append(refs, branchPrefix+head.GetName())
	}
	if slices.ContainsFunc(patterns, func(p string) bool { return strings.HasPrefix(p, tagPrefix) }) {
		var tags []*gh.RepositoryTag
		if err := f.getOrNone(ctx, "tags", paged(nil, 1), &tags); err != nil {
			return nil, err
		}
		for _, tag := range tags {
			if tag.GetCommit().GetSHA() == sha {
				refs = append(refs, tagPrefix+tag.GetName())
			}
		}
	}
	refs = slices.DeleteFunc(refs, func(ref string) bool { return !MatchRef(patterns, ref) })
	if len(refs) > 0 {
		return refs, nil
	}
	branches, err := f.matching(ctx, patterns)
	if err != nil {
		return nil, err
	}
	for _, branch := range branches[:min(len(branches), maxCompared)] {
		var compared gh.CommitsComparison
		path := "compare/" + url.PathEscape(branch) + "..." + sha
		if err := f.getOrNone(ctx, path, url.Values{"per_page": {"1"}}, &compared); err != nil {
			return nil, err
		}
		if status := compared.GetStatus(); status == "behind" || status == "identical" {
			return []string{branchPrefix + branch}, nil
		}
	}
	if len(branches) > maxCompared {
		return nil, fmt.Errorf("%w: more than %d branches match", errTooMuch, maxCompared)
	}
	return nil, nil
}

// matching returns the branches that the patterns name, and from the first page of
// all branches those that the patterns match.
func (f refFinder) matching(ctx context.Context, patterns []string) ([]string, error) {
	var names []string
	wildcards := false
	for _, pattern := range patterns {
		switch {
		case strings.HasPrefix(pattern, tagPrefix):
		case strings.Contains(pattern, "*"):
			wildcards = true
		default:
			names = append(names, pattern)
		}
	}
	if !wildcards {
		return names, nil
	}
	var all []*gh.Branch
	if err := f.getOrNone(ctx, "branches", paged(nil, 1), &all); err != nil {
		return nil, err
	}
	for _, branch := range all {
		if name := branch.GetName(); MatchBranch(patterns, name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// getOrNone is like API.get, but a missing object is not an error.
func (f refFinder) getOrNone(ctx context.Context, path string, query url.Values, into any) error {
	_, err := f.api.get(ctx, path, query, into)
	if answer, is := errors.AsType[*gh.ErrorResponse](err); is && answer.Response != nil && answer.Response.StatusCode == http.StatusNotFound {
		return nil
	}
	return err
}

// escapedPath escapes everything except the slashes.
func escapedPath(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}
