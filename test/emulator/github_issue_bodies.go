package emulator

import (
	"fmt"
	"strings"
	"time"
)

// issueBody is an issue on the wire. A pull request is one that says so.
func (x *exchange) issueBody(issue *Issue) map[string]any {
	base := x.e.GitHubURL + "/repos/" + x.call.Function
	url := fmt.Sprintf("%s/issues/%d", base, issue.Number)
	labels := []map[string]any{}
	for i, label := range issue.Labels {
		labels = append(labels, map[string]any{
			"id": i + 1, "node_id": fmt.Sprintf("LA_%d", i+1), "url": base + "/labels/" + label,
			"name": label, "description": nil, "color": "ededed", "default": false,
		})
	}
	body := map[string]any{
		"id": 7_000_000 + issue.Number, "node_id": fmt.Sprintf("I_%d", issue.Number), "number": issue.Number,
		"title": issue.Title, "body": issue.Body, "user": x.userBody(issue.Author), "labels": labels, "state": issue.State,
		"locked": issue.Locked, "assignee": nil, "assignees": []any{}, "milestone": nil, "comments": len(issue.Comments),
		"created_at": moment(issue.CreatedAt), "updated_at": moment(issue.UpdatedAt), "closed_at": nil,
		"url": url, "repository_url": base, "html_url": fmt.Sprintf("https://github.com/%s/issues/%d", x.call.Function, issue.Number),
		"comments_url": url + "/comments", "events_url": url + "/events", "labels_url": url + "/labels{/name}",
		"author_association": "CONTRIBUTOR",
	}
	if issue.Pull != nil {
		pull := fmt.Sprintf("%s/pulls/%d", base, issue.Number)
		page := fmt.Sprintf("https://github.com/%s/pull/%d", x.call.Function, issue.Number)
		body["pull_request"] = map[string]any{"url": pull, "html_url": page, "diff_url": page + ".diff", "patch_url": page + ".patch"}
	}
	return body
}

func (x *exchange) commentBody(issue *Issue, c *Comment) map[string]any {
	base := x.e.GitHubURL + "/repos/" + x.call.Function
	return map[string]any{
		"id": c.ID, "node_id": fmt.Sprintf("IC_%d", c.ID), "body": c.Body, "user": x.userBody(c.Author),
		"created_at": moment(c.CreatedAt), "updated_at": moment(c.UpdatedAt), "author_association": "NONE",
		"url":       fmt.Sprintf("%s/issues/comments/%d", base, c.ID),
		"issue_url": fmt.Sprintf("%s/issues/%d", base, issue.Number),
		"html_url":  fmt.Sprintf("https://github.com/%s/issues/%d#issuecomment-%d", x.call.Function, issue.Number, c.ID),
	}
}

// pullBody is a pull request as lists have it.
func (x *exchange) pullBody(issue *Issue) map[string]any {
	pull := issue.Pull
	base := x.e.GitHubURL + "/repos/" + x.call.Function
	url := fmt.Sprintf("%s/pulls/%d", base, issue.Number)
	ofIssue := fmt.Sprintf("%s/issues/%d", base, issue.Number)
	page := fmt.Sprintf("https://github.com/%s/pull/%d", x.call.Function, issue.Number)
	side := func(branch, sha string) map[string]any {
		return map[string]any{
			"label": "org:" + branch, "ref": branch, "sha": sha,
			"user": x.userBody("octocat"), "repo": x.wholeRepository(x.call.Function),
		}
	}
	head := pull.Merge
	if len(pull.Commits) > 0 {
		head = pull.Commits[len(pull.Commits)-1]
	}
	state := "open"
	if pull.Merge != "" {
		state = "closed"
	}
	body := map[string]any{
		"id": 8_000_000 + issue.Number, "node_id": fmt.Sprintf("PR_%d", issue.Number), "number": issue.Number,
		"title": issue.Title, "body": issue.Body, "user": x.userBody(issue.Author), "labels": []any{}, "state": state,
		"locked": issue.Locked, "assignee": nil, "milestone": nil, "auto_merge": nil, "draft": false, "author_association": "MEMBER",
		"created_at": moment(issue.CreatedAt), "updated_at": moment(issue.UpdatedAt),
		"closed_at": maybeMoment(pull.MergedAt), "merged_at": maybeMoment(pull.MergedAt), "merge_commit_sha": maybe(pull.Merge),
		"head": side("feature", head), "base": side(pull.Base, strings.Repeat("b", 40)),
		"url": url, "html_url": page, "diff_url": page + ".diff", "patch_url": page + ".patch", "issue_url": ofIssue,
		"commits_url": url + "/commits", "comments_url": ofIssue + "/comments", "statuses_url": base + "/statuses/" + head,
		"review_comments_url": url + "/comments", "review_comment_url": base + "/pulls/comments{/number}",
	}
	links := map[string]any{}
	for name, href := range map[string]string{
		"self": url, "html": page, "issue": ofIssue, "comments": ofIssue + "/comments", "commits": url + "/commits",
		"statuses": base + "/statuses/" + head, "review_comments": url + "/comments", "review_comment": base + "/pulls/comments{/number}",
	} {
		links[name] = map[string]any{"href": href}
	}
	body["_links"] = links
	return body
}

// repositoryURLs are what a repository's addresses are called, and where they are
// below it.
var repositoryURLs = map[string]string{
	"archive": "/{archive_format}{/ref}", "assignees": "/assignees{/user}", "blobs": "/git/blobs{/sha}", "branches": "/branches{/branch}",
	"collaborators": "/collaborators{/collaborator}", "comments": "/comments{/number}", "commits": "/commits{/sha}",
	"compare": "/compare/{base}...{head}", "contents": "/contents/{+path}", "contributors": "/contributors", "deployments": "/deployments",
	"downloads": "/downloads", "events": "/events", "forks": "/forks", "git_commits": "/git/commits{/sha}", "git_refs": "/git/refs{/sha}",
	"git_tags": "/git/tags{/sha}", "hooks": "/hooks", "issue_comment": "/issues/comments{/number}", "issue_events": "/issues/events{/number}",
	"issues": "/issues{/number}", "keys": "/keys{/key_id}", "labels": "/labels{/name}", "languages": "/languages", "merges": "/merges",
	"milestones": "/milestones{/number}", "notifications": "/notifications{?since,all,participating}", "pulls": "/pulls{/number}",
	"releases": "/releases{/id}", "stargazers": "/stargazers", "statuses": "/statuses/{sha}", "subscribers": "/subscribers",
	"subscription": "/subscription", "tags": "/tags", "teams": "/teams", "trees": "/git/trees{/sha}",
}

// wholeRepository is a repository with everything that GitHub says of one, a
// custom property with several values included: go-github cannot hold that.
func (x *exchange) wholeRepository(name string) map[string]any {
	owner, short, _ := strings.Cut(name, "/")
	url := x.e.GitHubURL + "/repos/" + name
	page := "https://github.com/" + name
	then := moment(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	body := map[string]any{
		"id": 1, "node_id": "R_1", "name": short, "full_name": name, "owner": x.userBody(owner), "private": true, "fork": false,
		"html_url": page, "url": url, "clone_url": page + ".git", "git_url": "git://github.com/" + name + ".git", "ssh_url": "git@github.com:" + name + ".git",
		"svn_url": page, "mirror_url": nil, "homepage": nil, "description": nil, "language": "Go", "license": nil, "size": 1,
		"default_branch": "main", "archived": false, "disabled": false, "visibility": "private", "is_template": false, "topics": []string{},
		"has_issues": true, "has_projects": true, "has_wiki": true, "has_pages": false, "has_downloads": true, "has_discussions": false,
		"forks": 0, "forks_count": 0, "open_issues": 0, "open_issues_count": 0, "watchers": 0, "watchers_count": 0, "stargazers_count": 0,
		"created_at": then, "updated_at": then, "pushed_at": then, "custom_properties": map[string]any{"tier": []string{"a", "b"}},
	}
	for what, path := range repositoryURLs {
		body[what+"_url"] = url + path
	}
	return body
}
