package alias

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go/middleware"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Settings are the settings that people compare between two versions.
type Settings struct {
	values   []setting
	env      map[string][sha256.Size]byte // maps a name to a digest: the values are never kept
	identity string                       // equal if the code and all settings are equal; empty if unknown
	LogGroup string
	Timeout  time.Duration // how long an invocation may take; 0 if unknown
}

// value returns the value of a setting, or an empty string if there is none or it is
// not known.
func (s Settings) value(what string) string {
	for _, v := range s.values {
		if v.what == what {
			return v.value
		}
	}
	return ""
}

// Settings that must be the same for two versions that share the traffic.
const (
	settingRole        = "role"
	settingDeadLetters = "dead letter queue"
)

type setting struct {
	kind        report.ChangeKind
	what, value string
}

func settingsOf(c *lambda.GetFunctionConfigurationOutput) Settings {
	s := Settings{env: map[string][sha256.Size]byte{}, identity: identityOf(*c)}
	add := func(what, value string) { s.values = append(s.values, setting{what: what, value: value}) }

	s.values = append(s.values, setting{report.ChangeCode, "code SHA-256", aws.ToString(c.CodeSha256)})
	add("runtime", string(c.Runtime))
	add("handler", aws.ToString(c.Handler))
	add("memory", unit(aws.ToInt32(c.MemorySize), "MB"))
	add("timeout", unit(aws.ToInt32(c.Timeout), "s"))
	add("package type", string(c.PackageType))
	var architectures, layers []string
	for _, a := range c.Architectures {
		architectures = append(architectures, string(a))
	}
	for _, l := range c.Layers {
		layers = append(layers, aws.ToString(l.Arn))
	}
	add("architecture", strings.Join(architectures, ", "))
	add("layers", strings.Join(layers, ", "))
	add(settingRole, aws.ToString(c.Role))
	if c.DeadLetterConfig != nil {
		add(settingDeadLetters, aws.ToString(c.DeadLetterConfig.TargetArn))
	}
	s.Timeout = time.Duration(aws.ToInt32(c.Timeout)) * time.Second
	if c.EphemeralStorage != nil {
		add("ephemeral storage", unit(aws.ToInt32(c.EphemeralStorage.Size), "MB"))
	}
	if c.Environment != nil {
		for name, value := range c.Environment.Variables {
			s.env[name] = sha256.Sum256([]byte(value))
		}
	}
	if c.LoggingConfig != nil {
		s.LogGroup = aws.ToString(c.LoggingConfig.LogGroup)
	}
	return s
}

// identityOf returns a digest of everything that determines how a version runs: the
// whole configuration except the fields that always differ between versions.
func identityOf(c lambda.GetFunctionConfigurationOutput) string {
	if aws.ToString(c.CodeSha256) == "" {
		return ""
	}
	c.Version, c.FunctionArn, c.RevisionId, c.LastModified, c.Description, c.ConfigSha256 = nil, nil, nil, nil, nil, nil
	c.State, c.StateReason, c.StateReasonCode = "", nil, ""
	c.LastUpdateStatus, c.LastUpdateStatusReason, c.LastUpdateStatusReasonCode = "", nil, ""
	c.MasterArn, c.ResultMetadata = nil, middleware.Metadata{}
	text, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:])
}

func unit(n int32, unit string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// changes lists the differences between the version that the alias is moved away from
// and the target. For environment variables, it contains only names.
func changes(from, to Settings) []report.Change {
	var out []report.Change
	after := map[string]string{}
	for _, s := range to.values {
		after[s.what] = s.value
	}
	for _, s := range from.values {
		if s.value != after[s.what] {
			out = append(out, report.Change{Kind: s.kind, What: s.what, From: s.value, To: after[s.what]})
		}
	}
	names := maps.Clone(from.env)
	maps.Copy(names, to.env)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, was := from.env[name]
		now, is := to.env[name]
		what := "environment variable " + name
		switch {
		case !is:
			out = append(out, report.Change{What: what, From: "set", To: "not set"})
		case !was:
			out = append(out, report.Change{What: what, From: "not set", To: "set"})
		case before != now:
			out = append(out, report.Change{What: what, From: "one value", To: "another value"})
		}
	}
	return out
}
