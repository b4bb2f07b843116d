package notify

import (
	"encoding/hex"
	"fmt"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// safeLink is nil where the address is not one of the web, for a click runs whatever
// stands in href. The alert's addresses were looked at before; this is the last
// chance to.
func safeLink(address, text, class, style string) g.Node {
	if webURL(address) == "" {
		return nil
	}
	return h.A(g.If(class != "", h.Class(class)), h.Href(escapeURL(address)), h.Style(style), g.Text(text))
}

// linkOrText is only the text if there is no URL.
func linkOrText(address, text string) g.Node {
	if a := safeLink(address, text, "link", "color:#0b5cad;text-decoration:none"); a != nil {
		return a
	}
	return g.Text(text)
}

// escapeURL escapes what may not stand in an address as it is (RFC 3986), and
// round brackets and single quotes too, where many a program thinks that an address
// ends. What is escaped already stays as it is.
func escapeURL(address string) string {
	var b strings.Builder
	for i := range len(address) {
		c := address[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			strings.IndexByte("-._~!#$&*+,/:;=?@[]", c) >= 0,
			c == '%' && isPercentEncoded(address[i:]):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

// isPercentEncoded reports whether a text begins as "%2f" does.
func isPercentEncoded(text string) bool {
	const length = 3
	if len(text) < length {
		return false
	}
	_, err := hex.DecodeString(text[1:length])
	return err == nil
}
