package aws

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// ErrConfiguration marks an error of Open about a setting of the job's environment
// that no further try mends. Its text names the variable.
var ErrConfiguration = errors.New("the AWS settings of this job are wrong")

// Environment is the environment that the SDK reads.
type Environment struct {
	Get func(name string) string
	Set func(name, value string) error
	// Note is told of each variable that is not taken as it stands.
	Note func(text string)
}

// unused are variables for what this program does by itself, such as further tries,
// or not at all. The SDK loads no configuration where it does not know a value.
var unused = []string{
	"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "AWS_DEFAULTS_MODE", "AWS_DISABLE_CLOCK_SKEW_CORRECTION",
	"AWS_ENABLE_ENDPOINT_DISCOVERY", "AWS_DISABLE_REQUEST_COMPRESSION", "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
}

var (
	// keys never hold white space: what is there came from copying, or from a tool
	// that breaks lines.
	keys = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
	// trimmed may hold white space, but neither begin nor end with it.
	trimmed = []string{
		"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_STS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
	}
	// switches are true or false to the SDK, and nothing else.
	switches = []string{
		"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
		"AWS_EC2_METADATA_V1_DISABLED", "AWS_S3_USE_ARN_REGION", "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS",
	}
	spellings = map[string]string{"1": "true", "yes": "true", "on": "true", "t": "true", "y": "true", "0": "false", "no": "false", "off": "false", "f": "false", "n": "false"}
)

// settle sets right what can be read in one way only, and takes out what is not
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
			errs = append(errs, set(name, strings.Join(strings.Fields(now), ""), " holds line ends or spaces, which no key has: they were taken out; store the secret without them"))
		}
	}
	for _, name := range trimmed {
		if now := e.Get(name); now != strings.TrimSpace(now) {
			errs = append(errs, set(name, strings.TrimSpace(now), " begins or ends with a line end or a space, which was taken off"))
		}
	}
	for _, name := range switches {
		if value, known := spellings[strings.ToLower(e.Get(name))]; known {
			errs = append(errs, set(name, value, fmt.Sprintf(" is %q: taken as %s, which is how AWS spells it", e.Get(name), value)))
		}
	}
	return errors.Join(errs...)
}

// endpoints finds addresses that no call can be made to.
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
		if u, err := url.Parse(text); err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("%w: %s is %q, which is no address: give one that begins with https:// or http:// and names a host, or leave it out", ErrConfiguration, name, text)
		}
	}
	return nil
}

// noFile is read as an empty file.
const noFile = "/dev/null"

// dispensable are settings without which AWS can be reached, too: the certificates
// of the system are taken instead of a bundle; and where the credentials come from
// elsewhere, no profile and no file is needed.
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

// load loads the SDK's configuration. What it fails on is left aside, where it is
// dispensable.
func (e Environment) load(ctx context.Context, role bool, options []func(*config.LoadOptions) error) (aws.Config, error) {
	if e.Get == nil {
		cfg, err := config.LoadDefaultConfig(ctx, options...)
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrConfiguration, err)
		}
		return cfg, err
	}
	if err := e.settle(); err != nil {
		return aws.Config{}, fmt.Errorf("failed to set the environment right: %w", err)
	}
	if err := e.endpoints(role); err != nil {
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
			e.Note(fmt.Sprintf("%s; AWS is reached without %s", wrong, given(before)))
			return cfg, nil
		}
		if _, err := e.replace(before); err != nil {
			return aws.Config{}, err
		}
	}
	return aws.Config{}, fmt.Errorf("%w: %s", ErrConfiguration, wrong)
}

// replace sets variables and gives what they were.
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

// given names the variables that were set, else where the rest stands.
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

// named says which variable the SDK failed on, where its own text does not.
func named(e Environment, err error) string {
	var profile config.SharedConfigProfileNotExistError
	var file config.SharedConfigLoadError
	var path *fs.PathError
	switch {
	case errors.As(err, &profile):
		return fmt.Sprintf("AWS_PROFILE names the profile %q, which the AWS configuration files do not have", profile.Profile)
	case errors.As(err, &file):
		return fmt.Sprintf("AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE: the file %s cannot be read", file.Filename)
	case errors.As(err, &path) && path.Path == e.Get("AWS_CA_BUNDLE"):
		return fmt.Sprintf("AWS_CA_BUNDLE names the file %s, which cannot be read (%s)", path.Path, path.Err)
	case e.Get("AWS_WEB_IDENTITY_TOKEN_FILE") != "" && e.Get("AWS_ROLE_ARN") == "":
		return "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN, as an earlier step may leave it: set both, or none"
	case e.Get("AWS_CONTAINER_CREDENTIALS_FULL_URI") != "":
		return fmt.Sprintf("%s (AWS_CONTAINER_CREDENTIALS_FULL_URI is %q)", err, e.Get("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
	case e.Get("AWS_CA_BUNDLE") != "":
		return fmt.Sprintf("%s (AWS_CA_BUNDLE is %s)", err, e.Get("AWS_CA_BUNDLE"))
	}
	return err.Error()
}
