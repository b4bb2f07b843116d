package emulator

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

const (
	headsPrefix = "refs/heads/"
	tagsPrefix  = "refs/tags/"
)

// AddRef lets a branch or tag of a repository (owner/name), by its full name, stand on
// the last of some commits, each of which is the parent of the next.
func (g *GitHub) AddRef(repository, ref string, commits ...string) {
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	repo := g.repo(repository)
	if repo.refs == nil {
		repo.refs, repo.parents = map[string]string{}, map[string]string{}
	}
	for i, commit := range commits {
		if i > 0 {
			repo.parents[commit] = commits[i-1]
		}
		repo.refs[ref] = commit
	}
}

// SetMessage gives a commit of a repository (owner/name) a message.
func (g *GitHub) SetMessage(repository, commit, message string) {
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	repo := g.repo(repository)
	if repo.messages == nil {
		repo.messages = map[string]string{}
	}
	repo.messages[commit] = message
}

// refs answers what is asked of branches, tags and commits.
// https://docs.github.com/en/rest/git/refs, https://docs.github.com/en/rest/commits/commits
func (x *exchange) refs(repo *repoState) answer {
	names := slices.Sorted(maps.Keys(repo.refs))
	switch x.call.Operation {
	case "GetRef":
		ref := "refs/" + x.call.Qualifier
		sha, exists := repo.refs[ref]
		if !exists {
			return x.failGitHub(http.StatusNotFound, "Not Found")
		}
		return x.ok(http.StatusOK, map[string]any{"ref": ref, "object": map[string]any{"type": "commit", "sha": sha}})
	case "ListBranchesHeadCommit":
		return x.named(repo, names, headsPrefix, func(ref string) bool { return repo.refs[ref] == x.call.Qualifier })
	case "ListTags":
		return x.named(repo, names, tagsPrefix, func(string) bool { return true })
	case "ListBranches":
		return x.named(repo, names, headsPrefix, func(string) bool { return true })
	default:
		return x.compare(repo)
	}
}

// named lists the refs of a kind, as GitHub does: without what their names begin with.
func (x *exchange) named(repo *repoState, refs []string, prefix string, keep func(string) bool) answer {
	bodies := []map[string]any{}
	for _, ref := range refs {
		if name, is := strings.CutPrefix(ref, prefix); is && keep(ref) {
			bodies = append(bodies, map[string]any{"name": name, "commit": map[string]any{"sha": repo.refs[ref]}})
		}
	}
	items, link := paged(x, bodies)
	return x.linked(items, link)
}

// hasCommit reports whether a commit was added with a branch or tag.
func (r *repoState) hasCommit(sha string) bool {
	for child, parent := range r.parents {
		if sha == child || sha == parent {
			return true
		}
	}
	return slices.Contains(slices.Collect(maps.Values(r.refs)), sha)
}

// compare tells how the second of two commits lies to the first, either of which can
// be the name of a branch.
func (x *exchange) compare(repo *repoState) answer {
	base, head, _ := strings.Cut(x.call.Qualifier, "...")
	commit := func(name string) string {
		if sha := repo.refs[headsPrefix+name]; sha != "" {
			return sha
		}
		return name
	}
	has := func(descendant, ancestor string) bool {
		for ; descendant != ""; descendant = repo.parents[descendant] {
			if descendant == ancestor {
				return true
			}
		}
		return false
	}
	from, to := commit(base), commit(head)
	status := "diverged"
	switch {
	case from == to:
		status = "identical"
	case has(from, to):
		status = "behind"
	case has(to, from):
		status = "ahead"
	case !repo.hasCommit(from) || !repo.hasCommit(to):
		return x.failGitHub(http.StatusNotFound, "Not Found")
	}
	bodies := []map[string]any{}
	if status == "ahead" {
		for commit := to; commit != from; commit = repo.parents[commit] {
			bodies = append(bodies, map[string]any{"sha": commit, "commit": map[string]any{"message": repo.messages[commit]}})
		}
		slices.Reverse(bodies)
	}
	total := len(bodies)
	commits, link := paged(x, bodies)
	return x.linked(map[string]any{"status": status, "total_commits": total, "ahead_by": total, "commits": commits}, link)
}
