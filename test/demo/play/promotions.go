package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/org/lambda-rollback-action/test/emulator"
	"github.com/org/lambda-rollback-action/test/promotions"
)

// promotionScene is a version that is promoted, in a process whose minutes pass at
// once.
type promotionScene struct {
	name, story string
	errors      float64 // the share of the new version's calls that fail
	live        bool    // the deploy tool has moved the alias already
	broken      bool    // the version fails when it is invoked
	inputs      map[string]string
	want        string // status/reason, and where the alias is then
}

func promotionScenes() []promotionScene {
	return []promotionScene{
		{
			name: "a canary that passes", story: "10% of the traffic, then half, then all of it.",
			want: "promoted/ 3",
		},
		{
			name: "a canary that is stopped", story: "A fifth of the new version's calls fail.", errors: 0.2,
			want: "failed/unhealthy 2",
		},
		{
			name: "blue-green", story: "The new version fails when it is invoked, before any traffic.", broken: true,
			inputs: map[string]string{"steps": "0%, 100% 5m", "invoke-payload": "{}"}, want: "failed/unhealthy 2",
		},
		{
			name: "a bake that goes back", story: "The deploy tool moved the alias, and then calls fail.", errors: 0.2, live: true,
			inputs: map[string]string{"steps": "100% 10m"}, want: "failed/unhealthy 2",
		},
	}
}

// played is what a promotion has left.
type played struct {
	promotionScene

	end     promotions.Ended
	serves  string
	minutes int
}

func (p played) right() bool { return p.end.How()+" "+p.serves == p.want }

// oneAtATime: the AWS SDK reads the environment of the process.
var oneAtATime sync.Mutex

func playPromotions(work string) ([]played, error) {
	oneAtATime.Lock()
	defer oneAtATime.Unlock()
	var all []played
	for i, s := range promotionScenes() {
		dir := filepath.Join(work, fmt.Sprintf("promotion-%d", i+1))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("failed to make a scratch directory: %w", err)
		}
		p, err := playPromotion(s, dir)
		if err != nil {
			return nil, fmt.Errorf("failed to play %q: %w", s.name, err)
		}
		all = append(all, p)
	}
	return all, nil
}

func playPromotion(s promotionScene, dir string) (played, error) {
	before := map[string]string{}
	setenv := func(name, value string) {
		before[name] = os.Getenv(name)
		_ = os.Setenv(name, value) // fails for names with = alone
	}
	w, err := promotions.New(dir, setenv, 600)
	defer func() {
		for name, value := range before {
			_ = os.Setenv(name, value)
		}
	}()
	if err != nil {
		return played{}, err
	}
	defer w.Close()
	w.Errors[3] = s.errors
	f := w.Functions[0]
	if s.live {
		err = f.SetAlias("live", 3, nil)
	}
	if s.broken {
		err = f.Change(3, func(v *emulator.Version) {
			v.Respond = func([]byte) emulator.Response {
				return emulator.Response{Error: "Unhandled", Payload: []byte(`{"errorMessage":"no module named rates"}`)}
			}
		})
	}
	if err != nil {
		return played{}, fmt.Errorf("failed to set the scene: %w", err)
	}
	inputs := map[string]string{"command": "promote", "deployed-version": "3"}
	maps.Copy(inputs, s.inputs)
	end, err := w.Step(inputs)
	return played{s, end, promotions.Serving(f), w.Minute}, err
}

// promotions is the table of promotions; whole: with the log of each.
func (p page) promotions(all []played, whole bool) {
	p.blank()
	p.title("Promotions: from version 2 to 3, 10 calls a second; the minutes pass at once")
	right := 0
	for i, s := range all {
		mark := p.green("✓")
		if s.right() {
			right++
		} else {
			mark = p.red("✗")
		}
		p.line(fmt.Sprintf("%s %d  %s %s after %d min; %s", mark, i+1, p.bold(fmt.Sprintf("%-26s", s.name)), strings.TrimSuffix(s.end.How(), "/"), s.minutes, "the alias is on version "+s.serves))
		p.styled("     ", "     ", s.story+" "+s.end.Outputs["message"], p.dim)
		if whole {
			for line := range strings.Lines(s.end.Log) {
				p.styled("       ", "         ", strings.TrimRight(line, "\n"), nil)
			}
		}
	}
	p.line(fmt.Sprintf("%d of %d promotions ended as they should", right, len(all)))
}
