package github

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// actionsLogin is who speaks by a job's own token.
const actionsLogin = "github-actions[bot]"

// login is the login under which the token writes, which is how own comments are
// distinguished from a stranger's with the same mark. The REST API gives it only to
// persons (GET /user); GraphQL gives it to the job's token and to apps as well.
// Where it is not given, it is taken to be the job's own token.
func (a *API) login(ctx context.Context) string {
	if a.token == "" {
		return actionsLogin
	}
	var answer struct {
		Data struct {
			Viewer struct {
				Login string `json:"login"`
			} `json:"viewer"`
		} `json:"data"`
	}
	query := map[string]string{"query": "query { viewer { login } }"}
	if err := a.call(ctx, http.MethodPost, graphQL(*a.client.BaseURL), query, &answer); err != nil || answer.Data.Viewer.Login == "" {
		return actionsLogin
	}
	return answer.Data.Viewer.Login
}

// graphQL makes the address of the GraphQL API from that of the REST API: https://api.github.com/graphql, and
// https://HOST/api/graphql beside https://HOST/api/v3 on an enterprise server.
func graphQL(base url.URL) string {
	base.Path = strings.TrimSuffix(strings.TrimSuffix(base.Path, "/"), "/v3") + "/graphql"
	return base.String()
}
