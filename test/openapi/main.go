// Command openapi cuts out of GitHub's own description of its API what the tests
// need: the operations that this program calls, and what these refer to. It reads
// the whole description from standard input and writes the extract to standard
// output:
//
//	go run ./test/openapi <api.github.com.json >github/testdata/openapi/github.json
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// operations are all that the program calls, by path and methods.
var operations = map[string][]string{
	"/repos/{owner}/{repo}/actions/runs/{run_id}":                                {"get"},
	"/repos/{owner}/{repo}/actions/runs/{run_id}/jobs":                           {"get"},
	"/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs": {"get"},
	"/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs":                 {"get"},
	"/repos/{owner}/{repo}/deployments":                                          {"get", "post"},
	"/repos/{owner}/{repo}/deployments/{deployment_id}/statuses":                 {"get", "post"},
	"/repos/{owner}/{repo}/commits/{commit_sha}/pulls":                           {"get"},
	"/repos/{owner}/{repo}/issues":                                               {"get", "post"},
	"/repos/{owner}/{repo}/issues/{issue_number}/comments":                       {"get", "post"},
	"/repos/{owner}/{repo}/issues/comments/{comment_id}":                         {"patch"},
}

func main() {
	if err := extract(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "failed to cut out the operations: %v\n", err)
		os.Exit(1)
	}
}

type object = map[string]any

func extract(from io.Reader, to io.Writer) error {
	var whole object
	decoder := json.NewDecoder(from)
	decoder.UseNumber()
	if err := decoder.Decode(&whole); err != nil {
		return fmt.Errorf("standard input is no JSON: %w", err)
	}
	c := cutter{whole: whole, out: object{
		"openapi": whole["openapi"], "info": whole["info"], "servers": whole["servers"], "paths": object{}, "components": object{},
	}}
	for path, methods := range operations {
		for _, method := range methods {
			if err := c.operation(path, method); err != nil {
				return err
			}
		}
	}
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(c.out)
}

type cutter struct {
	whole, out object
}

func (c *cutter) operation(path, method string) error {
	found, err := at(c.whole, []string{"paths", path, method})
	if err != nil {
		return err
	}
	paths := c.out["paths"].(object)
	if paths[path] == nil {
		paths[path] = object{}
	}
	lean := withoutProse(found)
	paths[path].(object)[method] = lean
	return c.follow(lean)
}

// follow takes over what a part refers to.
func (c *cutter) follow(part any) error {
	switch part := part.(type) {
	case []any:
		for _, item := range part {
			if err := c.follow(item); err != nil {
				return err
			}
		}
	case object:
		if ref, is := part["$ref"].(string); is {
			return c.reference(ref)
		}
		for _, item := range part {
			if err := c.follow(item); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *cutter) reference(ref string) error {
	steps := strings.Split(strings.TrimPrefix(ref, "#/components/"), "/")
	if len(steps) != 2 {
		return fmt.Errorf("%q leads to no component", ref)
	}
	components := c.out["components"].(object)
	if components[steps[0]] == nil {
		components[steps[0]] = object{}
	}
	kind := components[steps[0]].(object)
	if kind[steps[1]] != nil {
		return nil
	}
	found, err := at(c.whole, []string{"components", steps[0], steps[1]})
	if err != nil {
		return err
	}
	kind[steps[1]] = withoutProse(found)
	return c.follow(kind[steps[1]])
}

var errMissing = errors.New("the description does not have it")

func at(from any, steps []string) (any, error) {
	for _, step := range steps {
		next, is := from.(object)
		if !is || next[step] == nil {
			return nil, fmt.Errorf("%s: %w", strings.Join(steps, " "), errMissing)
		}
		from = next[step]
	}
	return from, nil
}

// prose is what is for people, and most of the whole.
var prose = []string{"description", "summary", "example", "examples", "externalDocs", "x-github", "x-octokit", "tags", "title"}

// withoutProse copies a part. A response must have a description, which becomes
// empty; the names of properties are no prose.
func withoutProse(part any) any {
	switch part := part.(type) {
	case []any:
		out := make([]any, len(part))
		for i, item := range part {
			out[i] = withoutProse(item)
		}
		return out
	case object:
		out := object{}
		for key, item := range part {
			names, isObject := item.(object)
			switch {
			case key == "properties" && isObject:
				kept := object{}
				for name, property := range names {
					kept[name] = withoutProse(property)
				}
				out[key] = kept
			case key == "description" && part["content"] != nil:
				out[key] = ""
			case !slices.Contains(prose, key):
				out[key] = withoutProse(item)
			}
		}
		return out
	}
	return part
}
