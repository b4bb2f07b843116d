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

// channelLimit is how long one channel may take, including retries. The outputs and
// the summary wait for the channels.
const channelLimit = 20 * time.Second

// notifier sends notifications and makes the follow-ups on GitHub.
type notifier struct {
	deps       Deps
	log        *github.Log
	redactor   *github.Redactor
	workflow   github.Context
	inputs     github.Inputs
	api        *github.API       // nil: GitHub's API cannot be called
	faults     map[string]string // problems of inputs, by key in the output notifications
	dispatcher *notify.Dispatcher
}

// newNotifier returns the notifier of the action. There is only one, because a
// channel that was notified of the move sends its later messages to the same thread.
func newNotifier(a *action) *notifier {
	if a.notifier != nil {
		return a.notifier
	}
	return &notifier{
		deps: a.deps, log: a.log, redactor: a.redactor, workflow: a.workflow, inputs: a.inputs, api: a.api, faults: channelFaults(a),
		dispatcher: &notify.Dispatcher{Channels: channels(a.inputs, a.deps, a.log), Limit: channelLimit, Log: a.log},
	}
}

// channels returns the channels that the inputs configure.
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

// textOf returns the URL as a string; empty for nil.
func textOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
}

// notifyMoved notifies the channels that can send updates right after the move, if
// checks follow or the site is still being restored, because these may take minutes.
// It does not wait for the channels.
func notifyMoved(a *action, moved []report.Function, restoring bool) {
	r := a.result
	r.Functions, r.Timestamp = moved, awsNow(a)
	report.Conclude(&r)
	checking := a.inputs.AsksForChecks()
	if !r.Moved() || !checking && !restoring || !notify.ShouldNotify(a.inputs.NotifyOn, r) {
		return
	}
	a.notifier = newNotifier(a)
	n := a.notifier.notice(r)
	n.Alert = n.Alert.AsPreliminary()
	if restoring {
		n.Alert = n.Alert.WithSiteInProgress(checking)
	}
	a.notifier.dispatcher.Begin(a.lifetime.finish, n)
}

// notify notifies all channels of the result, makes the follow-ups on GitHub, and
// records in the result who was notified, and the commits, notes and moments that were
// found on the way. The status changes only if a check sends test messages: those count
// as checks.
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

// notice returns the notification for a result.
func (n *notifier) notice(r report.Result) notify.Notification {
	r = n.redactor.Result(r)
	return notify.Notification{Alert: report.NewAlert(r), Result: []byte(github.ResultJSON(r, n.log))}
}

// nameCommits adds to the result the commits that its versions were built from. It
// does nothing after a signal, because there is no time for it.
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
		n.log.Infof("some commits of versions are missing from the report: %s", err)
	}
	for i := range commits {
		r.Functions[i].Commits = commits[i]
	}
}

// record adds the outcome of each channel to the result.
func (n *notifier) record(r *report.Result, answers map[string]string) {
	for name, answer := range answers {
		if fault := n.faults[name]; fault != "" { // some of its recipients are invalid
			answer = fault + "; for the other recipients: " + answer
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

// recordTrial turns the outcomes of the test messages into checks. If one fails, the
// result is not ready.
func recordTrial(r *report.Result, answers map[string]string) {
	var checks []verify.Preflight
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		o := verify.Preflight{Check: report.Check{Name: "channel " + name, Status: report.CheckPassed, Detail: "the test message was accepted"}}
		if answers[name] != notify.Sent {
			o.Check.Status, o.Check.Detail, o.Reason = report.CheckFailed, answers[name], report.NotificationFailed
		}
		checks = append(checks, o)
	}
	for i := range r.Functions {
		addPreflight(&r.Functions[i], checks, "notifications would not be delivered")
	}
	report.Conclude(r)
}
