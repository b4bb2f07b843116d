package emulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// identify tells what the call is: service, operation and what it is about. It
// changes nothing and refuses nothing, so that a fault can be ordered for calls
// that would be refused.
func (x *exchange) identify() {
	c := x.call
	switch {
	case strings.HasPrefix(c.Path, githubBase+"/"):
		c.Service = ServiceGitHub
		x.path = x.path[len(segments(githubBase)):]
		x.identifyGitHub()
		return
	case c.Path == graphQLPath:
		c.Service, c.Operation = ServiceGitHub, "Viewer"
		return
	case strings.HasPrefix(c.Path, oidcPath):
		c.Service, c.Operation = ServiceOIDC, "GetIDToken"
		return
	case x.identifyHealth():
		return
	}
	x.identifyCaller()
	if x.identifyCloudWatch() || x.identifyLogs() || x.identifyCodeDeploy() {
		return
	}
	if form, err := url.ParseQuery(string(x.body)); err == nil && form.Get("Action") != "" &&
		strings.HasPrefix(x.request.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		c.Operation, x.form = form.Get("Action"), form
		if c.Service != ServiceStacks {
			c.Service = ServiceSTS
		}
		return
	}
	if c.Service == "" {
		c.Service = ServiceLambda
	}
	if c.Service == ServiceLambda {
		x.identifyLambda()
	}
}

// credential is the scope in a SigV4 Authorization header:
// <access key>/<date>/<region>/<service>/aws4_request.
var credential = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request`)

// identifyCaller takes region, service and caller from the signature. The
// signature itself is not checked: the emulator shares no secret with anybody.
func (x *exchange) identifyCaller() {
	scope := credential.FindStringSubmatch(x.request.Header.Get("Authorization"))
	if scope == nil {
		return
	}
	x.signed = true
	x.call.Region, x.call.Service = scope[2], scope[3]
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	x.call.Actor = x.e.roleNames[scope[1]]
	if x.call.Actor == "" {
		x.call.Actor = "arn:aws:iam::" + Account + ":user/" + scope[1]
	}
}

// lambdaOperation names the operation of a method and the shape of a path, of
// which {F} is a function and {A} an alias.
func lambdaOperation(method, shape string) string {
	switch method + " " + shape {
	case "POST 2015-03-31/functions":
		return "CreateFunction"
	case "GET 2015-03-31/functions/{F}":
		return "GetFunction"
	case "DELETE 2015-03-31/functions/{F}":
		return "DeleteFunction"
	case "GET 2015-03-31/functions/{F}/configuration":
		return "GetFunctionConfiguration"
	case "PUT 2015-03-31/functions/{F}/configuration":
		return "UpdateFunctionConfiguration"
	case "PUT 2015-03-31/functions/{F}/code":
		return "UpdateFunctionCode"
	case "GET 2015-03-31/functions/{F}/versions":
		return "ListVersionsByFunction"
	case "POST 2015-03-31/functions/{F}/versions":
		return "PublishVersion"
	case "GET 2015-03-31/functions/{F}/aliases":
		return "ListAliases"
	case "POST 2015-03-31/functions/{F}/aliases":
		return "CreateAlias"
	case "GET 2015-03-31/functions/{F}/aliases/{A}":
		return "GetAlias"
	case "PUT 2015-03-31/functions/{F}/aliases/{A}":
		return "UpdateAlias"
	case "DELETE 2015-03-31/functions/{F}/aliases/{A}":
		return "DeleteAlias"
	case "GET 2017-03-31/tags/{F}":
		return "ListTags"
	case "POST 2015-03-31/functions/{F}/invocations":
		return "Invoke"
	case "PUT 2019-09-30/functions/{F}/provisioned-concurrency":
		return "PutProvisionedConcurrencyConfig"
	case "GET 2019-09-30/functions/{F}/provisioned-concurrency":
		return "GetProvisionedConcurrencyConfig"
	case "DELETE 2019-09-30/functions/{F}/provisioned-concurrency":
		return "DeleteProvisionedConcurrencyConfig"
	default:
		return ""
	}
}

func (x *exchange) identifyLambda() {
	shape := append([]string(nil), x.path...)
	var names struct{ FunctionName, Name string }
	if len(shape) > 2 {
		names.FunctionName, shape[2] = shape[2], "{F}"
	}
	if len(shape) > 4 && shape[3] == "aliases" {
		names.Name, shape[4] = shape[4], "{A}"
	}
	c := x.call
	c.Operation = lambdaOperation(c.Method, strings.Join(shape, "/"))
	switch c.Operation {
	case "CreateFunction", "CreateAlias":
		// What they are about stands in the body; a bad one is refused later.
		_ = json.Unmarshal(x.body, &names)
	case "GetProvisionedConcurrencyConfig":
		if x.query.Get("List") == "ALL" {
			c.Operation = "ListProvisionedConcurrencyConfigs"
		}
	}
	name := parseName(names.FunctionName)
	c.Function, c.Qualifier, x.account = name.function, name.qualifier, name.account
	if q := x.query.Get("Qualifier"); q != "" {
		c.Qualifier = q
	}
	if names.Name != "" {
		c.Qualifier = names.Name
	}
}

// needSignature refuses what carries no signature, as AWS does.
func (x *exchange) needSignature() *answer {
	if x.signed {
		return nil
	}
	a := x.fail(http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token")
	return &a
}
