package rollback

import (
	"fmt"
	"maps"
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

// channels are those that the inputs name.
func (s *story) channels() []notify.Channel {
	var all []notify.Channel
	if in := s.in.Slack; in.WebhookURL != nil {
		all = append(all, notify.NewSlackWebhook(s.HTTP, in.WebhookURL.String()))
	}
	if in := s.in.Slack; in.BotToken != "" && in.Channel != "" {
		all = append(all, notify.NewSlackBot(s.HTTP, s.Getenv("SLACK_API_URL"), in.BotToken, in.Channel, s.log))
	}
	if in := s.in.SMTP; in.Host != "" && in.From != nil && len(in.To) > 0 {
		all = append(all, notify.NewEmail(notify.EmailOptions{
			Host: in.Host, Port: in.Port, Username: in.Username, Password: in.Password, TLS: in.TLS,
			From: in.From, To: in.To, Cc: in.Cc, Random: s.Random, Now: s.Clock.Now,
		}))
	}
	if in := s.in.Teams; in.WebhookURL != nil {
		all = append(all, notify.NewTeams(s.HTTP, in.WebhookURL.String()))
	}
	if in := s.in.Webhook; in.URL != nil {
		all = append(all, notify.NewWebhook(s.HTTP, in.URL.String(), in.Secret, s.Random))
	}
	return all
}

func (s *story) crier() *notify.Crier {
	if s.told == nil {
		s.told = &notify.Crier{Channels: s.channels(), Limit: channelLimit, Log: s.log}
	}
	return s.told
}

// notice words a result as it stands.
func (s *story) notice(r report.Result) notify.Notice {
	r = s.redactor.Result(r)
	return notify.Notice{Alert: report.AlertOf(r), Result: []byte(github.ResultJSON(r, s.log))}
}

// tellEarly tells the channels that can go on later, where it takes a while
// until production is proven. Nobody waits for it but those channels themselves.
func (s *story) tellEarly(moved []report.Function) {
	r := s.result
	r.Functions, r.Timestamp = moved, s.Clock.Now()
	report.Conclude(&r)
	if !r.Moved() || !s.in.AsksForChecks() || !notify.Wanted(s.in.NotifyOn, r) {
		return
	}
	n := s.notice(r)
	n.Alert = n.Alert.Preliminarily()
	s.crier().Begin(s.finish, n)
}

// tellPeople tells all channels how it ended, leaves behind on GitHub what was
// asked for, and puts into the result who was told. It changes nothing else, but
// for a check that tries the channels out.
func (s *story) tellPeople() {
	s.result.Notifications = map[string]string{}
	if s.result.Declined {
		return
	}
	crier := s.crier()
	wanted := len(crier.Channels) > 0 && notify.Wanted(s.in.NotifyOn, s.result)
	if !wanted && !s.in.FollowUps.AnyDue(s.result) {
		return
	}
	s.nameCommits()
	s.log.Group("Telling people")
	var followed sync.WaitGroup
	var left map[string]string
	var notes []report.Note
	followed.Go(func() { left, notes = s.api.FollowUp(s.finish, s.in.FollowUps, s.where, s.result, s.log) })
	trial := notify.IsTrial(s.in.NotifyOn, s.result)
	var answers map[string]string
	if wanted {
		n := s.notice(s.result)
		if trial {
			n.Alert = n.Alert.AsTrial()
		}
		answers = crier.Send(s.finish, n)
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
	var preflights []verify.Preflight
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		o := verify.Preflight{Check: report.Check{Name: "channel " + name, Status: report.CheckPassed, Detail: "a test message was taken"}}
		if answers[name] != notify.Sent {
			o.Check.Status, o.Check.Detail, o.Reason = report.CheckFailed, answers[name], report.NotificationFailed
		}
		preflights = append(preflights, o)
	}
	for i := range s.result.Functions {
		addPreflight(&s.result.Functions[i], preflights, "whoever is to hear of it would not")
	}
	report.Conclude(&s.result)
}
