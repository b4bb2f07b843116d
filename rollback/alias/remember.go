package alias

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// creator is what the memory alias needs beside moving it.
type creator interface {
	CreateAlias(context.Context, *lambda.CreateAliasInput, ...func(*lambda.Options)) (*lambda.CreateAliasOutput, error)
}

// maxRemember is how often the memory is written anew because somebody else
// wrote it at the same time.
const maxRemember = 3

// rememberLimit bounds how long the memory may hold up what comes after it.
const rememberLimit = 30 * time.Second

// recollect is the memory as it should be after a decision was carried out.
func (t *task) recollect(old Memory) Memory {
	m := old
	run := int64(0)
	if t.d.ByRun {
		run = t.o.Run.ID
	}
	for _, v := range t.d.Reject {
		m.Rejected = m.Rejected.Add(v, run)
	}
	if t.d.Unhealthy != 0 { // whether a run succeeds later says nothing about it
		m.Rejected = m.Rejected.Add(t.d.Unhealthy, 0)
	}
	if t.d.Unreject != 0 {
		m.Rejected = m.Rejected.Remove(t.d.Unreject)
	}
	switch {
	case t.d.Action == Move:
		m.Version, m.By = t.d.Target, ByRollback
		m.Run, m.Attempt, m.At = t.o.Run.ID, t.o.Run.Attempt, t.clock.Now()
	case old.Exists && old.Unreadable == "" && old.Version != 0:
		// Only what is rejected changes: who wrote the rest stays.
	default:
		// Nobody rolled back and nobody took a snapshot.
		m.Version, m.At = t.o.Alias.Version, t.clock.Now()
	}
	return m
}

// remember writes the memory alias. Failing to is a warning: the rollback
// itself is not touched by it.
func (t *task) remember(ctx context.Context) {
	ctx, cancel := context.WithTimeoutCause(ctx, rememberLimit, ErrTimeout)
	defer cancel()
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(t.Finish, readBackLimit, context.Cause(ctx))
		defer cancel()
	}
	for try := 1; ; try++ {
		m := t.recollect(t.o.Memory)
		t.result.Rejected = m.Rejected.Strings()
		if t.unchanged(m) {
			return
		}
		err := t.write(ctx, m)
		status := httpStatus(err)
		if (status == http.StatusPreconditionFailed || status == http.StatusConflict) && try < maxRemember {
			now, readErr := t.readMemory(ctx) // its error is explained already
			if readErr == nil {
				t.o.Memory = now
				continue
			}
			err = readErr
		}
		if err != nil {
			action := "UpdateAlias"
			if !t.o.Memory.Exists {
				action = "CreateAlias"
			}
			t.warnf("what was rejected could not be remembered in the alias %s: %s; until it is, the next rollback may choose version %s again",
				t.memoryName(), explain(err, action, t.memoryResource()).Text, strings.Join(t.result.Rejected, " or "))
			return
		}
		t.o.Memory = m
		return
	}
}

func (t *task) unchanged(m Memory) bool {
	old := t.o.Memory
	return old.Exists && old.Unreadable == "" && !old.Weighted && old.Version == m.Version && old.Description() == m.Description()
}

func (t *task) write(ctx context.Context, m Memory) error {
	name, version, description := t.memoryName(), versionText(m.Version), m.Description()
	if !m.Exists {
		t.log.Infof("CreateAlias: %s:%s on version %s, to remember: %s", t.Name, name, version, description)
		_, err := do(ctx, t.caller, "CreateAlias", func(ctx context.Context) (*lambda.CreateAliasOutput, error) {
			return t.Lambda.CreateAlias(ctx, &lambda.CreateAliasInput{
				FunctionName: &t.function, Name: &name, FunctionVersion: &version, Description: &description,
			}, unretried)
		})
		return err
	}
	t.log.Infof("UpdateAlias: %s:%s on version %s, to remember: %s", t.Name, name, version, description)
	_, err := do(ctx, t.caller, "UpdateAlias", func(ctx context.Context) (*lambda.UpdateAliasOutput, error) {
		return t.Lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{
			FunctionName: &t.function, Name: &name, FunctionVersion: &version, Description: &description,
			RevisionId:    aws.String(m.RevisionID),
			RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}},
		}, unretried)
	})
	return err
}

func (t *task) memoryName() string { return t.alias + MemorySuffix }

func (t *task) memoryResource() string { return fmt.Sprintf("%s:%s", t.function, t.memoryName()) }
