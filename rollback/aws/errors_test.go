package aws_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

func config(url string) sdk.Config {
	return sdk.Config{
		Region: "eu-west-1", BaseEndpoint: &url,
		Retryer: func() sdk.Retryer { return sdk.NopRetryer{} },
		Credentials: sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
			return sdk.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
		}),
	}
}

func getAlias(ctx context.Context, client *lambda.Client) (*lambda.GetAliasOutput, error) {
	return client.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: sdk.String("api"), Name: sdk.String("live")})
}

// answers is an answer as Lambda gives it; an empty code leaves the header out.
func answers(status int, code, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if code != "" {
			w.Header().Set("X-Amzn-Errortype", code)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func coded(status int, code string) http.HandlerFunc {
	return answers(status, code, `{"Message":"in AWS's words"}`)
}

// cuts ends the connection after a part of the answer.
func cuts(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"FunctionVersion":`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// The errors are those that the SDK makes of answers on the wire.
func TestClassify(t *testing.T) {
	t.Parallel()
	const html = "<html>502 Bad Gateway</html>"
	const foreign = ", without an AWS error: a proxy (HTTPS_PROXY) or another server (AWS_ENDPOINT_URL) may have sent the response"
	for name, c := range map[string]struct {
		server http.HandlerFunc
		want   aws.Kind
		again  bool
		brief  string
	}{
		"429 with Lambda's code":             {coded(429, "TooManyRequestsException"), aws.Throttled, true, "TooManyRequestsException: in AWS's words"},
		"429 without a code":                 {answers(429, "", ""), aws.Throttled, true, ""},
		"429 that is not JSON":               {answers(429, "", html), aws.Throttled, true, "HTTP status 429" + foreign},
		"throttled with 400":                 {coded(400, "ThrottlingException"), aws.Throttled, true, ""},
		"throttled on the network of a VPC":  {coded(502, "EC2ThrottledException"), aws.Throttled, true, ""},
		"500":                                {coded(500, "ServiceException"), aws.Ambiguous, true, "ServiceException: in AWS's words"},
		"503 without a code":                 {answers(503, "", ""), aws.Ambiguous, true, ""},
		"408 of a proxy":                     {answers(408, "", html), aws.Ambiguous, true, "HTTP status 408" + foreign},
		"425 of a proxy":                     {answers(425, "", ""), aws.Ambiguous, true, ""},
		"301 to somewhere else":              {answers(301, "", html), aws.Other, false, "HTTP status 301" + foreign},
		"407 of a proxy":                     {answers(407, "", html), aws.Other, false, "HTTP status 407" + foreign},
		"502 of a proxy":                     {answers(502, "", html), aws.Ambiguous, true, "HTTP status 502"},
		"504":                                {coded(504, "GatewayTimeout"), aws.Ambiguous, true, ""},
		"500 that breaks off":                {cuts(500), aws.Ambiguous, true, ""},
		"a connection that is reset":         {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, aws.Ambiguous, true, "no response: EOF"},
		"200 that breaks off":                {cuts(200), aws.Ambiguous, true, "a response (HTTP status 200) that is incomplete, or not from AWS"},
		"200 that is not JSON":               {answers(200, "", html), aws.Ambiguous, true, ""},
		"the request came too slowly":        {coded(400, "RequestTimeout"), aws.Ambiguous, true, ""},
		"403 denied":                         {coded(403, "AccessDeniedException"), aws.Denied, false, "AccessDeniedException: in AWS's words"},
		"denied with 400":                    {coded(400, "AccessDeniedException"), aws.Denied, false, ""},
		"403 as the query protocol has it":   {coded(403, "AccessDenied"), aws.Denied, false, ""},
		"403 that is not JSON":               {answers(403, "", html), aws.Denied, false, "HTTP status 403" + foreign},
		"403, the session is over":           {coded(403, "ExpiredTokenException"), aws.BadCredentials, false, ""},
		"403, as the query protocol has it":  {coded(403, "ExpiredToken"), aws.BadCredentials, false, ""},
		"403, the request is too old":        {coded(403, "RequestExpired"), aws.BadCredentials, false, ""},
		"403, a wrong secret key":            {coded(403, "InvalidSignatureException"), aws.BadCredentials, false, ""},
		"403, a signature that is cut":       {coded(403, "IncompleteSignatureException"), aws.BadCredentials, false, ""},
		"403, an unknown key":                {coded(403, "UnrecognizedClientException"), aws.BadCredentials, false, ""},
		"404":                                {coded(404, "ResourceNotFoundException"), aws.NotFound, false, ""},
		"404 of the provisioned concurrency": {coded(404, "ProvisionedConcurrencyConfigNotFoundException"), aws.NotFound, false, ""},
		"404 that is not JSON":               {answers(404, "", html), aws.Other, false, "HTTP status 404" + foreign},
		"404 of something that is not AWS":   {answers(404, "", `{"error":"no such route"}`), aws.Other, false, ""},
		"404 that breaks off":                {cuts(404), aws.Other, false, "HTTP status 404" + foreign},
		"404 that breaks off, with the code in the header": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException:http://internal.amazon.com/coral/")
			cuts(404)(w, r)
		}, aws.NotFound, false, ""},
		"404 with no body":                     {answers(404, "", ""), aws.Other, false, ""},
		"409":                                  {coded(409, "ResourceConflictException"), aws.Conflict, false, ""},
		"412":                                  {coded(412, "PreconditionFailedException"), aws.PreconditionFailed, false, ""},
		"400":                                  {coded(400, "InvalidParameterValueException"), aws.Other, false, "InvalidParameterValueException: in AWS's words"},
		"400 that is not JSON":                 {answers(400, "", html), aws.Other, false, "HTTP status 400" + foreign},
		"400 whose body breaks off":            {cuts(400), aws.Other, false, "HTTP status 400" + foreign},
		"a code that nobody has heard of, 4xx": {coded(418, "TeapotException"), aws.Other, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(c.server)
			t.Cleanup(server.Close)
			_, err := getAlias(t.Context(), lambda.NewFromConfig(config(server.URL)))
			require.Error(t, err)
			kind := aws.Classify(err)
			assert.Equal(t, c.want, kind, err)
			assert.Equal(t, c.again, kind.Retryable())
			if c.brief != "" {
				assert.Equal(t, c.brief, aws.Brief(err))
			}
		})
	}
}

// CloudWatch Logs has the code in the body.
func TestClassifyInAnotherProtocol(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]aws.Kind{
		"ResourceNotFoundException": aws.NotFound, "AccessDeniedException": aws.Denied, "ExpiredTokenException": aws.BadCredentials,
		"ThrottlingException": aws.Throttled, "InvalidParameterException": aws.Other,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(answers(400, "", `{"__type":"`+code+`","message":"no"}`))
			t.Cleanup(server.Close)
			_, err := cloudwatchlogs.NewFromConfig(config(server.URL)).FilterLogEvents(t.Context(),
				&cloudwatchlogs.FilterLogEventsInput{LogGroupName: sdk.String("/aws/lambda/api")})
			require.Error(t, err)
			assert.Equal(t, want, aws.Classify(err), err)
			assert.Equal(t, code, aws.Code(err))
			assert.Equal(t, 400, aws.Status(err))
		})
	}
}

// A session that ends during the run is renewed on the way to the next call.
func TestClassifyTheRenewalOfCredentials(t *testing.T) {
	t.Parallel()
	xml := func(code string) string {
		return "<ErrorResponse><Error><Code>" + code + "</Code><Message>no</Message></Error></ErrorResponse>"
	}
	for name, c := range map[string]struct {
		status int
		code   string
		want   aws.Kind
	}{
		"the role may not be assumed": {403, "AccessDenied", aws.BadCredentials},
		"the token is too old":        {400, "ExpiredTokenException", aws.BadCredentials},
		"the token is not valid":      {400, "InvalidIdentityToken", aws.BadCredentials},
		"throttled":                   {400, "Throttling", aws.Throttled},
		"STS is down":                 {503, "ServiceUnavailable", aws.Ambiguous},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(answers(c.status, "", xml(c.code)))
			t.Cleanup(server.Close)
			cfg := config(server.URL)
			renewing := cfg
			renewing.Credentials = sdk.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), "arn:aws:iam::111111111111:role/r"))
			_, err := getAlias(t.Context(), lambda.NewFromConfig(renewing))
			require.Error(t, err)
			assert.Equal(t, c.want, aws.Classify(err), err)
			assert.Equal(t, c.code, aws.Code(err))
		})
	}
}

// network answers every request by itself, so that no address is needed.
type network func(*http.Request) (*http.Response, error)

func (f network) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestClassifyWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		want  aws.Kind
		brief string
	}{
		"connection refused": {
			&net.OpError{Op: "dial", Err: errors.New("connection refused")},
			aws.Ambiguous, "no response: connection refused",
		},
		"the resolver does not answer": {
			&net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", Name: "host", IsTemporary: true}},
			aws.Ambiguous, "no response: lookup host: server misbehaving",
		},
		"the host does not exist": {
			&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "host", IsNotFound: true}},
			aws.Unresolved, "no response: lookup host: no such host",
		},
		"a certificate of somebody unknown": {
			&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, aws.Unresolved,
			"the endpoint's certificate is not trusted (x509: certificate signed by unknown authority): if a proxy inspects the traffic, set AWS_CA_BUNDLE to a file with its certificate; otherwise, check AWS_ENDPOINT_URL, SSL_CERT_FILE and this machine's clock",
		},
		"http where https was asked for": {
			http.ErrSchemeMismatch, aws.Unresolved, "the endpoint responded with http instead of https: check AWS_ENDPOINT_URL and HTTPS_PROXY",
		},
		"a proxy that is down": {
			&net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}},
			aws.Ambiguous, "no response: the proxy (HTTPS_PROXY) could not be reached: connection refused",
		},
		"a port of a proxy that is none": {
			&net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{Op: "dial", Err: &net.AddrError{Err: "invalid port", Addr: "99999"}}},
			aws.Unresolved, "the proxy cannot be reached: HTTPS_PROXY has a port that is not valid; set it to a URL such as http://proxy.example.com:3128",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config("http://host")
			cfg.HTTPClient = network(func(*http.Request) (*http.Response, error) { return nil, c.err })
			_, err := getAlias(t.Context(), lambda.NewFromConfig(cfg))
			require.Error(t, err)
			assert.Equal(t, c.want, aws.Classify(err), err)
			assert.Equal(t, c.brief, aws.Brief(err))
		})
	}
}

func TestATryThatTakesTooLongIsAmbiguous(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := config("http://host")
		cfg.HTTPClient = network(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		client := lambda.NewFromConfig(cfg)
		began := time.Now()
		_, err := aws.Once(t.Context(), func(ctx context.Context) (*lambda.GetAliasOutput, error) { return getAlias(ctx, client) })
		assert.Equal(t, 8*time.Second, time.Since(began))
		assert.Equal(t, aws.Ambiguous, aws.Classify(err))
		assert.Equal(t, "no response within 8s", aws.Brief(err))
	})
}

func lambdaWith(o lambda.Options) *lambda.Client { return lambda.New(o) }
