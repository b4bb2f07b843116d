package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/lambda-rollback-action/test/people"
)

// page prints for people.
type page struct {
	w      io.Writer
	colour bool
}

const introduction = `When a deploy to AWS Lambda fails, the alias “live”, which production calls, must go back to the version that worked. This action does that as the last job of the workflow. It remembers bad versions in a second alias, “live-rollback”. The job:`

const workflow = `rollback-on-failure:
  needs: [tests, deploy-production]
  if: failure()
  runs-on: ubuntu-latest
  permissions: {id-token: write, actions: read}
  steps:
    - uses: org/lambda-rollback-action@v1
      with:
        function-name: checkout-api
        aws-region: ` + region + `
        role-to-assume: ` + role + `
        needs: ${{ toJSON(needs) }}`

const reading = `Below, the real program runs as on a GitHub runner, with AWS and GitHub emulated on this machine. The memory alias is shown like “41 rejected=42@118 run=118/1 by=rollback”: version 41 is good, run 118 failed with version 42.`

// introduction fits one screen.
func (p page) introduction() {
	p.title("lambda-rollback-action: a deploy fails, and production returns to the version that worked")
	p.text("", introduction)
	p.text("    ", workflow)
	p.text("", reading)
	p.blank()
}

// scene shows one scene: the world before, what the program said, and the world
// after.
func (p page) scene(s shown) {
	last := s.last()
	p.title(fmt.Sprintf("%d  %s", s.number, s.title))
	p.text(p.bold("What happened: "), s.story)
	p.text(p.bold("What should happen: "), s.point)
	p.blank()
	p.runs(s)
	p.aliases(s)

	p.heading("The log of the step")
	for _, line := range p.renderLog(last.log) {
		bar := "  " + p.dim("│") + " " + strings.Repeat(" ", line.indent)
		p.styled(bar, bar+"  ", line.text, line.style)
	}
	p.blank()
	p.heading("Its outputs, for later steps")
	for _, name := range []string{"status", "reason", "rolled-back", "from-version", "to-version", "healthy", "message"} {
		if value := last.outputs[name]; value != "" {
			p.text(fmt.Sprintf("  %-13s ", name), value)
		}
	}
	p.blank()
	p.heading("Its summary, which GitHub shows as a page (Markdown; addresses of links cut)")
	for line := range strings.SplitSeq(strings.TrimRight(withoutAddresses(last.summary), "\n"), "\n") {
		p.styled("    ", "    "+hanging(line), line, nil)
	}
	p.blank()
	p.messages(last.messages)
	p.verdict(s)
}

// messages shows what people read on their phones and in their mail.
func (p page) messages(all []people.Message) {
	for _, m := range all {
		p.heading("The message by " + m.Channel + strings.TrimRight(" "+m.Method, " ") + " (its words alone)")
		bar := "  " + p.dim("│") + " "
		lines := strings.Split(strings.TrimRight(m.Text(), "\n"), "\n")
		for i, line := range lines {
			if i == mostLines {
				p.line(bar + p.dim(fmt.Sprintf("… and %d lines more", len(lines)-i)))
				break
			}
			p.styled(bar, bar+"  ", line, nil)
		}
		p.blank()
	}
}

// mostLines of a message are shown.
const mostLines = 60

// runs tells what GitHub's page of the run shows.
func (p page) runs(s shown) {
	p.heading("The run on GitHub")
	last := s.last()
	for _, before := range s.performances[:len(s.performances)-1] {
		p.text(fmt.Sprintf("  Before it, no. %d, attempt %d: ", before.run.Number, before.run.Attempt), before.outputs["message"])
	}
	p.run(last.act, last.act.run, last.run.Attempt)
	for _, other := range last.act.others {
		p.run(last.act, other, 1)
	}
	p.blank()
}

func (p page) run(a act, r run, number int) {
	attempt := ""
	if number > 1 {
		attempt = fmt.Sprintf(", attempt %d", number)
	}
	p.text("  ", fmt.Sprintf("%s no. %d%s: “%s” by %s, created %s ago",
		cmp.Or(r.workflow, "Deploy"), r.number, attempt, r.commit, r.actor, span(r.began)))
	for _, j := range r.jobs {
		took := span(j.from - j.to)
		switch j.result {
		case "":
			p.text("    ", p.bold("● ")+j.name+": this job, in progress: it runs the action"+asked(a))
		case "skipped":
			p.text("    ", p.dim("○ "+j.name+": skipped"))
		case "success":
			p.text("    ", p.green("✓ ")+j.name+": "+took)
		default:
			p.text("    ", p.red("✗ ")+fmt.Sprintf("%s: %s, failed in the step “%s”", j.name, took, j.failedStep))
		}
	}
}

// asked is what the workflow gave as inputs beyond the usual ones.
func asked(a act) string {
	inputs := maps.Clone(a.inputs)
	if a.well != nil {
		if inputs == nil {
			inputs = map[string]string{}
		}
		inputs["health-url"] = "a page of the API"
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		text.WriteString(", with " + name + ": " + inputs[name])
	}
	return text.String()
}

// aliases shows what each alias was before and after.
func (p page) aliases(s shown) {
	last := s.last()
	heading := "What the aliases point at"
	if len(last.siteBefore) > 0 {
		heading += ", and what the site's objects are"
	}
	p.heading(heading)
	room := 0
	for _, f := range s.functions {
		room = max(room, cells(f.name+":"+memory))
	}
	for i, f := range s.functions {
		before, after := last.before[i], last.after[i]
		p.alias(fmt.Sprintf("  %-*s  ", room, f.name+":"+alias), before.serving, after.serving)
		p.alias(fmt.Sprintf("  %-*s  ", room, f.name+":"+memory), cmp.Or(before.remembered, "none"), cmp.Or(after.remembered, "none"))
	}
	for _, key := range slices.Sorted(maps.Keys(last.siteBefore)) {
		p.alias(fmt.Sprintf("  s3://%s/%s  ", siteBucket, key), last.siteBefore[key], cmp.Or(last.siteAfter[key], "none"))
	}
	p.blank()
}

func (p page) alias(name, before, after string) {
	switch arrow := "→  "; {
	case before == after:
		p.text(name, before+p.dim("  (as before)"))
	case cells(name+before+after+arrow) < width:
		p.text(name, before+"  "+p.bold(arrow+after))
	default:
		p.text(name, before)
		p.text(strings.Repeat(" ", cells(name)), p.bold(arrow+after))
	}
}

func (p page) verdict(s shown) {
	last := s.last()
	calls, changing := last.toAWS()
	said := fmt.Sprintf("exit code %d, %d calls to AWS of which %d to change something, %d ms", last.exit, calls, changing, last.duration.Milliseconds())
	wrong := s.wrong()
	if len(wrong) == 0 {
		p.text("", p.green("✓ as expected")+": "+said)
	} else {
		p.text("", p.red("✗ NOT as expected")+": "+said)
		for _, text := range wrong {
			p.text("  ", p.red("✗ ")+text)
		}
	}
	p.blank()
}

// table closes the demo: a line for each scene.
func (p page) table(all []shown) {
	p.title("All scenes: the version of the alias “live” before and after, and the result")
	const row = "%-2s %-19s %-11s %-9s %-9s %-28s %5s %4s  %s"
	p.line(p.bold(fmt.Sprintf(row, "", "scene", "before", "after", "expected", "status/reason", "calls", "ms", "ok")))
	good := 0
	for _, s := range all {
		last := s.last()
		calls, _ := last.toAWS()
		ok, paint := "✗", p.red
		if len(s.wrong()) == 0 {
			ok, paint = "✓", p.green
			good++
		}
		p.line(fmt.Sprintf(row, strconv.Itoa(s.number), s.name,
			servings(last.before), servings(last.after), strings.Join(last.act.want.serves, " "),
			strings.TrimSuffix(last.outputs["status"]+"/"+last.outputs["reason"], "/"),
			strconv.Itoa(calls), strconv.FormatInt(last.duration.Milliseconds(), 10), paint(ok)))
	}
	p.line(p.dim("calls: to AWS, including retries · ms: from the start of the program to its exit"))
	p.blank()
	if good == len(all) {
		p.line(p.green(fmt.Sprintf("%d of %d scenes ended as they should.", good, len(all))))
		return
	}
	p.line(p.red(fmt.Sprintf("%d of %d scenes ended as they should; what is wrong with the others:", good, len(all))))
	for _, s := range all {
		for _, text := range s.wrong() {
			p.text(fmt.Sprintf("  %d  ", s.number), text)
		}
	}
}

func servings(states []state) string {
	texts := make([]string, 0, len(states))
	for _, s := range states {
		texts = append(texts, s.serving)
	}
	return strings.Join(texts, " ")
}

// span is a duration as GitHub shows it: 2m 45s.
func span(d time.Duration) string {
	return strings.TrimSuffix(strings.ReplaceAll(strings.ReplaceAll(d.String(), "m", "m "), "h", "h "), " 0s")
}

func dashed(text string) string { return strings.ReplaceAll(text, " ", "-") }
