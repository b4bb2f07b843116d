package emulator

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"
)

// OIDCRequestToken is what ACTIONS_ID_TOKEN_REQUEST_TOKEN takes.
const OIDCRequestToken = "emulator-oidc-request-token"

// oidcPath is where identity tokens are issued.
const oidcPath = "/_apis/oidc/token"

// OIDCURL is what ACTIONS_ID_TOKEN_REQUEST_URL takes. As the runner's own, it
// has a query already, to which the audience is appended.
func (e *Emulator) OIDCURL() string {
	return e.URL + oidcPath + "?api-version=2.0"
}

// TrustAudience makes STS expect another audience than sts.amazonaws.com, as
// an identity provider set up so would.
func (e *Emulator) TrustAudience(audience string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.audience = audience
}

// IssueFor makes the identity tokens say another subject.
func (e *Emulator) IssueFor(subject string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.subject = subject
}

// audienceLocked is the audience that STS expects, for those who hold the lock.
func (e *Emulator) audienceLocked() string {
	if e.audience == "" {
		return audience
	}
	return e.audience
}

// oidc issues an identity token in the shape of a JWT. It is signed by nobody:
// STS knows it because the same emulator issued it.
func (x *exchange) oidc() answer {
	if x.request.Header.Get("Authorization") != "Bearer "+OIDCRequestToken {
		return x.failGitHub(http.StatusUnauthorized, "Bad credentials")
	}
	wanted := x.query.Get("audience")
	if wanted == "" {
		wanted = "https://github.com/org"
	}
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	subject := x.e.subject
	if subject == "" {
		subject = "repo:org/shop:ref:refs/heads/main"
	}
	claims, err := json.Marshal(map[string]any{
		"iss": "https://token.actions.githubusercontent.com",
		"aud": wanted,
		"sub": subject,
		"exp": time.Now().Add(5 * time.Minute).Unix(),
		"jti": newID(),
	})
	if err != nil {
		return x.failGitHub(http.StatusInternalServerError, "failed to encode claims: "+err.Error())
	}
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"typ":"JWT","alg":"RS256"}`)) + "." + encode(claims) + "." + encode([]byte(rand.Text()))
	x.e.idTokens[token] = wanted
	return x.ok(http.StatusOK, map[string]any{"count": len(token), "value": token})
}
