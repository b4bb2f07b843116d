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
	first slackPlace // of the message that Begin has sent
}

// slackPlace is where a message stands. Only the id of a channel can be updated in.
type slackPlace struct{ channel, at string }

// NewSlackBot makes the channel. base is SlackAPI or a place that answers like
// it; channel is a name or an id; client may be nil. log is told what did not
// work and does not count.
func NewSlackBot(client *http.Client, base, token, channel string, log Log) *SlackBot {
	return &SlackBot{base: strings.TrimRight(cmp.Or(base, SlackAPI), "/"), token: token, channel: channel, poster: newPoster(client), log: log}
}

// Name is the channel's key in the output `notifications`.
func (*SlackBot) Name() string { return "slack-bot" }

// Begin posts the preliminary message, and keeps where it stands.
func (s *SlackBot) Begin(ctx context.Context, n Notice) error {
	at, err := s.say(ctx, slackFor(n.Alert), slackBare(n.Alert))
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
func (s *SlackBot) Send(ctx context.Context, n Notice) error {
	s.mu.Lock()
	first := s.first
	s.mu.Unlock()
	if first.at == "" {
		_, err := s.say(ctx, slackFor(n.Alert), slackBare(n.Alert))
		return err
	}
	err := s.answer(ctx, first, n.Alert)
	if failed := s.update(ctx, first, n.Alert); failed != nil {
		s.log.Infof("%s: the first message could not be brought up to date: %s", s.Name(), failed)
	}
	return err
}

// answer posts into the thread; where the first message is gone, into the channel.
func (s *SlackBot) answer(ctx context.Context, first slackPlace, a report.Alert) error {
	reply, bare := slackReply(a), slackBare(a)
	loud := a.Severity == report.SeverityFailure || a.Severity == report.SeverityAttention
	for _, m := range []*slackMessage{&reply, &bare} {
		m.Thread, m.Broadcast = first.at, loud
	}
	_, err := s.say(ctx, reply, bare)
	var refused slackRefusal
	if !errors.As(err, &refused) {
		return err
	}
	s.log.Infof("%s: no answer in the thread (%s), so it goes to the channel", s.Name(), refused.word)
	_, err = s.say(ctx, slackFor(a), slackBare(a))
	return err
}

// update shows in the channel how it ended. That needs no other scope.
func (s *SlackBot) update(ctx context.Context, first slackPlace, a report.Alert) error {
	m := slackFor(a)
	m.Channel, m.At = first.channel, first.at
	_, err := s.call(ctx, "chat.update", m)
	return err
}

// say posts a message, or the other one if Slack does not like how the first is made.
func (s *SlackBot) say(ctx context.Context, m, bare slackMessage) (slackPlace, error) {
	m.Channel, bare.Channel = s.channel, s.channel
	at, err := s.call(ctx, "chat.postMessage", m)
	var refused slackRefusal
	if errors.As(err, &refused) && slackDislikes[refused.word] {
		s.log.Infof("%s: Slack refused the layout (%s), so the text goes alone", s.Name(), refused.word)
		return s.call(ctx, "chat.postMessage", bare)
	}
	return at, err
}

// call asks for a method, again where Slack has a fault of its own.
func (s *SlackBot) call(ctx context.Context, method string, m slackMessage) (slackPlace, error) {
	body, err := m.json()
	if err != nil {
		return slackPlace{}, err
	}
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Authorization": {"Bearer " + s.token}}
	for try := 1; ; try++ {
		got, err := s.poster.post(ctx, s.base+"/"+method, header, body)
		if err != nil {
			return slackPlace{}, err
		}
		at, err := slackAnswer(got)
		var refused slackRefusal
		if !errors.As(err, &refused) || !slackPasses[refused.word] || !got.ok() || try == slackTries {
			return at, err
		}
		select {
		case <-time.After(slackPause):
		case <-ctx.Done():
			return at, err
		}
	}
}

// slackAnswer reads the answer of a method: a refusal comes with status 200, too.
func slackAnswer(got answer) (slackPlace, error) {
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
		return slackPlace{}, slackRefusal{status: got.status, word: got.secrets.line(said.Error), needed: got.secrets.line(said.Needed)}
	case !got.ok():
		return slackPlace{}, errors.New("Slack answered " + got.words())
	case err != nil || !said.OK:
		return slackPlace{}, got.unsure("Slack's `ok`")
	default:
		return slackPlace{channel: said.Channel, at: said.At}, nil
	}
}

// slackRefusal is Slack's own word for why it did not do as it was asked.
type slackRefusal struct {
	status       int
	word, needed string
}

func (r slackRefusal) Error() string {
	text := "Slack answered " + r.word
	if r.status != http.StatusOK {
		text = fmt.Sprintf("Slack answered %d %s", r.status, r.word)
	}
	if r.needed != "" {
		text += " (needed: " + r.needed + ")"
	}
	return withRemedy(text, slackBotRemedies[r.word]).Error()
}
