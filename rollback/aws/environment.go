package aws

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// ErrConfiguration marks an error of Open about a setting of the job's environment
// that no retry fixes. Its text names the variable.
var ErrConfiguration = errors.New("the AWS settings of this job are invalid")

// Environment is the environment that the SDK reads.
type Environment struct {
	Get func(name string) string
	Set func(name, value string) error
	// Note is called for each variable whose value is changed or ignored.
	Note func(text string)
}

// unused are variables for features of the SDK that this program does not use, such as
// retries. The SDK does not load a configuration that contains unknown values.
var unused = []string{
	"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "AWS_DEFAULTS_MODE", "AWS_DISABLE_CLOCK_SKEW_CORRECTION",
	"AWS_ENABLE_ENDPOINT_DISCOVERY", "AWS_DISABLE_REQUEST_COMPRESSION", "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
}

var (
	// keys never contain white space. If there is any, it was added by copying, or by a
	// tool that breaks lines.
	keys = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
	// trimmed may contain white space, but not at the beginning or at the end.
	trimmed = []string{
		"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_STS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
	}
	// switches must be true or false for the SDK.
	switches = []string{
		"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
		"AWS_EC2_METADATA_V1_DISABLED", "AWS_S3_USE_ARN_REGION", "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS",
		"AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
	}
	// known are the values that the SDK accepts for variables that are not needed to reach
	// AWS. The SDK does not load a configuration with other values.
	known = map[string][]string{
		"AWS_ACCOUNT_ID_ENDPOINT_MODE": {"preferred", "required", "disabled"}, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": {"ipv4", "ipv6"},
		"AWS_REQUEST_CHECKSUM_CALCULATION": {"when_supported", "when_required"}, "AWS_RESPONSE_CHECKSUM_VALIDATION": {"when_supported", "when_required"},
		"AWS_S3_USE_ARN_REGION": booleans, "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS": booleans, "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH": booleans,
		"AWS_EC2_METADATA_V1_DISABLED":        booleans,
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": booleans,
	}
	booleans  = []string{"true", "false"}
	spellings = map[string]string{"1": "true", "yes": "true", "on": "true", "t": "true", "y": "true", "0": "false", "no": "false", "off": "false", "f": "false", "n": "false"}
)

// settle corrects values that are unambiguous, and removes variables that are not
// used.
func (e Environment) settle() error {
	set := func(name, value, note string) error {
		if note != "" {
			e.Note(name + note)
		}
		return e.Set(name, value)
	}
	var errs []error
	for _, name := range unused {
		if e.Get(name) != "" {
			errs = append(errs, set(name, "", ""))
		}
	}
	for _, name := range keys {
		if now := e.Get(name); now != strings.Join(strings.Fields(now), "") {
			errs = append(errs, set(name, strings.Join(strings.Fields(now), ""), " contains line breaks or spaces, which are not valid in a key: they were removed; store the secret without them"))
		}
	}
	for _, name := range trimmed {
		if now := e.Get(name); now != strings.TrimSpace(now) {
			errs = append(errs, set(name, strings.TrimSpace(now), " begins or ends with a line break or a space, which was removed"))
		}
	}
	for _, name := range switches {
		if value, known := spellings[strings.ToLower(e.Get(name))]; known {
			errs = append(errs, set(name, value, fmt.Sprintf(" is %q: read as %s, the spelling that AWS uses", e.Get(name), value)))
		}
	}
	for name, values := range known {
		if now := e.Get(name); now != "" && !slices.Contains(values, strings.ToLower(now)) {
			errs = append(errs, set(name, "", fmt.Sprintf(" is %q, which is not one of %s: it is ignored", now, strings.Join(values, ", "))))
		}
	}
	for _, name := range regionVariables {
		now := e.Get(name)
		if plain := strings.ToLower(strings.Trim(now, `"'`)); now != plain {
			errs = append(errs, set(name, plain, fmt.Sprintf(" is %q: read as %s", now, plain)))
		}
	}
	return errors.Join(errs...)
}

// regionVariables set the region: the first one that is set is used.
var regionVariables = []string{"AWS_REGION", "AWS_DEFAULT_REGION"}

// regionLabel matches a valid part of the host name of an endpoint.
var regionLabel = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9-]{1,63}$`) })

// region reports values that are not a region. They are ignored if another region is
// used.
func (e Environment) region(needed bool) error {
	for i, name := range regionVariables {
		text := e.Get(name)
		switch {
		case text == "" || regionLabel().MatchString(text):
			continue
		case needed && !slices.ContainsFunc(regionVariables[:i], func(first string) bool { return e.Get(first) != "" }):
			return fmt.Errorf("%w: %s is %q, which is not a region: use a region code, such as eu-west-1", ErrConfiguration, name, text)
		}
		e.Note(fmt.Sprintf("%s is %q, which is not a region: it is ignored", name, text))
		if err := e.Set(name, ""); err != nil {
			return fmt.Errorf("failed to set %s: %w", name, err)
		}
	}
	return nil
}

// endpoints reports URLs that cannot be called.
func (e Environment) endpoints(role bool) error {
	names := []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA"}
	if role {
		names = append(names, "AWS_ENDPOINT_URL_STS")
	}
	for _, name := range names {
		text := e.Get(name)
		if text == "" || strings.EqualFold(e.Get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true") {
			continue
		}
		u, err := url.Parse(text)
		if err == nil && u.Port() != "" {
			_, err = strconv.ParseUint(u.Port(), 10, 16)
		}
		if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("%w: %s is %q, which is not a valid URL: set a URL that begins with https:// or http:// and contains a host name, or remove the variable", ErrConfiguration, name, withoutUser(text))
		}
		for _, kind := range []string{"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"} {
			if strings.EqualFold(e.Get(kind), "true") {
				return fmt.Errorf("%w: %s is true, which selects an AWS endpoint, but %s sets another URL: remove one of the two", ErrConfiguration, kind, name)
			}
		}
	}
	return nil
}

// withoutUser returns a URL without its user and password. The URL need not be valid.
func withoutUser(text string) string {
	if u, err := url.Parse(text); err == nil && u.Host != "" && u.User == nil {
		return text // an @ belongs to the path
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return text[strings.LastIndex(text, "@")+1:]
	}
	return scheme + "://" + rest[strings.LastIndex(rest, "@")+1:]
}

// noFile is the path of an empty file.
const noFile = "/dev/null"

// dispensable returns settings that are not needed to reach AWS. Without a bundle, the
// certificates of the system are used. If the credentials do not come from a profile or
// a file, neither is needed.
func (e Environment) dispensable(role bool) []map[string]string {
	bundle := map[string]string{"AWS_CA_BUNDLE": ""}
	files := map[string]string{
		"AWS_PROFILE": "", "AWS_DEFAULT_PROFILE": "", "AWS_CONFIG_FILE": noFile, "AWS_SHARED_CREDENTIALS_FILE": noFile,
	}
	if !role && (e.Get("AWS_ACCESS_KEY_ID") == "" || e.Get("AWS_SECRET_ACCESS_KEY") == "") {
		return []map[string]string{bundle}
	}
	both := maps.Clone(files)
	both["AWS_CA_BUNDLE"] = ""
	return []map[string]string{bundle, files, both}
}

// load loads the SDK's configuration. A setting that fails is ignored if it is
// dispensable.
func (e Environment) load(ctx context.Context, o Options, options []func(*config.LoadOptions) error) (aws.Config, error) {
	if e.Get == nil {
		cfg, err := config.LoadDefaultConfig(ctx, options...)
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrConfiguration, err)
		}
		return cfg, err
	}
	if err := e.settle(); err != nil {
		return aws.Config{}, fmt.Errorf("failed to correct the environment: %w", err)
	}
	role := o.RoleARN != ""
	if err := errors.Join(e.endpoints(role), e.region(o.Region == "" && o.NeedRegion)); err != nil {
		return aws.Config{}, err
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err == nil {
		return cfg, nil
	}
	wrong := named(e, err)
	for _, without := range e.dispensable(role) {
		before, err := e.replace(without)
		if err != nil {
			return aws.Config{}, err
		}
		if cfg, err := config.LoadDefaultConfig(ctx, options...); err == nil {
			e.Note(fmt.Sprintf("%s; continuing without %s", wrong, given(before)))
			return cfg, nil
		}
		if _, err := e.replace(before); err != nil {
			return aws.Config{}, err
		}
	}
	return aws.Config{}, fmt.Errorf("%w: %s", ErrConfiguration, wrong)
}

// replace sets variables and returns their previous values.
func (e Environment) replace(values map[string]string) (before map[string]string, err error) {
	before = map[string]string{}
	for name, value := range values {
		before[name] = e.Get(name)
		if err := e.Set(name, value); err != nil {
			return before, fmt.Errorf("failed to set %s: %w", name, err)
		}
	}
	return before, nil
}

// given names the variables that were set, or otherwise the configuration files.
func given(values map[string]string) string {
	var names []string
	for name, value := range values {
		if value != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "the AWS configuration files"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// named returns the variable that the SDK failed on if its message does not name it.
func named(e Environment, err error) string {
	var profile config.SharedConfigProfileNotExistError
	var file config.SharedConfigLoadError
	var path *fs.PathError
	switch {
	case errors.As(err, &profile):
		return fmt.Sprintf("AWS_PROFILE is set to the profile %q, which does not exist in the AWS configuration files", profile.Profile)
	case errors.As(err, &file):
		return fmt.Sprintf("AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE: the file %s cannot be read", file.Filename)
	case errors.As(err, &path) && path.Path == e.Get("AWS_CA_BUNDLE"):
		return fmt.Sprintf("AWS_CA_BUNDLE is set to the file %s, which cannot be read (%s)", path.Path, path.Err)
	case e.Get("AWS_WEB_IDENTITY_TOKEN_FILE") != "" && e.Get("AWS_ROLE_ARN") == "":
		return "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN, possibly by an earlier step: set both, or neither"
	case e.Get("AWS_CONTAINER_CREDENTIALS_FULL_URI") != "":
		uri := e.Get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
		return fmt.Sprintf("%s (AWS_CONTAINER_CREDENTIALS_FULL_URI is %q)", strings.ReplaceAll(err.Error(), uri, withoutUser(uri)), withoutUser(uri))
	case e.Get("AWS_CA_BUNDLE") != "":
		return fmt.Sprintf("%s (AWS_CA_BUNDLE is %s)", err, e.Get("AWS_CA_BUNDLE"))
	case e.Get("AWS_PROFILE") != "":
		return fmt.Sprintf("%s (AWS_PROFILE is %s)", err, e.Get("AWS_PROFILE"))
	}
	return err.Error()
}
