package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// width of a terminal that the page fits.
const width = 100

type style func(string) string

func (p page) paint(code, text string) string {
	if !p.colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p page) bold(text string) string   { return p.paint("1", text) }
func (p page) dim(text string) string    { return p.paint("2", text) }
func (p page) red(text string) string    { return p.paint("31", text) }
func (p page) green(text string) string  { return p.paint("32", text) }
func (p page) yellow(text string) string { return p.paint("33", text) }
func (p page) blue(text string) string   { return p.paint("34", text) }

func (p page) line(text string) { fmt.Fprintln(p.w, strings.TrimRight(text, " ")) }
func (p page) blank()           { fmt.Fprintln(p.w) }

func (p page) title(text string) {
	p.line(p.bold(text))
	p.line(p.dim(strings.Repeat("─", width)))
}

func (p page) heading(text string) { p.line(p.bold(text)) }

// text prints paragraphs, each behind a label; its further lines stand below
// its beginning.
func (p page) text(label, text string) {
	p.styled(label, strings.Repeat(" ", cells(label)), text, nil)
}

// styled prints paragraphs in a style, their further lines behind next.
func (p page) styled(label, next, text string, paint style) {
	if paint == nil {
		paint = func(text string) string { return text }
	}
	for paragraph := range strings.SplitSeq(text, "\n") {
		for i, line := range wrap(paragraph, width-max(cells(label), cells(next))) {
			if i == 0 {
				p.line(label + paint(line))
				continue
			}
			p.line(next + paint(line))
		}
	}
}

var colours = regexp.MustCompile("\x1b\\[[0-9]*m")

// cells is how wide a text is on a terminal, near enough.
func cells(text string) int {
	return utf8.RuneCountInString(colours.ReplaceAllString(text, ""))
}

// wrap breaks a text at blanks. What has none is longer than a line.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for i, word := range strings.Split(text, " ") {
		switch {
		case i == 0:
			line = word
		case cells(line)+1+cells(word) > width && strings.TrimSpace(line) != "":
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
