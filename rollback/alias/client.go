package alias

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Lambda is the part of the AWS Lambda API that this package uses; *lambda.Client
// implements it.
type Lambda interface {
	reader
	updater
	creator
}

// reader is the part that observes a function.
type reader interface {
	GetAlias(context.Context, *lambda.GetAliasInput, ...func(*lambda.Options)) (*lambda.GetAliasOutput, error)
	GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error)
	ListVersionsByFunction(context.Context, *lambda.ListVersionsByFunctionInput, ...func(*lambda.Options)) (*lambda.ListVersionsByFunctionOutput, error)
}

// updater is the part that moves an alias.
type updater interface {
	UpdateAlias(context.Context, *lambda.UpdateAliasInput, ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error)
}

// creator is the part that creates the memory alias.
type creator interface {
	CreateAlias(context.Context, *lambda.CreateAliasInput, ...func(*lambda.Options)) (*lambda.CreateAliasOutput, error)
}

// pageSize is the maximum that Lambda lists at once.
const pageSize = 50

// client reads one function, its versions, its alias and its memory alias.
type client struct {
	caller   caller
	lambda   Lambda
	function string // name or ARN, as the API accepts it
	alias    string
}

func (c *client) memoryAlias() string { return c.alias + MemorySuffix }

// foreignMemory says that the name of the memory alias is taken, and what to do.
func (c *client) foreignMemory(m Memory) string {
	return fmt.Sprintf("the alias %s is not this action's memory: its Description is %q, which this action did not write, so it is left alone; "+
		"give that alias another name, or set remember to false", c.memoryResource(), truncated(m.Foreign))
}

func (c *client) memoryResource() string { return c.function + ":" + c.memoryAlias() }

// resource names the alias in errors, by its ARN if that was read.
func (c *client) resource(a Alias) string {
	if a.ARN != "" {
		return a.ARN
	}
	return c.function + ":" + c.alias
}

func (c *client) readAlias(ctx context.Context) (Alias, error) {
	out, err := do(ctx, c.caller, "GetAlias of "+c.alias, func(ctx context.Context) (*lambda.GetAliasOutput, error) {
		return c.getAlias(ctx, c.alias)
	})
	if err != nil {
		return Alias{}, err
	}
	a, err := aliasFrom(out.FunctionVersion, out.RoutingConfig)
	if err != nil {
		return Alias{}, &Problem{Reason: report.AWSError, Err: err, Text: fmt.Sprintf("the alias %s could not be parsed: %s", c.alias, err)}
	}
	a.ARN, a.RevisionID = aws.ToString(out.AliasArn), aws.ToString(out.RevisionId)
	return a, nil
}

func (c *client) getAlias(ctx context.Context, name string) (*lambda.GetAliasOutput, error) {
	out, err := c.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &c.function, Name: &name}, unretried)
	if err == nil {
		err = complete(out.FunctionVersion, out.RevisionId)
	}
	return out, err
}

// aliasFrom reads where an alias points. Lambda allows one additional version.
func aliasFrom(version *string, routing *types.AliasRoutingConfiguration) (Alias, error) {
	a := Alias{Latest: aws.ToString(version) == "$LATEST"}
	var err error
	if !a.Latest {
		if a.Version, err = parseNumber(aws.ToString(version)); err != nil {
			return Alias{}, fmt.Errorf("failed to read its version: %w", err)
		}
	}
	if routing == nil {
		return a, nil
	}
	if len(routing.AdditionalVersionWeights) > 1 {
		return Alias{}, fmt.Errorf("failed to read its routing config: it names %d additional versions, but Lambda allows only one", len(routing.AdditionalVersionWeights))
	}
	for v, weight := range routing.AdditionalVersionWeights {
		if a.Weighted, err = parseNumber(v); err != nil {
			return Alias{}, fmt.Errorf("failed to read its routing config: %w", err)
		}
		a.Weight = weight
	}
	return a, nil
}

// readMemory reads the memory alias. It is not an error if the memory alias does not
// exist, or if AWS denies access: in both cases the memory is treated as empty.
func (c *client) readMemory(ctx context.Context) (Memory, error) {
	name := c.memoryAlias()
	out, err := do(ctx, c.caller, "GetAlias of "+name, func(ctx context.Context) (*lambda.GetAliasOutput, error) {
		return c.getAlias(ctx, name)
	})
	switch kind := classify(err); {
	case kind == notFound:
		return Memory{}, nil
	case err != nil && (kind == denied || kind == refused || kind == inProgress):
		return Memory{Unread: explain(err, "GetAlias", c.memoryResource())}, nil
	case err != nil:
		return Memory{}, explain(err, "GetAlias", c.memoryResource())
	}
	at, err := aliasFrom(out.FunctionVersion, out.RoutingConfig)
	return memoryOf(out.Description, out.RevisionId, at, err), nil
}

// explainLateMemory explains that the memory alias could not be read in time.
func (c *client) explainLateMemory(err error, patience time.Duration) *Problem {
	p := explain(err, "GetAlias", c.memoryResource())
	detail := ""
	if stopped, found := errors.AsType[*Stopped](p.Err); found {
		detail = stopped.LastTry()
	}
	return &Problem{Reason: p.Reason, Err: err, Text: fmt.Sprintf("GetAlias of %s did not succeed within %s after the alias was read%s", c.memoryResource(), report.DurationText(patience.Round(time.Second)), detail)}
}

// memoryOf reads the memory from its alias. odd says why the versions of the alias
// could not be parsed.
func memoryOf(description, revision *string, at Alias, odd error) (m Memory) {
	if text := aws.ToString(description); text != "" { // empty: somebody created the alias in advance
		var err error
		if m, err = ParseDescription(text); err != nil {
			if foreign(text) {
				return Memory{Foreign: text}
			}
			m = Memory{Unreadable: err.Error()}
		}
	}
	if odd != nil {
		m.Unreadable = odd.Error()
	}
	m.Exists, m.RevisionID, m.Version, m.Weighted = true, aws.ToString(revision), at.Version, at.Weighted != 0
	return m
}

// explainMissing finds out whether a 404 means that the function or the alias does not
// exist. The responses differ only in their texts.
func (c *client) explainMissing(ctx context.Context, err error) error {
	if classify(err) != notFound {
		return explain(err, "GetAlias", c.resource(Alias{}))
	}
	_, functionErr := do(ctx, c.caller, "GetFunctionConfiguration", func(ctx context.Context) (*lambda.GetFunctionConfigurationOutput, error) {
		return c.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &c.function}, unretried)
	})
	if classify(functionErr) == notFound {
		return &Problem{Reason: report.FunctionNotFound, Err: err, Text: fmt.Sprintf(
			"the function %s does not exist in this account and region: check function-name, aws-region and which account the credentials belong to", c.function)}
	}
	return &Problem{Reason: report.AliasNotFound, Err: err, Text: fmt.Sprintf(
		"the function %s has no alias %q: check the input alias; this action never creates the alias that serves production", c.function, c.alias)}
}

// readVersion reads the configuration of a version. It is not an error if the version
// does not exist.
func (c *client) readVersion(ctx context.Context, version int64) (Version, error) {
	out, err := do(ctx, c.caller, "GetFunctionConfiguration of version "+versionText(version), func(ctx context.Context) (Version, error) {
		return c.configuration(ctx, version)
	})
	if err != nil {
		return Version{}, c.explainVersion(err, version)
	}
	return out, nil
}

// tryLimit is the time limit for reading a version that may not be needed.
const tryLimit = 3 * time.Second

// tryVersion is readVersion with a single short try. The error is not explained yet.
func (c *client) tryVersion(ctx context.Context, version int64) (Version, error) {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	out, err := c.configuration(ctx, version)
	if err != nil {
		c.caller.log.Infof("could not read version %d ahead: %s; it is read again if it is needed", version, brief(err))
	}
	return out, err
}

func (c *client) explainVersion(err error, version int64) error {
	return explain(err, "GetFunctionConfiguration", c.function+":"+versionText(version))
}

// configuration makes the call.
func (c *client) configuration(ctx context.Context, version int64) (Version, error) {
	qualifier := versionText(version)
	out, err := c.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &c.function, Qualifier: &qualifier}, unretried)
	if err == nil {
		err = complete(out.Version)
	}
	if classify(err) == notFound {
		return Version{}, nil
	}
	if err != nil {
		return Version{}, err
	}
	return Version{
		Exists: true, Read: true,
		LastModified: parseModified(out.LastModified),
		State:        string(out.State),
		StateReason:  aws.ToString(out.StateReason),
		ReasonCode:   string(out.StateReasonCode),
		Settings:     settingsOf(out),
	}, nil
}

// parseModified parses the LastModified of a version, such as
// 2026-11-22T03:04:05.678+0000. A time that does not parse is treated as unknown.
func parseModified(text *string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04:05.999999999-0700", time.RFC3339Nano} {
		if t, err := time.Parse(layout, aws.ToString(text)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// listVersions reads a page of versions, in Lambda's order: $LATEST first, then the
// oldest version. marker is where the last page ended, and nil at first.
func (c *client) listVersions(ctx context.Context, marker *string, atMost int32) (*lambda.ListVersionsByFunctionOutput, error) {
	const call = "ListVersionsByFunction"
	out, err := do(ctx, c.caller, call, func(ctx context.Context) (*lambda.ListVersionsByFunctionOutput, error) {
		out, err := c.lambda.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{
			FunctionName: &c.function, MaxItems: aws.Int32(atMost), Marker: marker,
		}, unretried)
		if err == nil && marker == nil && len(out.Versions) == 0 { // $LATEST always exists
			err = complete(nil)
		}
		return out, err
	})
	if err != nil {
		return nil, explain(err, call, c.function)
	}
	return out, nil
}
