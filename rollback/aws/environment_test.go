package aws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// cloud is STS and Lambda on one address.
type cloud struct {
	*httptest.Server

	// ahead is how far its clock is ahead.
	ahead time.Duration
	// denied is how many calls to Lambda are refused, counted from the first.
	denied int

	mu    sync.Mutex
	calls []string // who was asked, and by which key
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now().Add(c.ahead).UTC()
	w.Header().Set("Date", now.Format(http.TimeFormat))
	if r.Method == http.MethodPost {
		c.keep("sts")
		_, _ = fmt.Fprintf(w, `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>`+
			`<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration>`+
			`</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`, now.Add(time.Hour).Format(time.RFC3339))
		return
	}
	_, key, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ = strings.Cut(key, "/")
	c.keep(key)
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	switch {
	case err != nil || signed.Sub(now).Abs() > 5*time.Minute:
		coded(403, "InvalidSignatureException")(w, r)
	case c.lambdaCalls() <= c.denied:
		coded(403, "AccessDeniedException")(w, r)
	default:
		_, _ = io.WriteString(w, "{}")
	}
}

func (c *cloud) keep(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, call)
}

func (c *cloud) lambdaCalls() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, call := range c.calls {
		if call != "sts" {
			n++
		}
	}
	return n
}

// surrounded opens AWS in an environment of these variables and no others of AWS's.
func surrounded(t *testing.T, role bool, variables map[string]string, clock aws.Clock) (*aws.Clients, []string, error) {
	t.Helper()
	for _, both := range os.Environ() {
		if name, _, _ := strings.Cut(both, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	for name, value := range variables {
		t.Setenv(name, value)
	}
	var notes []string
	o := aws.Options{
		NeedRegion: true, Secret: func(string) {}, Clock: clock, Log: &journal{},
		Environment: aws.Environment{Get: os.Getenv, Set: func(name, value string) error { t.Setenv(name, value); return nil }, Note: func(text string) { notes = append(notes, text) }},
	}
	if role {
		o.RoleARN, o.SessionName = roleARN, "s"
		o.Token = func(context.Context) (string, error) { return plainToken, nil }
	}
	clients, err := aws.Open(t.Context(), o)
	return clients, notes, err
}

func TestTheSurroundings(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	legacy := file("legacy", "[default]\nretry_mode = legacy\n")
	keys := map[string]string{"AWS_ACCESS_KEY_ID": "AKIDSTATIC", "AWS_SECRET_ACCESS_KEY": "s3cr3t"}
	for name, c := range map[string]struct {
		set   map[string]string
		note  string // what is left aside, by its name; empty: nothing is to be said
		fails string // without a role: the name of what is wrong; empty: the keys work
		never bool   // it fails with a role, too
	}{
		"a profile that is not there":         {set: map[string]string{"AWS_PROFILE": "nope"}, note: "AWS_PROFILE"},
		"a retry mode of the older SDKs":      {set: map[string]string{"AWS_RETRY_MODE": "legacy"}},
		"no number of tries":                  {set: map[string]string{"AWS_MAX_ATTEMPTS": "many"}},
		"defaults that nobody knows":          {set: map[string]string{"AWS_DEFAULTS_MODE": "fast"}},
		"compression, misspelt":               {set: map[string]string{"AWS_DISABLE_REQUEST_COMPRESSION": "si"}},
		"a CA bundle that is missing":         {set: map[string]string{"AWS_CA_BUNDLE": "/no/such/bundle.pem"}, note: "AWS_CA_BUNDLE"},
		"a CA bundle that is none":            {set: map[string]string{"AWS_CA_BUNDLE": file("bundle", "hello")}, note: "AWS_CA_BUNDLE"},
		"a configuration file with legacy":    {set: map[string]string{"AWS_CONFIG_FILE": legacy}, note: "retry_mode"},
		"a credentials file that is a dir":    {set: map[string]string{"AWS_SHARED_CREDENTIALS_FILE": dir}, note: "AWS_SHARED_CREDENTIALS_FILE"},
		"a profile and a bundle":              {set: map[string]string{"AWS_PROFILE": "nope", "AWS_CA_BUNDLE": "/no/such/bundle.pem"}, note: "AWS_PROFILE"},
		"a token file of an earlier step":     {set: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token"}},
		"… with its role":                     {set: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token", "AWS_ROLE_ARN": roleARN}},
		"credentials of a container":          {set: map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.invalid/"}},
		"S3's switch as a number":             {set: map[string]string{"AWS_S3_USE_ARN_REGION": "1"}, note: "AWS_S3_USE_ARN_REGION"},
		"dual stack, switched off as 0":       {set: map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "0"}, note: "AWS_USE_DUALSTACK_ENDPOINT"},
		"a region with a line end":            {set: map[string]string{"AWS_REGION": "eu-west-1\n"}, note: "AWS_REGION"},
		"a switch that is neither":            {set: map[string]string{"AWS_USE_FIPS_ENDPOINT": "perhaps"}, fails: "AWS_USE_FIPS_ENDPOINT", never: true},
		"an address without a scheme":         {set: map[string]string{"AWS_ENDPOINT_URL_LAMBDA": "localhost:4566"}, fails: "AWS_ENDPOINT_URL_LAMBDA", never: true},
		"an address without a host":           {set: map[string]string{"AWS_ENDPOINT_URL_LAMBDA": "https://"}, fails: "AWS_ENDPOINT_URL_LAMBDA", never: true},
		"an address with a port that is none": {set: map[string]string{"AWS_ENDPOINT_URL_LAMBDA": "http://localhost:99999"}, fails: "AWS_ENDPOINT_URL_LAMBDA", never: true},
		"an address that is none":             {set: map[string]string{"AWS_ENDPOINT_URL": "://x"}, fails: "AWS_ENDPOINT_URL", never: true},
		"an account mode that nobody knows":   {set: map[string]string{"AWS_ACCOUNT_ID_ENDPOINT_MODE": "always"}, note: "AWS_ACCOUNT_ID_ENDPOINT_MODE"},
		"checksums that nobody knows":         {set: map[string]string{"AWS_REQUEST_CHECKSUM_CALCULATION": "never"}, note: "AWS_REQUEST_CHECKSUM_CALCULATION"},
		"an instance's address, misspelt":     {set: map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv5"}, note: "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"},
		"S3's switch that is neither":         {set: map[string]string{"AWS_S3_DISABLE_EXPRESS_SESSION_AUTH": "maybe"}, note: "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH"},
		"an instance's address, well spelt":   {set: map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv4"}},
		"a region in capitals":                {set: map[string]string{"AWS_REGION": "EU-West-1"}, note: "AWS_REGION"},
		"a region in quotes":                  {set: map[string]string{"AWS_REGION": `"eu-west-1"`}, note: "AWS_REGION"},
		"the name of a region":                {set: map[string]string{"AWS_REGION": "Europe (Ireland)"}, fails: "AWS_REGION", never: true},
		"a region and its zone, in words":     {set: map[string]string{"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1, zone a"}, fails: "AWS_DEFAULT_REGION", never: true},
		"a second region, which is not used":  {set: map[string]string{"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu west 1"}, note: "AWS_DEFAULT_REGION"},
		"addresses to ignore, misspelt":       {set: map[string]string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "maybe"}, note: "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"},
		"FIPS beside an address":              {set: map[string]string{"AWS_USE_FIPS_ENDPOINT": "1"}, fails: "AWS_USE_FIPS_ENDPOINT", never: true},
		"dual stack beside an address":        {set: map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "TRUE"}, fails: "AWS_USE_DUALSTACK_ENDPOINT", never: true},
		"the address of an optional service":  {set: map[string]string{"AWS_ENDPOINT_URL_CLOUDWATCH": "::"}},
	} {
		for _, role := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, role %t", name, role), func(t *testing.T) {
				server := newCloud(t)
				variables := map[string]string{"AWS_ENDPOINT_URL": server.URL}
				maps.Copy(variables, keys)
				maps.Copy(variables, c.set)
				clients, notes, err := surrounded(t, role, variables, clock{})
				if c.never || !role && c.fails != "" {
					require.ErrorIs(t, err, aws.ErrConfiguration)
					assert.ErrorContains(t, err, c.fails)
					return
				}
				require.NoError(t, err)
				if c.note == "" {
					assert.Empty(t, notes)
				} else {
					assert.Contains(t, strings.Join(notes, "\n"), c.note)
				}
				_, err = getAlias(t.Context(), clients.Lambda(""))
				require.NoError(t, err)
				want := []string{"AKIDSTATIC"}
				if role {
					want = []string{"sts", "ASIAROLE"}
				}
				assert.Equal(t, want, server.calls)
			})
		}
	}
}

// Without keys and without a role, what the credentials are to come from is needed.
func TestTheSurroundingsThatAreNeeded(t *testing.T) {
	for name, c := range map[string]struct {
		set  map[string]string
		says string
		is   error
	}{
		"a profile that is not there":        {map[string]string{"AWS_PROFILE": "nope"}, `AWS_PROFILE is set to the profile "nope"`, aws.ErrConfiguration},
		"a token file without its role":      {map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token"}, "AWS_ROLE_ARN", aws.ErrConfiguration},
		"a token file that is gone":          {map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token", "AWS_ROLE_ARN": roleARN}, "/no/such/token", aws.ErrNoCredentials},
		"a credentials file that is no file": {map[string]string{"AWS_SHARED_CREDENTIALS_FILE": "/"}, "AWS_SHARED_CREDENTIALS_FILE", aws.ErrConfiguration},
		"a container that is not there":      {map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://aws.invalid/x"}, "AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.ErrConfiguration},
		"half of the keys":                   {map[string]string{"AWS_ACCESS_KEY_ID": "AKID"}, "", aws.ErrNoCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, _, err := surrounded(t, false, c.set, clock{})
			require.ErrorIs(t, err, c.is)
			assert.ErrorContains(t, err, c.says)
			assert.Less(t, time.Since(began), time.Minute, "a resolver may need 20 s")
		})
	}
}

// A URL is shown without its user and password.
func TestAURLWithAPassword(t *testing.T) {
	for name, c := range map[string]struct{ variable, value, shown string }{
		"a port that is none":     {"AWS_ENDPOINT_URL", "https://robot:s3cretpw@127.0.0.1:99999", `"https://127.0.0.1:99999"`},
		"an escape that is none":  {"AWS_ENDPOINT_URL_LAMBDA", "https://robot:s3cret%zzpw@aws.example", `"https://aws.example"`},
		"a password with a slash": {"AWS_ENDPOINT_URL", "https://robot:s3cret/p@w@aws.example", `"https://aws.example"`},
		"no scheme":               {"AWS_ENDPOINT_URL", "robot:s3cretpw@localhost:4566", `"localhost:4566"`},
		"an @ in the path":        {"AWS_ENDPOINT_URL", "ftp://localhost/p@th", `"ftp://localhost/p@th"`},
		"of a container":          {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://robot:s3cretpw@10.0.0.1/x", `"http://10.0.0.1/x"`},
		"of a container, invalid": {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://robot:s3cret%zzpw@localhost/x", `"http://localhost/x"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := surrounded(t, false, map[string]string{c.variable: c.value}, clock{})
			require.ErrorIs(t, err, aws.ErrConfiguration)
			assert.ErrorContains(t, err, c.variable+" is "+c.shown)
			assert.NotContains(t, err.Error(), "robot")
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
}

func TestKeysWithLineEnds(t *testing.T) {
	for name, set := range map[string]map[string]string{
		"at the end":      {"AWS_ACCESS_KEY_ID": "AKIDSTATIC\n", "AWS_SECRET_ACCESS_KEY": "s3cr3t\r\n"},
		"a space before":  {"AWS_ACCESS_KEY_ID": " AKIDSTATIC", "AWS_SECRET_ACCESS_KEY": "s3cr3t"},
		"a token in rows": {"AWS_ACCESS_KEY_ID": "AKIDSTATIC", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_SESSION_TOKEN": "abc\ndef\n"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newCloud(t)
			set["AWS_ENDPOINT_URL"] = server.URL
			clients, notes, err := surrounded(t, false, set, clock{})
			require.NoError(t, err)
			_, err = getAlias(t.Context(), clients.Lambda(""))
			require.NoError(t, err)
			assert.Equal(t, []string{"AKIDSTATIC"}, server.calls)
			assert.NotEmpty(t, notes)
			assert.NotContains(t, strings.Join(notes, ""), "s3cr3t")
		})
	}
}

func TestFIPSAsANumber(t *testing.T) {
	clients, notes, err := surrounded(t, false, map[string]string{"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s", "AWS_USE_FIPS_ENDPOINT": "1"}, clock{})
	require.NoError(t, err)
	assert.Contains(t, strings.Join(notes, ""), "AWS_USE_FIPS_ENDPOINT")
	options := clients.Lambda("").Options()
	var host string
	options.HTTPClient = network(func(r *http.Request) (*http.Response, error) {
		host = r.URL.Host
		return nil, errors.New("not called")
	})
	_, err = aws.Once(t.Context(), func(ctx context.Context) (any, error) { return getAlias(ctx, lambdaWith(options)) })
	require.Error(t, err)
	assert.Equal(t, "lambda-fips.eu-west-1.amazonaws.com", host)
}

// A clock that is wrong heals by AWS's: the call is signed anew, and a session lasts
// as long as AWS gave it.
func TestAClockThatIsWrong(t *testing.T) {
	for name, ahead := range map[string]time.Duration{
		"two hours behind AWS": 2 * time.Hour, "two hours ahead": -2 * time.Hour, "some minutes": 7 * time.Minute, "right": 0,
	} {
		for _, role := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, role %t", name, role), func(t *testing.T) {
				server := newCloud(t)
				server.ahead = ahead
				clients, _, err := surrounded(t, role, map[string]string{
					"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DISABLE_CLOCK_SKEW_CORRECTION": "true",
				}, clock{})
				require.NoError(t, err)
				client := clients.Lambda("")
				for range 3 {
					_, err = aws.Do(t.Context(), aws.Retry{Log: &journal{}, Clock: clock{}}, "GetAlias", func(ctx context.Context) (any, error) {
						return getAlias(ctx, client)
					})
					require.NoError(t, err)
				}
				most := 3
				if ahead != 0 {
					most = 4 // the first is refused
				}
				assert.LessOrEqual(t, server.lambdaCalls(), most)
				assert.LessOrEqual(t, len(server.calls)-server.lambdaCalls(), 1, "the session is not renewed")
			})
		}
	}
}

func TestASessionThatLambdaDoesNotKnowYet(t *testing.T) {
	for name, c := range map[string]struct {
		role   bool
		denied int
		tries  int
		fails  bool
	}{
		"denied once":             {true, 1, 2, false},
		"denied three times":      {true, 3, 4, false},
		"denied for good":         {true, 1000, 10, true},
		"keys of an earlier step": {false, 1, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := newCloud(t)
			server.denied = c.denied
			passing := &passingClock{now: time.Now()}
			clients, _, err := surrounded(t, c.role, map[string]string{
				"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s",
			}, passing)
			require.NoError(t, err)
			client := clients.Lambda("")
			_, err = aws.Do(t.Context(), aws.Retry{Log: &journal{}, Clock: passing}, "GetAlias", func(ctx context.Context) (any, error) {
				return getAlias(ctx, client)
			})
			assert.Equal(t, c.fails, err != nil)
			assert.LessOrEqual(t, server.lambdaCalls(), c.tries)
			if !c.fails { // once it was accepted, a refusal soon is one
				server.denied = 1000
				_, err = aws.Do(t.Context(), aws.Retry{Log: &journal{}, Clock: passing}, "GetAlias", func(ctx context.Context) (any, error) {
					return getAlias(ctx, client)
				})
				assert.Equal(t, aws.Denied, aws.Classify(err))
				assert.LessOrEqual(t, server.lambdaCalls(), c.tries+3)
			}
		})
	}
}

// passingClock passes by what is slept alone.
type passingClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *passingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *passingClock) Sleep(_ context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(d, 0))
	return nil
}
