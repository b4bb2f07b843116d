package github

import (
	"context"
	"net/http"
	"strings"
)

// actionsLogin is who speaks by a job's own token.
const actionsLogin = "github-actions[bot]"

// login is the login under which the token writes, which is how own comments are
// told from a stranger's with the same mark. The REST API tells it only to
// persons (GET /user); GraphQL tells it to the job's token and to apps as well.
// Where it is not told, it is taken to be the job's own token.
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
	if err := a.call(ctx, http.MethodPost, a.graphQL(), query, &answer); err != nil || answer.Data.Viewer.Login == "" {
		return actionsLogin
	}
	return answer.Data.Viewer.Login
}

// graphQL is the address of the other API: https://api.github.com/graphql, and
// https://HOST/api/graphql beside https://HOST/api/v3 on an enterprise server.
func (a *API) graphQL() string {
	base := *a.client.BaseURL
	base.Path = strings.TrimSuffix(strings.TrimSuffix(base.Path, "/"), "/v3") + "/graphql"
	return base.String()
}
