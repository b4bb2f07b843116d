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

// SlackAPI is the base URL of Slack's methods, except for GovSlack.
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
		if c.SlackBot.Token == "" || len(c.SlackBot.Channels) == 0 {
			return nil
		}
		return NewSlackBot(c.SlackBot, d)
	},
}

// SlackBotConfig configures a SlackBot.
type SlackBotConfig struct {
	APIURL   string // empty: SlackAPI
	Token    string
	Channels []string // names or ids
}

// SlackBot posts as an app's bot user, with the scope chat:write. It posts as
// soon as the alias has moved, replies in the thread when production is verified,
// and updates the first message:
// https://docs.slack.dev/reference/methods/chat.postMessage
// https://docs.slack.dev/reference/methods/chat.update
type SlackBot struct {
	config   SlackBotConfig
	poster   poster
	clock    Clock
	log      Log
	channels []*slackChannel
}

// slackChannel is one of the channels that a bot posts to. Each has its own thread.
type slackChannel struct {
	bot   *SlackBot
	name  string
	mu    sync.Mutex
	first slackMessageID // of the message that begin has sent
}

// slackMessageID identifies a message. Updates require the ID of the channel.
type slackMessageID struct{ channel, timestamp string }

// NewSlackBot creates the channel.
func NewSlackBot(c SlackBotConfig, d Deps) *SlackBot {
	c.APIURL = strings.TrimRight(cmp.Or(c.APIURL, SlackAPI), "/")
	s := &SlackBot{config: c, poster: newPoster(d), clock: d.Clock, log: d.Log}
	for _, name := range c.Channels {
		s.channels = append(s.channels, &slackChannel{bot: s, name: name})
	}
	return s
}

// Name is the channel's key in the output `notifications`.
func (*SlackBot) Name() string { return slackBotDefinition.Name }

// Begin posts the preliminary message to every channel.
func (s *SlackBot) Begin(ctx context.Context, n Notification) error {
	return s.inEachChannel(func(c *slackChannel) error { return c.begin(ctx, n.Alert) })
}

// Continue replies in the thread of each channel's first message, and leaves that
// message as it is.
func (s *SlackBot) Continue(ctx context.Context, n Notification) error {
	return s.inEachChannel(func(c *slackChannel) error { return c.proceed(ctx, n.Alert) })
}

// Send replies in the thread of each channel's first message, shown to the whole
// channel if the result is not a good one, and updates the first message. Without a
// first message it posts one.
func (s *SlackBot) Send(ctx context.Context, n Notification) error {
	return s.inEachChannel(func(c *slackChannel) error { return c.finish(ctx, n.Alert) })
}

// inEachChannel posts to the channels in parallel. The error names those that did
// not get the message, unless it is the same for all.
func (s *SlackBot) inEachChannel(post func(*slackChannel) error) error {
	errs := make([]error, len(s.channels))
	var posting sync.WaitGroup
	for i, c := range s.channels {
		posting.Go(func() { errs[i] = post(c) })
	}
	posting.Wait()
	var failed []string
	isSame := true
	for i, err := range errs {
		isSame = isSame && err != nil && errs[0] != nil && err.Error() == errs[0].Error()
		if errors.Is(err, context.DeadlineExceeded) {
			err = ErrNoAnswer
		}
		if err != nil {
			failed = append(failed, report.Line(s.channels[i].name, maxQuote)+": "+err.Error())
		}
	}
	switch {
	case len(failed) == 0:
		return nil
	case isSame:
		return errs[0]
	default:
		return fmt.Errorf("sent to %d of %d channels, but not to %s", len(errs)-len(failed), len(errs), strings.Join(failed, "; and not to "))
	}
}

// begin posts the preliminary message and keeps its id.
func (c *slackChannel) begin(ctx context.Context, a report.Alert) error {
	id, err := c.post(ctx, newSlackMessage(a), newSlackText(a))
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.first = id
	return nil
}

// proceed replies where there is a thread. Where there is none, the end is a message
// of its own, and says it all.
func (c *slackChannel) proceed(ctx context.Context, a report.Alert) error {
	first := c.opened()
	if first.timestamp == "" {
		return nil
	}
	return c.reply(ctx, first, a)
}

// opened is the first message; its timestamp is empty where there is none.
func (c *slackChannel) opened() slackMessageID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first
}

func (c *slackChannel) finish(ctx context.Context, a report.Alert) error {
	first := c.opened()
	if first.timestamp == "" {
		_, err := c.post(ctx, newSlackMessage(a), newSlackText(a))
		return err
	}
	err := c.reply(ctx, first, a)
	if failed := c.update(ctx, first, a); failed != nil {
		c.bot.log.Infof("%s: could not update the first message: %s", c.bot.Name(), failed)
	}
	return err
}

// reply posts into the thread; if the first message is gone, into the channel.
func (c *slackChannel) reply(ctx context.Context, first slackMessageID, a report.Alert) error {
	reply, text := newSlackReply(a), newSlackText(a)
	broadcast := a.Severity == report.SeverityFailure || a.Severity == report.SeverityAttention
	for _, m := range []*slackMessage{&reply, &text} {
		m.Thread, m.Broadcast = first.timestamp, broadcast
	}
	_, err := c.post(ctx, reply, text)
	refused, is := errors.AsType[slackError](err)
	if !is {
		return err
	}
	c.bot.log.Infof("%s: could not reply in the thread (%s), so the message goes to the channel", c.bot.Name(), refused.code)
	_, err = c.post(ctx, newSlackMessage(a), newSlackText(a))
	return err
}

// update replaces the first message. That needs no other scope.
func (c *slackChannel) update(ctx context.Context, first slackMessageID, a report.Alert) error {
	m := newSlackMessage(a)
	m.Channel, m.Timestamp = first.channel, first.timestamp
	_, err := c.bot.call(ctx, "chat.update", m)
	return err
}

// post posts a message, or the text alone if Slack refuses the layout.
func (c *slackChannel) post(ctx context.Context, m, text slackMessage) (slackMessageID, error) {
	m.Channel, text.Channel = c.name, c.name
	id, err := c.bot.call(ctx, "chat.postMessage", m)
	if refused, is := errors.AsType[slackError](err); is && slackLayoutErrors[refused.code] {
		c.bot.log.Infof("%s: Slack rejected the layout (%s), so only the text is sent", c.bot.Name(), refused.code)
		return c.bot.call(ctx, "chat.postMessage", text)
	}
	return id, err
}

// call calls a method, and retries if Slack has an internal error.
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

// parseSlackResponse reads the response of a method: an error also has the status 200.
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

// slackError is the error code that Slack returned.
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
