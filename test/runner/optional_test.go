package runner_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/test/people"
)

// optionalFaults is a wrong value for each input that neither decides nor makes a
// move, with what is needed beside it for the input to count.
var optionalFaults = map[string]struct {
	value  string
	beside map[string]string
	// said is what the fault repeats of the value; empty: all of it.
	said string
}{
	"environment":                {value: "prod\x01uction", said: `prod\x01uction`},
	"reason":                     {value: strings.Repeat("why ", 100), said: "399 characters"},
	"health-url":                 {value: "ftp://example.com/up"},
	"health-status":              {value: "9xx"},
	"health-successes":           {value: "0"},
	"health-interval":            {value: "-1s"},
	"health-timeout":             {value: "soon"},
	"health-body":                {value: "o\x01k", said: `o\x01k`},
	"invoke-payload":             {value: "{oops", said: "{oops"},
	"alarms":                     {value: "arn:aws:sns:eu-west-1:123456789012:alarm"},
	"observe":                    {value: "five"},
	"observe-api":                {value: "shop\x01", said: `shop\x01`},
	"on-unhealthy":               {value: "panic"},
	"max-steps":                  {value: "many"},
	"infrastructure":             {value: "pulumi"},
	"on-stack-in-progress":       {value: "hurry"},
	"stop-codedeploy":            {value: "perhaps"},
	"list-limit":                 {value: "most"},
	"allow-production-drill":     {value: "perhaps"},
	"site-bucket":                {value: "A_B"},
	"site-prefix":                {value: "w\x01/", said: `w\x01/`},
	"site-restore-to":            {value: "yesterday"},
	"site-manifest":              {value: "m\x01", said: `m\x01`},
	"site-entry-points":          {value: "a\x01.html", said: `a\x01`},
	"site-keep-new-assets":       {value: "perhaps"},
	"cloudfront-distribution-id": {value: "d1.cloudfront.net"},
	"cloudfront-origin-path":     {value: "no slash\x01", said: `no slash\x01`},
	"cloudfront-wait":            {value: "forever"},
	"slack-webhook-url":          {value: "http://example.com/T000s3cret"},
	"slack-bot-token":            {value: "xoxb s3cret"},
	"slack-channel":              {value: "two words"},
	"smtp-host":                  {value: "mail.example.com:25"},
	"smtp-port":                  {value: "99999"},
	"smtp-username":              {value: "ro\x01bot", said: `ro\x01bot`},
	"smtp-password":              {value: "s3cret\x01word"},
	"smtp-tls":                   {value: "some"},
	"email-from":                 {value: "nobody"},
	"email-to":                   {value: "a@shop.example; b@shop.example", said: "write a@shop.example, b@shop.example"},
	"email-cc":                   {value: "Acme, Inc. <a@shop.example>", said: `write "Acme, Inc." <a@shop.example>`},
	"teams-webhook-url":          {value: "s3cret room"},
	"webhook-url":                {value: "https://:443/s3cret"},
	"notify-on":                  {value: "rolled-back,sometimes", said: "sometimes"},
	"record-deployment":          {value: "2"},
	"comment-on-pull-request":    {value: "x"},
	"open-issue":                 {value: "yep"},
	"freeze-after-rollback":      {value: "maybe"},
	"steps":                      {value: "most of it"},
	"on-inconclusive":            {value: "pray"},
	"warm":                       {value: "very"},
	"allow-rejected":             {value: "maybe"},
	"unlock-deploys":             {value: "maybe"},
}

// takeAnyText are inputs in which nothing can be wrong.
var takeAnyText = []string{"github-token", "webhook-secret"}

func TestEveryInputIsEssentialOrCanBeWrong(t *testing.T) {
	t.Parallel()
	for _, d := range github.InputDefinitions() {
		_, optional := optionalFaults[d.Name]
		assert.NotEqual(t, d.Essential, optional || slices.Contains(takeAnyText, d.Name),
			"%s: either the input is Essential, or optionalFaults has a wrong value of it, or takeAnyText names it", d.Name)
	}
}

// wronged is a rollback that tells everybody, checks that production is well, and
// has wrong inputs.
func (s *scene) wronged(p *people.Services, wrong map[string]string) *step {
	st := s.telling(p).patient().input("health-url", s.answers(200))
	return st.inputs(wrong)
}

func TestAFaultInAnOptionalInputStopsNoMove(t *testing.T) {
	t.Parallel()
	definitions := map[string]github.Definition{}
	for _, d := range github.InputDefinitions() {
		definitions[d.Name] = d
	}
	for input, fault := range optionalFaults {
		t.Run(input, func(t *testing.T) {
			t.Parallel()
			s, p := newScene(t), listeners(t)
			f := s.function("api", 3)
			o := s.wronged(p, map[string]string{input: fault.value}).run()
			want, code := "rolled-back/previous-version", 0
			if input == "site-bucket" { // without a bucket no site is asked for
				want, code = "failed/invalid-input", 1
			}
			require.Equal(t, want, o.ended(), o.stdout)
			assert.Equal(t, code, o.code)
			assert.Equal(t, "true", o.outputs["rolled-back"])
			assert.Equal(t, "2", f.Serving("live"))

			d := definitions[input]
			said := fault.said
			if said == "" {
				said = fault.value
			}
			named := "input " + input + " "
			var told string
			for _, line := range o.annotations("error") {
				if strings.Contains(line, named) {
					told = line
				}
			}
			require.NotEmpty(t, told, "an error annotation")
			if d.Secret {
				assert.NotContains(t, o.everything(), "s3cret")
				assert.Contains(t, told, "not shown")
			} else {
				assert.Contains(t, strings.ReplaceAll(told, `\"`, `"`), strings.ReplaceAll(said, "\x01", `\x01`))
			}
			assert.Contains(t, told, "it takes ", "what mends it")
			assert.Contains(t, o.summary, named)
			assert.Contains(t, o.outputs["results"]+o.outputs["notifications"], named)
			well := "true"
			if d.Check != "" {
				well = "unknown"
				status, detail := o.proven(t).check(t, d.Check)
				if status == "passed" { // another URL
					status, detail = o.proven(t).last(d.Check)
				}
				assert.Equal(t, "inconclusive", status)
				assert.Contains(t, detail, named)
			}
			assert.Equal(t, well, o.outputs["healthy"])

			heard := 0
			for _, channel := range channels {
				var all []string
				for _, m := range p.Messages(channel) {
					all = append(all, text(m))
				}
				if heard += len(all); len(all) > 0 {
					assert.Containsf(t, strings.Join(all, "\n"), input, "%s is told of the fault", channel)
				}
			}
			assert.Positive(t, heard)
		})
	}
}

// last is the status and the detail of the last check of that name.
func (p proven) last(name string) (status, detail string) {
	for _, c := range p.Checks {
		if c.Name == name {
			status, detail = c.Status, c.Detail
		}
	}
	return status, detail
}

func TestAllOptionalInputsWrongAtOnceStopNoMove(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	wrong := map[string]string{}
	for input, fault := range optionalFaults {
		wrong[input] = fault.value
	}
	o := s.step().inputs(wrong).run()
	require.Equal(t, "failed/invalid-input unknown", o.end(), o.stdout)
	assert.Equal(t, 1, o.code, "the site was asked for, and was not restored")
	assert.Equal(t, "true", o.outputs["rolled-back"])
	assert.Equal(t, "2", f.Serving("live"))
	errors := strings.Join(o.annotations("error"), "\n")
	for _, input := range slices.Sorted(maps.Keys(wrong)) {
		assert.Contains(t, errors, "input "+input+" ")
		assert.Contains(t, o.summary, "input "+input+" ")
		assert.Contains(t, o.outputs["results"]+o.outputs["notifications"], "input "+input+" ")
	}
}

func TestAHalfGivenChannelStopsNoMove(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		channel string
		missing string
		says    string
	}{
		"the secret token of an environment is empty": {people.SlackBot, "slack-bot-token", `input slack-channel has "#deploys", which requires slack-bot-token`},
		"no channel for a token":                      {people.SlackBot, "slack-channel", "which requires slack-channel"},
		"a mail server and nobody to tell":            {people.Email, "email-to", `input smtp-host has "127.0.0.1", which requires email-to`},
		"a mail server and no sender":                 {people.Email, "email-from", "which requires email-from"},
		"a user without the password":                 {people.Email, "smtp-password", `input smtp-username has "robot", which requires smtp-password`},
		"receivers and no server":                     {people.Email, "smtp-host", "which requires smtp-host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := newScene(t), listeners(t)
			f := s.function("api", 3)
			o := s.wronged(p, map[string]string{c.missing: ""}).run()
			require.Equal(t, wellEnd, o.end(), o.stdout)
			assert.Equal(t, "2", f.Serving("live"))
			assert.Contains(t, strings.Join(o.annotations("error"), "\n"), c.says)
			told := o.notifications(t)
			assert.Contains(t, told[c.channel], c.says)
			assert.Empty(t, p.Messages(c.channel))
			for _, other := range channels {
				if other != c.channel {
					assert.Equal(t, "sent", told[other])
				}
			}
			require.Len(t, p.Messages(people.Webhook), 1)
			assert.Contains(t, text(p.Messages(people.Webhook)[0]), c.missing)
		})
	}
}

// A site is not restored to a state that was not meant.
func TestAFaultyInputOfTheSiteKeepsTheSiteAsItIs(t *testing.T) {
	t.Parallel()
	for _, input := range []string{"site-prefix", "site-restore-to", "site-manifest", "site-entry-points", "cloudfront-distribution-id"} {
		t.Run(input, func(t *testing.T) {
			t.Parallel()
			s := newSiteScene(t)
			f := s.function("api", 3)
			o := s.siteStep().input(input, optionalFaults[input].value).run()
			require.Equal(t, "failed/invalid-input", o.ended(), o.stdout)
			assert.Equal(t, 1, o.code)
			assert.Equal(t, "true", o.outputs["rolled-back"])
			assert.Equal(t, "2", f.Serving("live"))
			assert.Equal(t, "failed", o.site(t)["status"])
			assert.Equal(t, "invalid-input", o.site(t)["reason"])
			assert.Contains(t, o.site(t)["message"], "input "+input+" ")
			assert.Contains(t, o.outputs["message"], "input "+input+" ")
			assert.Equal(t, "bad page", s.text("www/index.html"))
		})
	}
}

func TestTheRightEntriesOfAListAreTold(t *testing.T) {
	t.Parallel()
	s, p := newScene(t), listeners(t)
	s.function("api", 3)
	o := s.wronged(p, map[string]string{"email-to": "oncall@shop.example\nnobody", "slack-channel": "C1,two words,C2"}).run()
	require.Equal(t, wellEnd, o.end(), o.stdout)
	assert.Contains(t, o.notifications(t)[people.Email], `input email-to has "nobody"`)
	assert.Contains(t, o.notifications(t)[people.Email], "for the other recipients: sent")
	require.Len(t, p.Messages(people.Email), 1)
	assert.Equal(t, []string{"oncall@shop.example"}, p.Messages(people.Email)[0].To)
	for _, channel := range []string{"C1", "C2"} {
		assert.True(t, slices.ContainsFunc(p.Messages(people.SlackBot), func(m people.Message) bool { return m.JSON()["channel"] == channel }), channel)
	}
}

// What is not urgent is refused, or not ready, until it is mended.
func TestAFaultInAnOptionalInputWhereThereIsTime(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"check": "not-ready/invalid-input",
		"drill": "failed/invalid-input",
	} {
		for _, input := range []string{"email-to", "health-status", "reason"} {
			t.Run(command+" "+input, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				f := s.function("api", 3)
				o := s.step().inputs(map[string]string{"command": command, "environment": "staging", input: optionalFaults[input].value}).run()
				require.Equal(t, want, o.ended(), o.stdout)
				assert.Equal(t, 1, o.code)
				assert.Contains(t, o.outputs["message"], "input "+input+" ")
				assert.Equal(t, "3", f.Serving("live"))
			})
		}
	}
}

// text is what a message says, with the lines that mail breaks joined.
func text(m people.Message) string { return strings.ReplaceAll(string(m.Body), "=\r\n", "") }
