package rollback

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestClocksAreCompared(t *testing.T) {
	t.Parallel()
	type answer struct {
		ahead, took time.Duration // of the clock that gave it
		date        string        // instead
	}
	now := time.Date(2026, 11, 22, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		aws, github []answer
		difference  time.Duration
		ahead       time.Duration
	}{
		"nobody has answered":          {nil, nil, 0, 0},
		"AWS alone, and we are behind": {[]answer{{ahead: time.Hour}}, nil, 0, time.Hour},
		"GitHub alone":                 {nil, []answer{{ahead: time.Hour}}, 0, 0},
		"all agree":                    {[]answer{{}}, []answer{{}}, 0, 0},
		"by less than can be told":     {[]answer{{ahead: time.Second}}, []answer{{}}, 0, 0},
		"by two seconds":               {[]answer{{ahead: 2 * time.Second}}, []answer{{}}, 2 * time.Second, 2 * time.Second},
		"the other way":                {[]answer{{}}, []answer{{ahead: 90 * time.Second}}, 90 * time.Second, 0},
		"only this machine's is wrong": {[]answer{{ahead: -time.Hour}}, []answer{{ahead: -time.Hour}}, 0, -time.Hour},
		"a slow answer tells less":     {[]answer{{ahead: 4 * time.Second, took: 8 * time.Second}}, []answer{{}}, 0, 0},
		"the quickest answer tells":    {[]answer{{ahead: 4 * time.Second, took: 8 * time.Second}, {ahead: time.Minute, took: time.Millisecond}}, []answer{{}}, time.Minute, time.Minute},
		"no date":                      {[]answer{{date: "-"}}, []answer{{}}, 0, 0},
		"a date that is none":          {[]answer{{date: "yesterday"}}, []answer{{ahead: time.Hour}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var both clocks
			for o, answers := range map[*offset][]answer{&both.aws: c.aws, &both.github: c.github} {
				for _, a := range answers {
					// It was written half-way, in the middle of its second.
					date := a.date
					if date == "" {
						date = now.Add(a.ahead).Format(http.TimeFormat)
					}
					o.note(date, now.Add(time.Second/2+a.took/2), a.took)
				}
			}
			assert.Equal(t, c.difference, both.difference())
			assert.Equal(t, c.ahead, both.awsAhead().Round(time.Second))
		})
	}
}
