package github

import (
	"net/mail"
	"strings"
	"unicode"
)

// correctedAddresses rewrites email addresses in the accepted form: separated by
// commas, and with quotes around a display name that needs them. It returns "" if it
// cannot tell what was meant.
func correctedAddresses(text string) string {
	const separators = ",; \t"
	var list []string
	for text = strings.Trim(text, separators); text != ""; text = strings.Trim(text, separators) {
		head, tail, bracket := strings.Cut(text, "<")
		// Addresses without brackets may precede the next name.
		for head = strings.Trim(head, separators); head != ""; head = strings.Trim(head, separators) {
			end := strings.IndexAny(head, separators)
			if end < 0 {
				end = len(head)
			}
			address := bareAddress(head[:end])
			if address == "" {
				break
			}
			list, head = append(list, address), head[end:]
		}
		if !bracket {
			if head != "" {
				return ""
			}
			break
		}
		inner, rest, closed := strings.Cut(tail, ">")
		address := bareAddress(inner)
		if !closed || address == "" {
			return ""
		}
		list, text = append(list, named(head, address)), rest
	}
	corrected := strings.Join(list, ", ")
	_, err := mail.ParseAddressList(corrected)
	isEncoded := strings.Contains(corrected, "=?") // would be decoded as an encoded-word (RFC 2047)
	if err != nil || isEncoded || strings.ContainsFunc(corrected, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return corrected
}

// bareAddress returns text as an address without a display name; empty: it is not one.
func bareAddress(text string) string {
	text = strings.TrimPrefix(strings.Trim(text, ` "'`), "mailto:")
	if parsed, err := mail.ParseAddress(text); err != nil || parsed.Address != text {
		return ""
	}
	return text
}

// named puts a display name before an address.
func named(name, address string) string {
	name = strings.Join(strings.Fields(strings.ReplaceAll(name, `"`, "")), " ")
	if name == "" {
		return address
	}
	plain := name + " <" + address + ">"
	if parsed, err := mail.ParseAddress(plain); err == nil && parsed.Name == name {
		return plain
	}
	return `"` + strings.ReplaceAll(name, `\`, `\\`) + `" <` + address + ">"
}
