package alias

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// maxMemoryWrites is how often the memory is written if somebody else writes it at the
// same time.
const maxMemoryWrites = 3

// memoryLimit limits how long the memory may delay what comes after it.
const memoryLimit = 30 * time.Second

// memoryStore writes the memory alias of one function.
type memoryStore struct {
	client *client
	name   string // the name of the function, for the log
	// finish outlives the context that a signal or the time limit ends.
	finish context.Context
}

// nextMemory returns the new content of the memory after a decision was carried out.
func nextMemory(old Memory, d Decision, o Observation, now time.Time) Memory {
	m := old
	m.Unread = nil // the current content is known
	run := int64(0)
	if d.ByRun {
		run = o.Run.ID
	}
	for _, v := range d.Reject {
		m.Rejected = m.Rejected.Add(v, run)
	}
	if d.Unhealthy != 0 { // a later success of a run proves nothing about it
		m.Rejected = m.Rejected.Add(d.Unhealthy, 0)
	}
	if d.Unreject != 0 {
		m.Rejected = m.Rejected.Remove(d.Unreject)
	}
	switch {
	case d.Action == Move:
		m.Version, m.By, m.Promotes = d.Target, ByRollback, 0
		m.Run, m.Attempt, m.At = o.Run.ID, o.Run.Attempt, now
	case old.Exists && old.Unreadable == "" && old.Version != 0:
		// Only the rejected versions change; the command that wrote the rest stays the
		// same.
	default:
		// There was no rollback and no snapshot.
		m.Version, m.At = o.Alias.Version, now
	}
	return m
}

// save writes the content that next derives from the memory, and repeats this if
// somebody else writes the memory at the same time. It returns the content that should
// be written, and the current content.
func (s *memoryStore) save(ctx context.Context, old Memory, next func(Memory) Memory) (wanted, stored Memory, err error) {
	if ctx.Err() == nil {
		within, cancel := context.WithTimeoutCause(ctx, memoryLimit, ErrTimeout)
		defer cancel()
		if wanted, stored, err = s.saveWithin(within, old, next); err == nil || ctx.Err() == nil {
			return wanted, stored, err
		}
	}
	// A signal or the time limit leaves some time for the memory.
	within, cancel := context.WithTimeoutCause(s.finish, readBackLimit, context.Cause(ctx))
	defer cancel()
	return s.saveWithin(within, old, next)
}

func (s *memoryStore) saveWithin(ctx context.Context, old Memory, next func(Memory) Memory) (wanted, stored Memory, err error) {
	for try := 1; ; try++ {
		wanted = next(old)
		if alreadyStored(old, wanted) {
			return wanted, old, nil
		}
		stored, err = s.write(ctx, old, wanted)
		if !s.again(ctx, old, try, err) {
			break
		}
		now, readErr := s.client.readMemory(ctx)
		if readErr != nil {
			return wanted, old, readErr
		}
		old = now
	}
	if err != nil {
		return wanted, old, err
	}
	return wanted, stored, nil
}

// again reports whether to read the memory and write it again: somebody else wrote it
// at the same time, or another operation is in progress, which it waits for.
func (s *memoryStore) again(ctx context.Context, old Memory, try int, err error) bool {
	calls := s.client.caller
	switch kind := classify(err); {
	case old.Unread != nil: // reading it does not help
		return false
	case kind == preconditionFailed:
		return try < maxMemoryWrites
	case kind == inProgress:
		return calls.clock.Sleep(ctx, pause(calls.clock.Now(), try, err)) == nil
	}
	return false
}

// alreadyStored reports whether a memory need not be written.
func alreadyStored(old, m Memory) bool {
	return old.Exists && old.Unreadable == "" && !old.Weighted && old.Version == m.Version && old.Description() == m.Description()
}

// write creates or updates the memory alias, which was read as old, and returns its
// new content. A memory alias that may not be read can be created, because that never
// overwrites anything; an update requires its revision. An alias of somebody else is
// not changed.
func (s *memoryStore) write(ctx context.Context, old, m Memory) (Memory, error) {
	c, name, version, description := s.client, s.client.memoryAlias(), versionText(m.Version), m.Description()
	if old.Foreign != "" {
		return old, &Problem{Reason: report.InvalidInput, Text: c.foreignMemory(old)}
	}
	if !old.Exists {
		c.caller.log.Infof("CreateAlias: %s:%s on version %s, with the Description: %s", s.name, name, version, description)
		out, err := do(ctx, c.caller, "CreateAlias", func(ctx context.Context) (*lambda.CreateAliasOutput, error) {
			out, err := c.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{
				FunctionName: &c.function, Name: &name, FunctionVersion: &version, Description: &description,
			}, unretried)
			if err == nil {
				err = complete(out.RevisionId)
			}
			return out, err
		})
		if old.Unread != nil && classify(err) == inProgress {
			return old, &Problem{Reason: old.Unread.Reason, Err: err, Text: old.Unread.Text + "; it exists, but is not overwritten because it could not be read"}
		}
		if err != nil {
			return old, s.explain(err, "CreateAlias")
		}
		m.Exists, m.RevisionID = true, aws.ToString(out.RevisionId)
		return m, nil
	}
	c.caller.log.Infof("UpdateAlias: %s:%s on version %s, with the Description: %s", s.name, name, version, description)
	out, err := do(ctx, c.caller, "UpdateAlias", func(ctx context.Context) (*lambda.UpdateAliasOutput, error) {
		out, err := c.lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{
			FunctionName: &c.function, Name: &name, FunctionVersion: &version, Description: &description,
			RevisionId:    aws.String(old.RevisionID),
			RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}},
		}, unretried)
		if err == nil {
			err = complete(out.RevisionId)
		}
		return out, err
	})
	if err != nil {
		return old, s.explain(err, "UpdateAlias")
	}
	m.Exists, m.RevisionID, m.Unreadable, m.Weighted = true, aws.ToString(out.RevisionId), "", false
	return m, nil
}

func (s *memoryStore) explain(err error, action string) error {
	return explain(err, action, s.client.memoryResource())
}
