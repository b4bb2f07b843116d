package github

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// secretVariables are the environment variables with credentials of the job other
// than inputs: those of AWS, and those that the runner sets for its own services.
var secretVariables = []string{
	"AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN",
	"ACTIONS_ID_TOKEN_REQUEST_TOKEN",
	"ACTIONS_RUNTIME_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN",
	"GITHUB_TOKEN",
}

var (
	// endpointVariables are the environment variables with the URLs of the services
	// that the program calls.
	endpointVariables = []string{
		"AWS_ENDPOINT_URL",
		"AWS_ENDPOINT_URL_CLOUDFORMATION",
		"AWS_ENDPOINT_URL_CLOUDFRONT",
		"AWS_ENDPOINT_URL_CLOUDWATCH",
		"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
		"AWS_ENDPOINT_URL_CODEDEPLOY",
		"AWS_ENDPOINT_URL_LAMBDA",
		"AWS_ENDPOINT_URL_S3",
		"AWS_ENDPOINT_URL_SIGNIN",
		"AWS_ENDPOINT_URL_SSO",
		"AWS_ENDPOINT_URL_SSO_OIDC",
		"AWS_ENDPOINT_URL_STS",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT",
	}
	proxyVariables = []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"}
	// sharedUsers are user names that many accounts have. They give nothing away, and
	// without them, sentences and links could not be read.
	sharedUsers = []string{"admin", "default", "deploy", "github", "guest", "lambda", "live", "production", "proxy", "rollback", "root", "squid", "test", "user"}
)

// RedactorFor returns a Redactor for every secret in the environment: secret inputs,
// URLs also as Go writes them, the password in a health URL, the user and password in
// the URL of an endpoint or a proxy, and the credentials of the job. The inputs need
// not be valid, because messages about invalid ones are redacted, too.
func RedactorFor(getenv func(string) string) *Redactor {
	var secrets []string
	add := func(text string) { secrets = append(secrets, text) }
	for _, definition := range InputDefinitions() {
		if !definition.Secret {
			continue
		}
		value := getenv(definition.Variable())
		add(value)
		if parsed, err := url.Parse(strings.TrimSpace(value)); err == nil {
			add(parsed.String())
			addPassword(parsed, add)
			addPieces(parsed, add)
		}
	}
	for _, entry := range splitBefore(beforeURL, getenv("INPUT_HEALTH-URL")) {
		if parsed, err := url.Parse(entry); err == nil {
			addPassword(parsed, add)
		}
	}
	for _, variable := range secretVariables {
		add(getenv(variable))
	}
	for _, variable := range endpointVariables {
		addUserinfo(getenv(variable), add)
	}
	for _, variable := range proxyVariables {
		value := strings.TrimSpace(getenv(variable))
		addUserinfo(value, add)
		if !isProxy(value) {
			add(value)
			if port := value[strings.LastIndex(value, ":")+1:]; !isPort(port) {
				add(port)
			}
		}
	}
	return NewRedactor(secrets)
}

const (
	shortestPath    = 16 // bytes of a path with its query that can contain a key
	shortestSegment = 20 // bytes of one segment or query value; Slack's key has 24
)

// addPieces adds the parts of a secret URL that contain its key, because servers
// often repeat the requested path without the host. Short parts are left out: they
// would hide plain words.
func addPieces(parsed *url.URL, add func(string)) {
	if parsed.Host == "" {
		return
	}
	for _, path := range []string{parsed.RequestURI(), parsed.EscapedPath(), parsed.Path, parsed.RawQuery} {
		if len(path) >= shortestPath {
			add(path)
		}
	}
	segments := strings.Split(parsed.Path, "/")
	for _, values := range parsed.Query() {
		segments = append(segments, values...)
	}
	for _, segment := range segments {
		if len(segment) >= shortestSegment {
			add(segment)
		}
	}
}

// addPassword adds the password of a URL, both as written in the URL and decoded.
func addPassword(parsed *url.URL, add func(string)) {
	if password, ok := parsed.User.Password(); ok {
		add(password)
		_, written, _ := strings.Cut(parsed.User.String(), ":")
		add(written)
	}
}

// addUserinfo adds the user and password of a URL, both as written in the URL and
// decoded. The URL need not be valid: a password often contains characters that it
// must not.
func addUserinfo(text string, add func(string)) {
	text = strings.TrimSpace(text)
	parsed, err := url.Parse(text)
	if _, after, found := strings.Cut(text, "://"); found {
		text = after
	}
	if end := strings.IndexAny(text, "/?#"); end >= 0 && err == nil && parsed.Host != "" {
		text = text[:end]
	}
	at := strings.LastIndex(text, "@")
	if at < 0 {
		return
	}
	user, password, _ := strings.Cut(text[:at], ":")
	for _, written := range []string{user, password} {
		if written == user && slices.Contains(sharedUsers, strings.ToLower(user)) {
			continue
		}
		add(written)
		if decoded, err := url.PathUnescape(written); err == nil {
			add(decoded)
		}
	}
}

// isProxy reports whether the value of a variable can be the address of a proxy, and
// not a password, for example.
func isProxy(value string) bool {
	address, written := value, strings.Contains(value, "://")
	if !written {
		address = "http://" + value
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Hostname() == "" || parsed.Port() != "" && !isPort(parsed.Port()) {
		return false
	}
	host := parsed.Hostname()
	return written || parsed.Port() != "" || host == "localhost" || strings.ContainsAny(host, ".:")
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}
