package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// SlackAPI is where Slack's methods are, GovSlack's apart.
const SlackAPI = "https://slack.com/api"

const (
	slackTries = 3 // where Slack says with status 200 that it failed
	slackPause = time.Second
)

// SlackBot posts as an app's bot user, with the scope chat:write. It is told at
// once when the alias has moved, answers itself in the thread when the proof is
// done, and brings the first message up to date:
// https://docs.slack.dev/reference/methods/chat.postMessage
// https://docs.slack.dev/reference/methods/chat.update
type SlackBot struct {
	base, token, channel string
	poster               poster
	log                  Log

	mu    sync.Mutex
	first slackMessageID // of the message that Begin has sent
}

// slackMessageID is where a message stands. Only the id of a channel can be updated in.
type slackMessageID struct{ channel, timestamp string }

// NewSlackBot makes the channel. base is SlackAPI or a place that answers like
// it; channel is a name or an id; client may be nil. log is told what did not
// work and does not count.
func NewSlackBot(client *http.Client, base, token, channel string, log Log) *SlackBot {
	return &SlackBot{base: strings.TrimRight(cmp.Or(base, SlackAPI), "/"), token: token, channel: channel, poster: newPoster(client), log: log}
}

// Name is the channel's key in the output `notifications`.
func (*SlackBot) Name() string { return "slack-bot" }

// Begin posts the preliminary message, and keeps where it stands.
func (s *SlackBot) Begin(ctx context.Context, n Notification) error {
	at, err := s.send(ctx, newSlackMessage(n.Alert), newSlackText(n.Alert))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = at
	return nil
}

// Send tells the end in the thread of the first message, for the whole channel
// to see if it is not a good one, and brings the first message up to date.
// Without a first message it posts one.
func (s *SlackBot) Send(ctx context.Context, n Notification) error {
	s.mu.Lock()
	first := s.first
	s.mu.Unlock()
	if first.timestamp == "" {
		_, err := s.send(ctx, newSlackMessage(n.Alert), newSlackText(n.Alert))
		return err
	}
	err := s.reply(ctx, first, n.Alert)
	if failed := s.update(ctx, first, n.Alert); failed != nil {
		s.log.Infof("%s: the first message could not be brought up to date: %s", s.Name(), failed)
	}
	return err
}

// reply posts into the thread; where the first message is gone, into the channel.
func (s *SlackBot) reply(ctx context.Context, first slackMessageID, a report.Alert) error {
	reply, bare := newSlackReply(a), newSlackText(a)
	loud := a.Severity == report.SeverityFailure || a.Severity == report.SeverityAttention
	for _, m := range []*slackMessage{&reply, &bare} {
		m.Thread, m.Broadcast = first.timestamp, loud
	}
	_, err := s.send(ctx, reply, bare)
	var refused slackError
	if !errors.As(err, &refused) {
		return err
	}
	s.log.Infof("%s: no answer in the thread (%s), so it goes to the channel", s.Name(), refused.code)
	_, err = s.send(ctx, newSlackMessage(a), newSlackText(a))
	return err
}

// update shows in the channel how it ended. That needs no other scope.
func (s *SlackBot) update(ctx context.Context, first slackMessageID, a report.Alert) error {
	m := newSlackMessage(a)
	m.Channel, m.Timestamp = first.channel, first.timestamp
	_, err := s.call(ctx, "chat.update", m)
	return err
}

// send posts a message, or the other one if Slack does not like how the first is made.
func (s *SlackBot) send(ctx context.Context, m, bare slackMessage) (slackMessageID, error) {
	m.Channel, bare.Channel = s.channel, s.channel
	at, err := s.call(ctx, "chat.postMessage", m)
	var refused slackError
	if errors.As(err, &refused) && slackLayoutErrors[refused.code] {
		s.log.Infof("%s: Slack refused the layout (%s), so the text goes alone", s.Name(), refused.code)
		return s.call(ctx, "chat.postMessage", bare)
	}
	return at, err
}

// call asks for a method, again where Slack has a fault of its own.
func (s *SlackBot) call(ctx context.Context, method string, m slackMessage) (slackMessageID, error) {
	body, err := m.json()
	if err != nil {
		return slackMessageID{}, err
	}
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Authorization": {"Bearer " + s.token}}
	for try := 1; ; try++ {
		got, err := s.poster.post(ctx, s.base+"/"+method, header, body)
		if err != nil {
			return slackMessageID{}, err
		}
		at, err := parseSlackResponse(got)
		var refused slackError
		if !errors.As(err, &refused) || !slackTransientErrors[refused.code] || !got.ok() || try == slackTries {
			return at, err
		}
		select {
		case <-time.After(slackPause):
		case <-ctx.Done():
			return at, err
		}
	}
}

// parseSlackResponse reads the answer of a method: a refusal comes with status 200, too.
func parseSlackResponse(got response) (slackMessageID, error) {
	var said struct {
		OK      bool   `json:"ok"`
		Error   string `json:"error"`
		Needed  string `json:"needed"` // the scope
		Channel string `json:"channel"`
		At      string `json:"ts"`
	}
	err := json.Unmarshal([]byte(got.body), &said)
	switch {
	case err == nil && said.Error != "":
		return slackMessageID{}, slackError{status: got.status, code: got.secrets.line(said.Error), needed: got.secrets.line(said.Needed)}
	case !got.ok():
		return slackMessageID{}, errors.New("Slack answered " + got.text())
	case err != nil || !said.OK:
		return slackMessageID{}, got.unconfirmed("Slack's `ok`")
	default:
		return slackMessageID{channel: said.Channel, timestamp: said.At}, nil
	}
}

// slackError is Slack's own word for why it did not do as it was asked.
type slackError struct {
	status       int
	code, needed string
}

func (r slackError) Error() string {
	text := "Slack answered " + r.code
	if r.status != http.StatusOK {
		text = fmt.Sprintf("Slack answered %d %s", r.status, r.code)
	}
	if r.needed != "" {
		text += " (needed: " + r.needed + ")"
	}
	return withRemedy(text, slackBotRemedies[r.code]).Error()
}
