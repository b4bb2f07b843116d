package rollback

import (
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

// channels are those that the inputs configure.
func (s *story) channels() []notify.Channel {
	slack, smtp := s.in.Slack, s.in.SMTP
	return notify.Open(notify.Config{
		SlackBot:     notify.SlackBotConfig{APIURL: s.Getenv("SLACK_API_URL"), Token: slack.BotToken, Channels: slack.Channels},
		SlackWebhook: notify.SlackWebhookConfig{URL: textOf(slack.WebhookURL)},
		Email: notify.EmailConfig{
			Host: smtp.Host, Port: smtp.Port, Username: smtp.Username, Password: smtp.Password, TLS: smtp.TLS,
			From: smtp.From, To: smtp.To, Cc: smtp.Cc,
		},
		Teams:   notify.TeamsConfig{URL: textOf(s.in.Teams.WebhookURL)},
		Webhook: notify.WebhookConfig{URL: textOf(s.in.Webhook.URL), Secret: s.in.Webhook.Secret},
	}, notify.Deps{HTTP: s.HTTP, Clock: s.Clock, Random: s.Random, Log: s.log})
}

// textOf is empty where there is no URL.
func textOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
}

func (s *story) dispatcher() *notify.Dispatcher {
	if s.told == nil {
		s.told = &notify.Dispatcher{Channels: s.channels(), Limit: channelLimit, Log: s.log}
	}
	return s.told
}

// notice words a result as it stands.
func (s *story) notice(r report.Result) notify.Notification {
	r = s.redactor.Result(r)
	return notify.Notification{Alert: report.AlertOf(r), Result: []byte(github.ResultJSON(r, s.log))}
}

// tellEarly tells the channels that can go on later, where it takes a while
// until production is proven. Nobody waits for it but those channels themselves.
func (s *story) tellEarly(moved []report.Function) {
	r := s.result
	r.Functions, r.Timestamp = moved, s.Clock.Now()
	report.Conclude(&r)
	if !r.Moved() || !s.in.AsksForChecks() || !notify.ShouldNotify(s.in.NotifyOn, r) {
		return
	}
	n := s.notice(r)
	n.Alert = n.Alert.Preliminarily()
	s.dispatcher().Begin(s.finish, n)
}

// tellPeople tells all channels how it ended, leaves behind on GitHub what was
// asked for, and puts into the result who was told. It changes nothing else, but
// for a check that tries the channels out.
func (s *story) tellPeople() {
	s.result.Notifications = map[string]string{}
	if s.result.Declined {
		return
	}
	dispatcher := s.dispatcher()
	wanted := len(dispatcher.Channels) > 0 && notify.ShouldNotify(s.in.NotifyOn, s.result)
	if !wanted && !s.in.FollowUps.AnyDue(s.result) {
		return
	}
	s.nameCommits()
	s.log.Group("Telling people")
	var followed sync.WaitGroup
	var left map[string]string
	var notes []report.Note
	followed.Go(func() { left, notes = s.api.FollowUp(s.finish, s.in.FollowUps, s.where, s.result, s.log) })
	trial := notify.IsTest(s.in.NotifyOn, s.result)
	var answers map[string]string
	if wanted {
		n := s.notice(s.result)
		if trial {
			n.Alert = n.Alert.AsTrial()
		}
		answers = dispatcher.Send(s.finish, n)
	}
	followed.Wait()
	s.log.EndGroup()
	s.keep(answers)
	maps.Copy(s.result.Notifications, left)
	s.note(notes...)
	if trial {
		s.tried(answers)
	}
}

// nameCommits finds out from which commits the versions were made that the
// result speaks of. After a signal there is no time for it.
func (s *story) nameCommits() {
	if s.api == nil || s.work.Err() != nil {
		return
	}
	var published []map[string]time.Time
	for _, f := range s.result.Functions {
		published = append(published, f.Published)
	}
	if !slices.ContainsFunc(published, func(all map[string]time.Time) bool { return len(all) > 0 }) {
		return
	}
	commits, err := s.api.CommitsOf(s.work, s.result.Run, published)
	if err != nil {
		s.log.Infof("not every version's commit is known: %s", err)
	}
	for i := range commits {
		s.result.Functions[i].Commits = commits[i]
	}
}

// keep puts the channels' answers into the result.
func (s *story) keep(answers map[string]string) {
	maps.Copy(s.result.Notifications, answers)
	var told []string
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		if answers[name] == notify.Sent {
			told = append(told, name)
			continue
		}
		s.note(report.Note{Warning: true, Text: fmt.Sprintf("%s was not told: %s", name, answers[name])})
	}
	if len(told) == 0 {
		return
	}
	moment := report.Moment{Event: report.Told, At: s.Clock.Now(), Detail: strings.Join(told, ", ")}
	for i := range s.result.Functions {
		if f := &s.result.Functions[i]; len(f.Timeline) > 0 {
			f.Timeline = append(f.Timeline, moment)
		}
	}
}

// tried turns the answers of a trial into checks: whoever asks for a trial wants
// to know before the night that a message is needed.
func (s *story) tried(answers map[string]string) {
	var outlooks []verify.Outlook
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		o := verify.Outlook{Check: report.Check{Name: "channel " + name, Status: verify.Passed, Detail: "a test message was taken"}}
		if answers[name] != notify.Sent {
			o.Status, o.Detail, o.Reason = verify.Failed, answers[name], report.NotificationFailed
		}
		outlooks = append(outlooks, o)
	}
	for i := range s.result.Functions {
		foresee(&s.result.Functions[i], outlooks, "whoever is to hear of it would not")
	}
	report.Conclude(&s.result)
}
