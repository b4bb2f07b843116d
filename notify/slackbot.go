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
	slackTries = 3 // of a call that Slack refuses with status 200
	slackPause = time.Second
)

var slackBotDefinition = Definition{
	Name:     "slack-bot",
	Required: []string{"slack-bot-token", "slack-channel"},
	Limit:    slackLimit,
	open: func(c Config, d Deps) Channel {
		if c.SlackBot.Token == "" || c.SlackBot.Channel == "" {
			return nil
		}
		return NewSlackBot(c.SlackBot, d)
	},
}

// SlackBotConfig configures a SlackBot.
type SlackBotConfig struct {
	APIURL  string // empty: SlackAPI
	Token   string
	Channel string // name or id
}

// SlackBot posts as an app's bot user, with the scope chat:write. It posts as
// soon as the alias has moved, replies in the thread when production is verified,
// and updates the first message:
// https://docs.slack.dev/reference/methods/chat.postMessage
// https://docs.slack.dev/reference/methods/chat.update
type SlackBot struct {
	config SlackBotConfig
	poster poster
	clock  Clock
	log    Log

	mu    sync.Mutex
	first slackMessageID // of the message that Begin has sent
}

// slackMessageID is where a message stands. Only the id of a channel can be updated in.
type slackMessageID struct{ channel, timestamp string }

// NewSlackBot makes the channel.
func NewSlackBot(c SlackBotConfig, d Deps) *SlackBot {
	c.APIURL = strings.TrimRight(cmp.Or(c.APIURL, SlackAPI), "/")
	return &SlackBot{config: c, poster: newPoster(d), clock: d.Clock, log: d.Log}
}

// Name is the channel's key in the output `notifications`.
func (*SlackBot) Name() string { return slackBotDefinition.Name }

// Begin posts the preliminary message and keeps its id.
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

// Send replies in the thread of the first message, shown to the whole channel if
// the result is not a good one, and updates the first message. Without a first
// message it posts one.
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
	reply, text := newSlackReply(a), newSlackText(a)
	broadcast := a.Severity == report.SeverityFailure || a.Severity == report.SeverityAttention
	for _, m := range []*slackMessage{&reply, &text} {
		m.Thread, m.Broadcast = first.timestamp, broadcast
	}
	_, err := s.send(ctx, reply, text)
	var refused slackError
	if !errors.As(err, &refused) {
		return err
	}
	s.log.Infof("%s: no answer in the thread (%s), so it goes to the channel", s.Name(), refused.code)
	_, err = s.send(ctx, newSlackMessage(a), newSlackText(a))
	return err
}

// update replaces the first message. That needs no other scope.
func (s *SlackBot) update(ctx context.Context, first slackMessageID, a report.Alert) error {
	m := newSlackMessage(a)
	m.Channel, m.Timestamp = first.channel, first.timestamp
	_, err := s.call(ctx, "chat.update", m)
	return err
}

// send posts a message, or the text alone if Slack refuses the layout.
func (s *SlackBot) send(ctx context.Context, m, text slackMessage) (slackMessageID, error) {
	m.Channel, text.Channel = s.config.Channel, s.config.Channel
	at, err := s.call(ctx, "chat.postMessage", m)
	var refused slackError
	if errors.As(err, &refused) && slackLayoutErrors[refused.code] {
		s.log.Infof("%s: Slack refused the layout (%s), so the text goes alone", s.Name(), refused.code)
		return s.call(ctx, "chat.postMessage", text)
	}
	return at, err
}

// call calls a method, again where Slack has a fault of its own.
func (s *SlackBot) call(ctx context.Context, method string, m slackMessage) (slackMessageID, error) {
	body, err := compactJSON(m)
	if err != nil {
		return slackMessageID{}, err
	}
	header := jsonHeader()
	header.Set("Authorization", "Bearer "+s.config.Token)
	for try := 1; ; try++ {
		got, err := s.poster.post(ctx, s.config.APIURL+"/"+method, header, body)
		if err != nil {
			return slackMessageID{}, err
		}
		at, err := parseSlackResponse(got)
		var refused slackError
		if !errors.As(err, &refused) || !slackTransientErrors[refused.code] || !got.ok() || try == slackTries || s.clock.Sleep(ctx, slackPause) != nil {
			return at, err
		}
	}
}

// parseSlackResponse reads the answer of a method: a refusal comes with status 200, too.
func parseSlackResponse(got response) (slackMessageID, error) {
	var body struct {
		OK      bool   `json:"ok"`
		Error   string `json:"error"`
		Needed  string `json:"needed"` // the scope
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}
	err := json.Unmarshal([]byte(got.body), &body)
	switch {
	case err == nil && body.Error != "":
		return slackMessageID{}, slackError{status: got.status, code: got.secrets.quote(body.Error), needed: got.secrets.quote(body.Needed)}
	case !got.ok():
		return slackMessageID{}, errors.New("Slack answered " + got.text())
	case err != nil || !body.OK:
		return slackMessageID{}, got.unconfirmed("Slack's `ok`")
	default:
		return slackMessageID{channel: body.Channel, timestamp: body.TS}, nil
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
