package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
)

const idBytes = 16 // of the id of a delivery

// Webhook posts the result as JSON, signed as GitHub signs its own webhooks:
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
type Webhook struct {
	address string
	secret  string
	poster  poster
	random  io.Reader
}

// NewWebhook makes the channel. Without a secret nothing is signed. random is
// for the id of a delivery; client may be nil.
func NewWebhook(client *http.Client, address, secret string, random io.Reader) *Webhook {
	return &Webhook{address: address, secret: secret, poster: newPoster(client), random: random}
}

// Name is the channel's key in the output `notifications`.
func (*Webhook) Name() string { return "webhook" }

// Send posts the result. Any 2xx status is a yes. X-Delivery-Id is the same in
// every try, so that a receiver can tell a repetition.
func (w *Webhook) Send(ctx context.Context, n Notice) error {
	id := make([]byte, idBytes)
	if _, err := io.ReadFull(w.random, id); err != nil {
		return fmt.Errorf("failed to make an id for the delivery: %w", err)
	}
	header := http.Header{
		"Content-Type":  {"application/json; charset=utf-8"},
		"X-Event":       {"lambda-rollback"},
		"X-Delivery-Id": {hex.EncodeToString(id)},
	}
	if w.secret != "" {
		header.Set("X-Signature-256", sign(w.secret, n.Result))
	}
	if n.Alert.Trial {
		header.Set("X-Trial", "true")
	}
	answer, err := w.poster.post(ctx, w.address, header, n.Result)
	switch {
	case err != nil:
		return err
	case !answer.ok():
		return fmt.Errorf("the webhook answered %s", answer.words())
	default:
		return nil
	}
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
