package history_test

import (
	"flag"
	"os"
	"testing"

	"github.com/org/lambda-rollback-action/test/history"
)

var histories = 1_000

// Everybody meets the same histories, so that a build is not red by chance:
// with -explore they are new each time, and with -strict nothing that is known
// to go wrong passes.
func TestMain(m *testing.M) {
	strict := flag.Bool("strict", false, "hold the rollback to the properties without what is known to go wrong")
	explore := flag.Bool("explore", false, "draw new histories")
	flag.IntVar(&histories, "histories", histories, "how many random histories with others who deploy every rule is judged by")
	flag.Parse()
	history.Lenient = !*strict
	set := func(name, value string) {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	set("rapid.nofailfile", "true") // the seed that a failure prints is enough
	if !*explore && flag.Lookup("rapid.seed").Value.String() == "0" {
		set("rapid.seed", "20260105")
	}
	os.Exit(m.Run())
}
