package verify

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is first used, because
// most rollbacks read no logs.
type pattern func() *regexp.Regexp

func newPattern(form string) pattern {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(form) })
}
