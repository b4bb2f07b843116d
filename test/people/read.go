package people

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
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
		var lines []string
		decoder := json.NewDecoder(bytes.NewReader(m.Body))
		for texts := range textsOf(decoder) {
			lines = append(lines, texts)
		}
		return strings.Join(lines, "\n")
	}
}

// textsOf gives the strings under keys that people read, in the order in which
// they stand.
func textsOf(decoder *json.Decoder) func(func(string) bool) {
	read := map[string]bool{"text": true, "title": true, "value": true, "summary": true, "fallback": true}
	return func(yield func(string) bool) {
		key := ""
		inObject, isKey := []bool{}, false
		for {
			token, err := decoder.Token()
			if err != nil {
				return
			}
			switch t := token.(type) {
			case json.Delim:
				switch t {
				case '{', '[':
					inObject = append(inObject, t == '{')
					isKey = t == '{'
					continue
				default:
					inObject = inObject[:len(inObject)-1]
				}
			case string:
				if isKey {
					key, isKey = t, false
					continue
				}
				if read[key] && strings.TrimSpace(t) != "" && !yield(t) {
					return
				}
			}
			isKey = len(inObject) > 0 && inObject[len(inObject)-1]
		}
	}
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
