package github

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is first used: compiling
// all of them took a third of the time that the process needs to start.
type pattern func() *regexp.Regexp

func newPattern(form string) pattern {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(form) })
}
