package github

import (
	"errors"
	"fmt"
	"iter"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const regionForm = `[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}`

var (
	regionPattern       = newPattern(`^` + regionForm + `$`)
	rolePattern         = newPattern(`^arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,576}$`)
	sessionNamePattern  = newPattern(`^[\w+=,.@-]{2,64}$`)
	wordPattern         = newPattern(`^[^\s\pC]+$`)
	bucketPattern       = newPattern(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	originPathPattern   = newPattern(`^/[!-~]*$`)
	distributionPattern = newPattern(`^[A-Z0-9]+$`)
	hostPattern         = newPattern(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$`)
	alarmARNPattern     = newPattern(`^arn:aws(?:-[a-z]+)*:cloudwatch:(` + regionForm + `):[0-9]{12}:alarm:(.+)$`)
	statusPattern       = newPattern(`^[1-5](?:[0-9]{2}|[xX]{2})$`)
)

// StatusRange is a range of HTTP status codes, including both ends.
type StatusRange struct{ First, Last int }

// Holds reports whether the code is in the range.
func (r StatusRange) Holds(code int) bool { return r.First <= code && code <= r.Last }

// AnyHolds reports whether the code is in one of the ranges.
func AnyHolds(ranges []StatusRange, code int) bool {
	return slices.ContainsFunc(ranges, func(r StatusRange) bool { return r.Holds(code) })
}

// StatusText returns the ranges as text for people: "200, 204 or 3xx".
func StatusText(ranges []StatusRange) string {
	words := make([]string, len(ranges))
	for i, r := range ranges {
		words[i] = strconv.Itoa(r.First)
		if r.Last != r.First {
			words[i] = fmt.Sprintf("%dxx", r.First/100)
		}
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
	return strings.Join(words, "")
}

// parseMatching reads a list in which every entry must match the pattern.
func parseMatching(p *inputParser, input string, pattern pattern) []string {
	return slices.DeleteFunc(p.set(input), func(entry string) bool {
		if pattern().MatchString(entry) {
			return false
		}
		p.fail(input, "has "+p.cite(input, entry))
		return true
	})
}

// parseStatuses reads a list of codes such as 200 and classes such as 2xx.
func parseStatuses(p *inputParser, input string) []StatusRange {
	var ranges []StatusRange
	for _, entry := range p.set(input) {
		if !statusPattern().MatchString(entry) {
			p.fail(input, "has "+quoteValue(entry))
			continue
		}
		if code, err := strconv.Atoi(entry); err == nil {
			ranges = append(ranges, StatusRange{code, code})
			continue
		}
		class := int(entry[0]-'0') * 100
		ranges = append(ranges, StatusRange{class, class + 99})
	}
	if len(ranges) == 0 && !p.failed(input) {
		p.fail(input, "has no entry")
	}
	return ranges
}

// parseURL parses an absolute http or https URL. Its errors contain no part of the
// text, which may be a secret.
func parseURL(text string) (*url.URL, error) {
	parsed, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return nil, errors.New("does not begin with https:// or http://")
	case parsed.Hostname() == "":
		return nil, errors.New("has no host")
	}
	return parsed, nil
}

func parseHealthURLs(p *inputParser) []*url.URL {
	var urls []*url.URL
	for _, entry := range unique(p, "health-url", splitBefore(beforeURL, p.text("health-url"))) {
		parsed, err := parseURL(entry)
		if err == nil && strings.ContainsFunc(entry, unicode.IsSpace) {
			err = errors.New("contains a space: write one URL per line")
		}
		if err != nil {
			p.fail("health-url", "has "+citeURL(entry)+", which "+err.Error())
			continue
		}
		urls = append(urls, parsed)
	}
	return urls
}

// lines splits text at line breaks.
func lines(text string) iter.Seq[string] {
	return strings.FieldsFuncSeq(text, func(char rune) bool { return char == '\n' || char == '\r' })
}

var (
	beforeURL = newPattern(`[,;]\s*(https?://)`)
	beforeARN = newPattern(`,\s*(arn:)`)
)

// splitBefore splits text at line breaks, and at the separators that the pattern
// matches. Other commas belong to the entries.
func splitBefore(pattern pattern, text string) []string {
	return entriesOf(func(yield func(string) bool) {
		for part := range lines(pattern().ReplaceAllString(text, "\n$1")) {
			if !yield(strings.Trim(part, ", \t")) {
				return
			}
		}
	})
}

// citeURL returns a URL for a message, with the user, the password and the query
// hidden.
func citeURL(text string) string {
	if end := strings.LastIndex(text, "@"); end >= 0 {
		text = "***" + text[end:]
	}
	if address, _, found := strings.Cut(text, "?"); found {
		text = address + "?***"
	}
	return quoteValue(text)
}

// parseWebhook reads a secret URL. Plain http is accepted only for loopback
// addresses: anywhere else, it would expose the secret.
func parseWebhook(p *inputParser, input string) *url.URL {
	value := p.text(input)
	if value == "" {
		return nil
	}
	parsed, err := parseURL(value)
	if err != nil {
		p.fail(input, "has a value (not shown) that "+err.Error())
		return nil
	}
	if parsed.Scheme == "http" && !isLoopback(parsed.Hostname()) {
		p.fail(input, "has a plain http URL (not shown), which would expose the secret: use https")
		return nil
	}
	return parsed
}

// parseAlarms reads names and ARNs of alarms. A name may contain commas. They are
// kept in ARNs and if there is more than one line; names on a single line are
// separated by commas.
func parseAlarms(p *inputParser) []Alarm {
	text := p.text("alarms")
	entries := splitBefore(beforeARN, text)
	if len(entries) == 1 && !strings.HasPrefix(text, "arn:") {
		entries = p.list("alarms")
	}
	var alarms []Alarm
	for _, entry := range unique(p, "alarms", entries) {
		switch match := alarmARNPattern().FindStringSubmatch(entry); {
		case match != nil:
			alarms = append(alarms, Alarm{Name: match[2], Region: match[1]})
		case strings.HasPrefix(entry, "arn:"):
			p.fail("alarms", "has "+quoteValue(entry)+", which is not the ARN of an alarm: write arn:aws:cloudwatch:<region>:<account>:alarm:<name>, or the name alone")
		default:
			alarms = append(alarms, Alarm{Name: entry})
		}
	}
	return alarms
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// parseHost reads a host name or IP address.
func parseHost(p *inputParser, input string) string {
	value := p.text(input)
	if value == "" || hostPattern().MatchString(value) {
		return value
	}
	if _, err := netip.ParseAddr(value); err == nil {
		return value
	}
	problem := "has " + p.cite(input, value)
	if _, _, err := net.SplitHostPort(value); err == nil {
		problem += ", which contains a port: set it in smtp-port instead"
	}
	p.fail(input, problem)
	return ""
}

// parseAddress reads one email address, with or without a display name.
func parseAddress(p *inputParser, input string) *mail.Address {
	addresses := parseAddresses(p, input)
	switch len(addresses) {
	case 0:
		return nil
	case 1:
		return addresses[0]
	}
	p.fail(input, "has "+strconv.Itoa(len(addresses))+" addresses")
	return nil
}

// parseAddresses reads email addresses. Each line is parsed as a whole, because a
// quoted display name may contain a comma.
func parseAddresses(p *inputParser, input string) []*mail.Address {
	var addresses []*mail.Address
	for line := range lines(p.text(input)) {
		line = strings.Trim(line, ", \t")
		if line == "" {
			continue
		}
		parsed, err := mail.ParseAddressList(line)
		for _, address := range parsed {
			if strings.ContainsFunc(address.Name+address.Address, unicode.IsControl) {
				err = errors.New("control character")
			}
		}
		if err != nil {
			problem := "has " + quoteValue(line)
			if right := correctedAddresses(line); right != "" && right != line {
				problem += ": write " + right
			}
			p.fail(input, problem)
			continue
		}
		addresses = append(addresses, parsed...)
	}
	return addresses
}
