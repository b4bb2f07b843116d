package main

import (
	"context"
	"fmt"

	"github.com/org/lambda-rollback-action/test/emulator"
	"github.com/org/lambda-rollback-action/test/people"
)

// A performance is one act as it went.
type performance struct {
	finished

	act                   act
	run                   emulator.WorkflowRun
	before, after         []state
	siteBefore, siteAfter map[string]string // objects and their texts
	moves                 [][]string        // for each function, the states of its alias in the act
	calls                 []emulator.Call
	messages              []people.Message // in the order of the act's channels
	wrong                 []string         // what is not as it should be
}

// A shown scene is a scene with its acts as they went.
type shown struct {
	scene

	number       int // counted from 1
	performances []performance
}

// last is the act that is shown.
func (s shown) last() performance { return s.performances[len(s.performances)-1] }

// wrong is what went otherwise than it should in any act.
func (s shown) wrong() []string {
	var all []string
	for i, p := range s.performances {
		for _, text := range p.wrong {
			if len(s.performances) > 1 {
				text = fmt.Sprintf("start %d of the action: %s", i+1, text)
			}
			all = append(all, text)
		}
	}
	return all
}

// perform plays a scene. An error means that the scene could not be played, not
// that it ended wrong.
func perform(ctx context.Context, r *runner, s scene) (shown, error) {
	st, err := setUp(s, r.work)
	if err != nil {
		return shown{}, fmt.Errorf("failed to set the scene %q: %w", s.name, err)
	}
	defer st.close()
	out := shown{scene: s}
	for _, a := range s.acts {
		p, err := performAct(ctx, r, st, a)
		if err != nil {
			return shown{}, fmt.Errorf("failed to play the scene %q: %w", s.name, err)
		}
		out.performances = append(out.performances, p)
	}
	return out, nil
}

func performAct(ctx context.Context, r *runner, st *stage, a act) (performance, error) {
	p := performance{act: a}
	var err error
	if p.run, err = st.play(a); err != nil {
		return p, err
	}
	p.before, p.siteBefore = st.states(), st.site.objects()
	if p.finished, err = r.step(ctx, st, a, p.run); err != nil {
		return p, err
	}
	p.after, p.calls, p.siteAfter = st.states(), st.Journal(), st.site.objects()
	for _, channel := range a.told {
		p.messages = append(p.messages, st.people.Messages(channel)...)
	}
	for i := range st.functions {
		p.moves = append(p.moves, st.moves(i))
	}
	p.wrong = p.check(st)
	return p, st.end(a.run)
}

// toAWS are the calls to AWS, and how many of them change something.
func (p performance) toAWS() (calls, changing int) {
	for _, c := range p.calls {
		if c.Service != emulator.ServiceLambda && c.Service != emulator.ServiceSTS {
			continue
		}
		calls++
		if c.Mutates() {
			changing++
		}
	}
	return calls, changing
}
