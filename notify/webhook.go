package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/org/lambda-rollback-action/rollback/report"
)

var webhookDefinition = Definition{
	Name:     "webhook",
	Required: []string{"webhook-url"},
	Optional: []string{"webhook-secret"},
	Limit:    Limit{Source: "the receiver is the user's own program, and gets the complete result"},
	open: func(c Config, d Deps) Channel {
		if c.Webhook.URL == "" {
			return nil
		}
		return NewWebhook(c.Webhook, d)
	},
}

// WebhookConfig configures a Webhook.
type WebhookConfig struct {
	URL    string
	Secret string // empty: nothing is signed
}

const idBytes = 16 // of the id of a delivery

// Webhook posts the result as JSON, signed as GitHub signs its own webhooks:
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
type Webhook struct {
	config WebhookConfig
	poster poster
	random io.Reader
}

// NewWebhook makes the channel.
func NewWebhook(c WebhookConfig, d Deps) *Webhook {
	return &Webhook{config: c, poster: newPoster(d), random: d.Random}
}

// Name is the channel's key in the output `notifications`.
func (*Webhook) Name() string { return webhookDefinition.Name }

// Send posts the result. Any 2xx status is a yes. X-Delivery-Id is the same in
// every try, so that a receiver can tell a repetition.
func (w *Webhook) Send(ctx context.Context, n Notification) error {
	id := make([]byte, idBytes)
	if _, err := io.ReadFull(w.random, id); err != nil {
		return fmt.Errorf("failed to create a delivery ID: %w", err)
	}
	header := jsonHeader()
	header.Set("X-Event", "lambda-rollback")
	header.Set("X-Delivery-Id", hex.EncodeToString(id))
	body, err := webhookBody(n)
	if err != nil {
		return err
	}
	if w.config.Secret != "" {
		header.Set("X-Signature-256", sign(w.config.Secret, body))
	}
	if n.Alert.Trial {
		header.Set("X-Trial", "true")
	}
	answer, err := w.poster.post(ctx, w.config.URL, header, body)
	switch {
	case err != nil:
		return err
	case !answer.ok():
		return fmt.Errorf("the webhook answered %s", answer.text())
	default:
		return nil
	}
}

// webhookBody is the result, an object with the action's outputs as its fields,
// with the alert in one more: what a program that words a message of its own
// needs beside the outputs.
func webhookBody(n Notification) ([]byte, error) {
	a := n.Alert
	type page struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	type fact struct {
		Name string `json:"name"`
		Text string `json:"text"`
		URL  string `json:"url"`
	}
	alert := struct {
		Severity      report.Severity `json:"severity"`
		Trial         bool            `json:"trial"`
		Headline      string          `json:"headline"`
		Facts         []fact          `json:"facts"`
		Verdict       string          `json:"verdict"`
		Next          []string        `json:"next"`
		NotRolledBack string          `json:"not-rolled-back"`
		Links         []page          `json:"links"`
	}{a.Severity, a.Trial, a.Headline, []fact{}, a.Verdict, append([]string{}, a.Next...), a.NotRolledBack, []page{}}
	for _, f := range a.Facts {
		alert.Facts = append(alert.Facts, fact(f))
	}
	for _, l := range a.Links {
		alert.Links = append(alert.Links, page(l))
	}
	text, err := json.Marshal(alert)
	if err != nil {
		return nil, fmt.Errorf("failed to write the alert as JSON: %w", err)
	}
	fields := bytes.TrimSuffix(bytes.TrimSpace(n.Result), []byte("}"))
	if len(fields) > len("{") {
		fields = append(fields, ',')
	}
	return slices.Concat(fields, []byte(`"alert":`), text, []byte("}")), nil
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
