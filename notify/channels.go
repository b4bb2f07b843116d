// Package notify sends the result of a command to people and programs: one file a
// channel, a registry of the channels, and a dispatcher that sends to all of them
// at once. Every channel formats the same alert for its service. Nothing here
// changes a result.
package notify

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Notification is what a channel sends.
type Notification struct {
	Alert report.Alert
	// Result is the result as JSON, for programs.
	Result []byte
}

// Channel is one way to notify. Send delivers a notification, or says why it could
// not, in a message that contains no secret, such as the URL of a webhook.
type Channel interface {
	// Name is the key in the output `notifications`, such as "slack-webhook".
	Name() string
	Send(ctx context.Context, n Notification) error
}

// Threaded is a channel that can send a first message before it is known how the
// command ends, and the rest in its thread: Begin opens the thread, Continue adds to
// it, Send ends it. Send without Begin is a message of its own; Continue without
// Begin sends nothing.
type Threaded interface {
	Channel
	Begin(ctx context.Context, n Notification) error
	Continue(ctx context.Context, n Notification) error
}

// Clock is the time, which tests replace. Sleep returns the error of ctx if that ends first.
type Clock interface {
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration) error
}

// Deps are the dependencies of the channels.
type Deps struct {
	HTTP   *http.Client // nil: the usual connections
	Clock  Clock
	Random io.Reader // for the ids of messages
	Log    Log
}

// Config configures the channels. A channel without a required value is not used.
type Config struct {
	SlackBot     SlackBotConfig
	SlackWebhook SlackWebhookConfig
	Email        EmailConfig
	Teams        TeamsConfig
	Webhook      WebhookConfig
}

// Definition describes a channel in the registry.
type Definition struct {
	Name string // that of the channel
	// Required are the inputs without which the channel is not used; Optional are
	// the others that configure it.
	Required, Optional []string
	Limit              Limit
	// open makes the channel; nil: it is not configured.
	open func(Config, Deps) Channel
}

// Limit is how much a service accepts in one message.
type Limit struct {
	Max    int    // 0: there is no limit
	Unit   string // what Max counts
	Source string // where the service documents it, or why there is no limit
}

// Registry lists every channel. TestEveryChannelKeepsTheContract says what else a
// new one needs.
func Registry() []Definition {
	return []Definition{slackBotDefinition, slackWebhookDefinition, emailDefinition, teamsDefinition, webhookDefinition}
}

// Open makes the channels that are configured.
func Open(c Config, d Deps) []Channel {
	var all []Channel
	for _, definition := range Registry() {
		if channel := definition.open(c, d); channel != nil {
			all = append(all, channel)
		}
	}
	return all
}

// hasTimeFor reports whether there is time for another try after the pause.
func hasTimeFor(ctx context.Context, clock Clock, pause time.Duration) bool {
	end, limited := ctx.Deadline()
	return ctx.Err() == nil && (!limited || end.Sub(clock.Now()) > pause)
}
