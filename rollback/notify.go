package rollback

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// channelLimit is how long one channel may take, its retries included. Outputs
// and summary wait for it.
const channelLimit = 20 * time.Second

// notifier sends notifications, and leaves on GitHub what was asked for.
type notifier struct {
	deps       Deps
	log        *github.Log
	redactor   *github.Redactor
	workflow   github.Context
	inputs     github.Inputs
	api        *github.API       // nil: GitHub's API cannot be asked
	faults     map[string]string // of the inputs, by the names in the output notifications
	dispatcher *notify.Dispatcher
}

// newNotifier is the notifier of the action. There is one: a channel that was
// notified of the move goes on in the same thread.
func newNotifier(a *action) *notifier {
	if a.notifier != nil {
		return a.notifier
	}
	return &notifier{
		deps: a.deps, log: a.log, redactor: a.redactor, workflow: a.workflow, inputs: a.inputs, api: a.api, faults: channelFaults(a),
		dispatcher: &notify.Dispatcher{Channels: channels(a.inputs, a.deps, a.log), Limit: channelLimit, Log: a.log},
	}
}

// channels are those that the inputs name.
func channels(inputs github.Inputs, d Deps, log *github.Log) []notify.Channel {
	slack, smtp := inputs.Slack, inputs.SMTP
	return notify.Open(notify.Config{
		SlackBot:     notify.SlackBotConfig{APIURL: d.Getenv("SLACK_API_URL"), Token: slack.BotToken, Channels: slack.Channels},
		SlackWebhook: notify.SlackWebhookConfig{URL: textOf(slack.WebhookURL)},
		Email: notify.EmailConfig{
			Host: smtp.Host, Port: smtp.Port, Username: smtp.Username, Password: smtp.Password, TLS: smtp.TLS,
			From: smtp.From, To: smtp.To, Cc: smtp.Cc,
		},
		Teams:   notify.TeamsConfig{URL: textOf(inputs.Teams.WebhookURL)},
		Webhook: notify.WebhookConfig{URL: textOf(inputs.Webhook.URL), Secret: inputs.Webhook.Secret},
	}, notify.Deps{HTTP: d.HTTP, Clock: d.Clock, Random: d.Random, Log: log})
}

// textOf is empty where there is no URL.
func textOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
}

// notifyMoved notifies the channels that can go on later, where it takes a while
// until production is proven. Nobody waits for it but those channels themselves.
func notifyMoved(a *action, moved []report.Function) {
	r := a.result
	r.Functions, r.Timestamp = moved, a.deps.Clock.Now()
	report.Conclude(&r)
	if !r.Moved() || !a.inputs.AsksForChecks() || !notify.ShouldNotify(a.inputs.NotifyOn, r) {
		return
	}
	a.notifier = newNotifier(a)
	n := a.notifier.notice(r)
	n.Alert = n.Alert.AsPreliminary()
	a.notifier.dispatcher.Begin(a.lifetime.finish, n)
}

// notify notifies all channels of how it ended, leaves on GitHub what was asked
// for, and puts into the result who was notified. It changes nothing else, but for
// a check that tries the channels out.
func (n *notifier) notify(l Lifetime, r *report.Result) {
	r.Notifications = maps.Clone(n.faults)
	if r.Declined {
		return
	}
	wanted := len(n.dispatcher.Channels) > 0 && notify.ShouldNotify(n.inputs.NotifyOn, *r)
	if !wanted && !n.inputs.FollowUps.AnyDue(*r) {
		return
	}
	n.nameCommits(l.work, r)
	n.log.Group("Sending notifications")
	var followUps sync.WaitGroup
	var left map[string]string
	var notes []report.Note
	followUps.Go(func() { left, notes = n.api.FollowUp(l.finish, n.inputs.FollowUps, n.workflow, *r, n.log) })
	trial := notify.IsTest(n.inputs.NotifyOn, *r)
	var answers map[string]string
	if wanted {
		notice := n.notice(*r)
		if trial {
			notice.Alert = notice.Alert.AsTrial()
		}
		answers = n.dispatcher.Send(l.finish, notice)
	}
	followUps.Wait()
	n.log.EndGroup()
	n.record(r, answers)
	maps.Copy(r.Notifications, left)
	r.Notes = append(r.Notes, notes...)
	if trial {
		recordTrial(r, answers)
	}
}

// notice words a result as it stands.
func (n *notifier) notice(r report.Result) notify.Notification {
	r = n.redactor.Result(r)
	return notify.Notification{Alert: report.NewAlert(r), Result: []byte(github.ResultJSON(r, n.log))}
}

// nameCommits finds out from which commits the versions were made that the
// result speaks of. After a signal there is no time for it.
func (n *notifier) nameCommits(ctx context.Context, r *report.Result) {
	if n.api == nil || ctx.Err() != nil {
		return
	}
	var published []map[string]time.Time
	for _, f := range r.Functions {
		published = append(published, f.Published)
	}
	if !slices.ContainsFunc(published, func(all map[string]time.Time) bool { return len(all) > 0 }) {
		return
	}
	commits, err := n.api.CommitsOf(ctx, r.Run, published)
	if err != nil {
		n.log.Infof("not every version's commit is known: %s", err)
	}
	for i := range commits {
		r.Functions[i].Commits = commits[i]
	}
}

// record puts the channels' answers into the result.
func (n *notifier) record(r *report.Result, answers map[string]string) {
	for name, answer := range answers {
		if fault := n.faults[name]; fault != "" { // of some of those that it was to tell
			answer = fault + "; to the others: " + answer
		}
		r.Notifications[name] = answer
	}
	var sent []string
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		if answers[name] == notify.Sent {
			sent = append(sent, name)
			continue
		}
		r.Notes = append(r.Notes, report.Note{Warning: true, Text: fmt.Sprintf("%s was not notified: %s", name, answers[name])})
	}
	if len(sent) == 0 {
		return
	}
	moment := report.Moment{Event: report.Notified, At: n.deps.Clock.Now(), Detail: strings.Join(sent, ", ")}
	for i := range r.Functions {
		if f := &r.Functions[i]; len(f.Timeline) > 0 {
			f.Timeline = append(f.Timeline, moment)
		}
	}
}

// recordTrial turns the answers of a trial into checks: a person who asks for a trial
// wants to know before a notification is needed.
func recordTrial(r *report.Result, answers map[string]string) {
	var checks []verify.Preflight
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		o := verify.Preflight{Check: report.Check{Name: "channel " + name, Status: report.CheckPassed, Detail: "a test message was taken"}}
		if answers[name] != notify.Sent {
			o.Check.Status, o.Check.Detail, o.Reason = report.CheckFailed, answers[name], report.NotificationFailed
		}
		checks = append(checks, o)
	}
	for i := range r.Functions {
		addPreflight(&r.Functions[i], checks, "whoever is to hear of it would not")
	}
	report.Conclude(r)
}
