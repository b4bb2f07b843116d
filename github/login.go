package github

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// actionsLogin is the login of a job's own token.
const actionsLogin = "github-actions[bot]"

// login returns the login under which the token writes. It distinguishes this
// program's comments from a stranger's with the same mark. The REST API returns the
// login only of people (GET /user); GraphQL also returns that of the job's token and
// of apps. If the login cannot be read, the token is assumed to be the job's own.
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

// graphQL returns the URL of the GraphQL API for that of the REST API:
// https://api.github.com/graphql, or on GitHub Enterprise Server
// https://HOST/api/graphql for https://HOST/api/v3.
func graphQL(base url.URL) string {
	base.Path = strings.TrimSuffix(strings.TrimSuffix(base.Path, "/"), "/v3") + "/graphql"
	return base.String()
}
