// Command exact answers questions to package exact on stdin, one JSON object a
// line, with one number a line on stdout: the p-value, or where rise is given the
// power. test/exact/test_exact.py asks it what scipy knows, too.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/org/lambda-rollback-action/rollback/exact"
)

type question struct {
	Strata []exact.Table `json:"strata"`
	Rise   float64       `json:"rise"`
	Alpha  float64       `json:"alpha"`
	Least  int           `json:"least"`
}

func main() {
	if err := answer(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answer(in io.Reader, out io.Writer) error {
	questions := json.NewDecoder(in)
	for {
		var q question
		err := questions.Decode(&q)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("failed to read a question: %w", err)
		}
		number := exact.PValue(q.Strata...)
		if q.Rise > 0 {
			number = exact.Test{Alpha: q.Alpha, Least: q.Least}.Power(q.Rise, q.Strata...)
		}
		if _, err := fmt.Fprintf(out, "%.17g\n", number); err != nil {
			return fmt.Errorf("failed to write an answer: %w", err)
		}
	}
}
