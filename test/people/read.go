package people

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"slices"
	"strings"
)

// Text is what a person reads of a message, without its looks: of an email the
// subject and the plain text, of the others the texts in their order.
func (m Message) Text() string {
	switch m.Channel {
	case Email:
		return m.emailText()
	case Webhook:
		var b bytes.Buffer
		if json.Indent(&b, m.Body, "", "  ") != nil {
			return string(m.Body)
		}
		return b.String()
	default:
		return strings.Join(linesOf(m.JSON()), "\n")
	}
}

// children are the keys under which Slack's blocks and Teams' cards have what
// is in them, in the order in which it is shown.
var children = []string{"blocks", "attachments", "content", "body", "elements", "items", "columns", "rows", "cells", "inlines"}

// address is what a link in Markdown leads to.
var address = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

// linesOf are the lines that a person sees, from top to bottom.
func linesOf(node any) []string {
	var lines []string
	switch n := node.(type) {
	case []any:
		for _, one := range n {
			lines = append(lines, linesOf(one)...)
		}
	case map[string]any:
		switch n["type"] {
		case "rich_text_section", "RichTextBlock": // on one line
			return joined(n, "")
		case "ColumnSet", "TableRow":
			return joined(n, "  ")
		case "actions", "ActionSet":
			return joined(n, " · ")
		case "FactSet":
			facts, _ := n["facts"].([]any)
			for _, fact := range facts {
				pair, _ := fact.(map[string]any)
				lines = append(lines, fmt.Sprintf("%v: %v", pair["title"], pair["value"]))
			}
			return lines
		}
		if text, ok := n["text"].(string); ok && n["blocks"] == nil && n["attachments"] == nil {
			lines = append(lines, address.ReplaceAllString(text, "$1"))
		} else if ok {
			lines = append(lines, "on the phone: "+text)
		}
		lines = append(lines, linesOf(n["text"])...)
		for _, key := range children {
			lines = append(lines, linesOf(n[key])...)
		}
		if titles := joined(map[string]any{"elements": n["actions"]}, " · "); len(titles) > 0 {
			lines = append(lines, titles...)
		}
	}
	return lines
}

// joined is what stands side by side, as one line.
func joined(n map[string]any, between string) []string {
	var texts []string
	for _, key := range children {
		inner, _ := n[key].([]any)
		for _, one := range inner {
			part, _ := one.(map[string]any)
			title, _ := part["title"].(string)
			texts = append(texts, append(linesOf(part), title)...)
		}
	}
	texts = slices.DeleteFunc(texts, func(text string) bool { return text == "" })
	if len(texts) == 0 {
		return nil
	}
	return []string{strings.Join(texts, between)}
}

// Part is a part of an email, decoded.
func (m Message) Part(mediaType string) string {
	message, err := mail.ReadMessage(bytes.NewReader(m.Body))
	if err != nil {
		return ""
	}
	kind, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return ""
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return ""
		}
		if kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type")); err != nil || kind != mediaType {
			continue
		}
		var body io.Reader = part
		switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
		case "quoted-printable":
			body = quotedprintable.NewReader(part)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, part)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			return ""
		}
		return strings.ReplaceAll(string(text), "\r\n", "\n")
	}
}

// Subject is an email's, decoded.
func (m Message) Subject() string {
	message, err := mail.ReadMessage(bytes.NewReader(m.Body))
	if err != nil {
		return ""
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil {
		return message.Header.Get("Subject")
	}
	return subject
}

func (m Message) emailText() string {
	return "Subject: " + m.Subject() + "\n\n" + m.Part("text/plain")
}
