package alias

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Lambda is AWS Lambda's API as far as it is used; *lambda.Client is one.
type Lambda interface {
	reader
	updater
	creator
}

// reader is what it takes to observe a function.
type reader interface {
	GetAlias(context.Context, *lambda.GetAliasInput, ...func(*lambda.Options)) (*lambda.GetAliasOutput, error)
	GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error)
	ListVersionsByFunction(context.Context, *lambda.ListVersionsByFunctionInput, ...func(*lambda.Options)) (*lambda.ListVersionsByFunctionOutput, error)
}

// updater is what it takes to move an alias.
type updater interface {
	UpdateAlias(context.Context, *lambda.UpdateAliasInput, ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error)
}

// creator is what the memory alias needs beside moving it.
type creator interface {
	CreateAlias(context.Context, *lambda.CreateAliasInput, ...func(*lambda.Options)) (*lambda.CreateAliasOutput, error)
}

// pageSize is the most that Lambda lists at once.
const pageSize = 50

// client reads one function, its versions, its alias and its memory alias.
type client struct {
	caller   caller
	lambda   Lambda
	function string // name or ARN, as the API takes it
	alias    string
}

func (c *client) memoryAlias() string { return c.alias + MemorySuffix }

// foreignMemory says that the memory's name is taken, and what to do.
func (c *client) foreignMemory(m Memory) string {
	return fmt.Sprintf("the alias %s is not this action's memory: its Description is %q, which this action did not write, so it is left alone; "+
		"give that alias another name, or set remember to false", c.memoryResource(), truncated(m.Foreign))
}

func (c *client) memoryResource() string { return c.function + ":" + c.memoryAlias() }

// resource names the alias in errors: by its ARN, where that was read.
func (c *client) resource(a Alias) string {
	if a.ARN != "" {
		return a.ARN
	}
	return c.function + ":" + c.alias
}

func (c *client) readAlias(ctx context.Context) (Alias, error) {
	out, err := do(ctx, c.caller, "GetAlias of "+c.alias, func(ctx context.Context) (*lambda.GetAliasOutput, error) {
		return c.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &c.function, Name: &c.alias}, unretried)
	})
	if err != nil {
		return Alias{}, err
	}
	a, err := aliasFrom(out.FunctionVersion, out.RoutingConfig)
	if err != nil {
		return Alias{}, &Problem{Reason: report.AWSError, Err: err, Text: fmt.Sprintf("the alias %s was not understood: %s", c.alias, err)}
	}
	a.ARN, a.RevisionID = aws.ToString(out.AliasArn), aws.ToString(out.RevisionId)
	return a, nil
}

// aliasFrom reads where an alias points. Lambda allows one further version.
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
		return Alias{}, fmt.Errorf("failed to read its routing config: it names %d further versions, one is the most Lambda has", len(routing.AdditionalVersionWeights))
	}
	for v, weight := range routing.AdditionalVersionWeights {
		if a.Weighted, err = parseNumber(v); err != nil {
			return Alias{}, fmt.Errorf("failed to read its routing config: %w", err)
		}
		a.Weight = weight
	}
	return a, nil
}

// readMemory reads the memory alias. That there is none is no error, nor that AWS
// refuses to tell: it counts as empty then.
func (c *client) readMemory(ctx context.Context) (Memory, error) {
	name := c.memoryAlias()
	out, err := do(ctx, c.caller, "GetAlias of "+name, func(ctx context.Context) (*lambda.GetAliasOutput, error) {
		return c.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &c.function, Name: &name}, unretried)
	})
	switch kind := classify(err); {
	case kind == notFound:
		return Memory{}, nil
	case err != nil && (kind == denied || kind == refused):
		return Memory{Unread: explain(err, "GetAlias", c.memoryResource())}, nil
	case err != nil:
		return Memory{}, explain(err, "GetAlias", c.memoryResource())
	}
	var m Memory
	if text := aws.ToString(out.Description); text != "" { // empty: somebody made the alias ahead of time
		if m, err = ParseDescription(text); err != nil {
			if foreign(text) {
				return Memory{Foreign: text}, nil
			}
			m = Memory{Unreadable: err.Error()}
		}
	}
	at, err := aliasFrom(out.FunctionVersion, out.RoutingConfig)
	if err != nil {
		m.Unreadable = err.Error()
	}
	m.Exists, m.RevisionID, m.Version, m.Weighted = true, aws.ToString(out.RevisionId), at.Version, at.Weighted != 0
	return m, nil
}

// explainMissing finds out, for a 404, whether it is the function that does not
// exist or the alias. AWS answers both alike but for its texts.
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

// readVersion reads a version's configuration. That there is none is no error.
func (c *client) readVersion(ctx context.Context, version int64) (Version, error) {
	qualifier := versionText(version)
	out, err := do(ctx, c.caller, "GetFunctionConfiguration of version "+qualifier, func(ctx context.Context) (*lambda.GetFunctionConfigurationOutput, error) {
		return c.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &c.function, Qualifier: &qualifier}, unretried)
	})
	if classify(err) == notFound {
		return Version{}, nil
	}
	if err != nil {
		return Version{}, explain(err, "GetFunctionConfiguration", c.function+":"+qualifier)
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

// parseModified reads a version's LastModified, such as
// 2026-11-22T03:04:05.678+0000. What does not parse is not known.
func parseModified(text *string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04:05.999999999-0700", time.RFC3339Nano} {
		if t, err := time.Parse(layout, aws.ToString(text)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// listVersions reads a page of versions, the oldest first as Lambda has them,
// with $LATEST before all; marker is where the last page ended, nil at first.
func (c *client) listVersions(ctx context.Context, marker *string, atMost int32) (*lambda.ListVersionsByFunctionOutput, error) {
	const call = "ListVersionsByFunction"
	out, err := do(ctx, c.caller, call, func(ctx context.Context) (*lambda.ListVersionsByFunctionOutput, error) {
		return c.lambda.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{
			FunctionName: &c.function, MaxItems: aws.Int32(atMost), Marker: marker,
		}, unretried)
	})
	if err != nil {
		return nil, explain(err, call, c.function)
	}
	return out, nil
}
