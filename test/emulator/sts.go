package emulator

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// sessionLength is how long assumed credentials say they last.
const sessionLength = time.Hour

// audience is what AWS's identity provider for GitHub expects in a token.
const audience = "sts.amazonaws.com"

// sts answers a call of the Security Token Service, which speaks the query
// protocol: a form in, XML out.
func (x *exchange) sts() answer {
	switch x.call.Operation {
	case "AssumeRoleWithWebIdentity":
		return x.assumeRole()
	case "GetCallerIdentity":
		if !x.signed {
			return x.fail(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
		}
		return x.result(fmt.Sprintf("<Arn>%s</Arn><UserId>AIDAEMULATOR</UserId><Account>%s</Account>", escapeXML(x.call.Actor), Account))
	default:
		return x.fail(http.StatusBadRequest, "InvalidAction", "Could not find operation "+x.call.Operation)
	}
}

// assumeRole trades a token that the emulator's own OIDC endpoint issued for
// credentials of the role.
func (x *exchange) assumeRole() answer {
	role, session := x.form.Get("RoleArn"), x.form.Get("RoleSessionName")
	account, path, ok := strings.Cut(strings.TrimPrefix(role, "arn:aws:iam::"), ":role/")
	if !ok || !strings.HasPrefix(role, "arn:aws:iam::") || session == "" {
		return x.fail(http.StatusBadRequest, "ValidationError",
			role+" is invalid, or RoleSessionName is missing")
	}
	e := x.e
	e.mu.Lock()
	defer e.mu.Unlock()
	issuedFor, ok := e.idTokens[x.form.Get("WebIdentityToken")]
	switch {
	case !ok:
		return x.fail(http.StatusBadRequest, "InvalidIdentityToken", "The web identity token that was passed could not be validated by the emulator.")
	case issuedFor != e.audienceLocked():
		return x.fail(http.StatusBadRequest, "InvalidIdentityToken", "Incorrect token audience")
	}
	key := "ASIA" + strings.ToUpper(rand.Text()[:16])
	arn := fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", account, path[strings.LastIndex(path, "/")+1:], session)
	e.roleNames[key] = arn
	return x.result(fmt.Sprintf(
		"<Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials>"+
			"<AssumedRoleUser><AssumedRoleId>AROAEMULATOR:%s</AssumedRoleId><Arn>%s</Arn></AssumedRoleUser><Audience>%s</Audience>",
		key, rand.Text(), rand.Text(), time.Now().Add(sessionLength).UTC().Format(time.RFC3339),
		escapeXML(session), escapeXML(arn), escapeXML(issuedFor)))
}

// result wraps the inside of a result of STS.
func (x *exchange) result(inside string) answer {
	return x.queryResult("https://sts.amazonaws.com/doc/2011-06-15/", inside)
}

// queryResult wraps the inside of a result of the query protocol.
func (x *exchange) queryResult(namespace, inside string) answer {
	op := x.call.Operation
	a := answer{status: http.StatusOK, header: http.Header{}}
	a.header.Set("Content-Type", "text/xml")
	a.body = fmt.Appendf(nil,
		`<%[1]sResponse xmlns="%[4]s"><%[1]sResult>%[2]s</%[1]sResult><ResponseMetadata><RequestId>%[3]s</RequestId></ResponseMetadata></%[1]sResponse>`,
		op, inside, x.call.RequestID, namespace)
	return a
}
