package github

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Files are the files through which a step hands on its outputs and summary.
// An empty path is a file that the runner did not give: nothing is written.
type Files struct {
	Output  string // path in GITHUB_OUTPUT
	Summary string // path in GITHUB_STEP_SUMMARY
	// Append adds data to the end of the file at path: AppendFile.
	Append func(path string, data []byte) error
	// Random makes the delimiters that a value cannot guess: crypto/rand.
	Random io.Reader
}

// Output is one output of the step.
type Output struct {
	Name  string
	Value string
}

// AppendFile adds data to the end of the file at path, and creates it where it
// is missing.
func AppendFile(path string, data []byte) (err error) {
	const mode = 0o644 // the runner reads it, perhaps as another user
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = file.Write(data)
	return err
}

// WriteOutputs appends the outputs to GITHUB_OUTPUT, all or none of them: the
// runner fails the step over a file that ends in the middle of a value.
//
// go-githubactions is not used for it: its delimiter is a constant, so a value
// that holds it sets outputs of its own, and it panics where it cannot write.
func (f Files) WriteOutputs(outputs []Output) error {
	if f.Output == "" || len(outputs) == 0 {
		return nil
	}
	var b strings.Builder
	for _, output := range outputs {
		if err := f.heredoc(&b, output); err != nil {
			return fmt.Errorf("failed to write output %q: %w", output.Name, err)
		}
	}
	if err := f.Append(f.Output, []byte(b.String())); err != nil {
		return fmt.Errorf("failed to write outputs to GITHUB_OUTPUT: %w", err)
	}
	return nil
}

// WriteSummary appends Markdown to the step's summary.
func (f Files) WriteSummary(markdown string) error {
	if f.Summary == "" || markdown == "" {
		return nil
	}
	if err := f.Append(f.Summary, []byte(markdown)); err != nil {
		return fmt.Errorf("failed to write summary to GITHUB_STEP_SUMMARY: %w", err)
	}
	return nil
}

// errOutputName is about our own code, not about the user's.
var errOutputName = errors.New("the name is empty or holds `=`, `<<` or a line break")

// heredoc writes `name<<delimiter`, the value and the delimiter, as the runner
// reads them: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings
func (f Files) heredoc(b *strings.Builder, output Output) error {
	if output.Name == "" || strings.ContainsAny(output.Name, "=\r\n") || strings.Contains(output.Name, "<<") {
		return errOutputName
	}
	value := strings.ToValidUTF8(output.Value, "\uFFFD")
	delimiter, err := f.delimiter(value)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "%s<<%s\n%s\n%s\n", output.Name, delimiter, value, delimiter)
	return nil
}

// delimiter is 128 random bits that are not in the value. A value that holds
// them all the same means that Random is not random.
func (f Files) delimiter(value string) (string, error) {
	const tries = 3
	for range tries {
		var random [16]byte
		if _, err := io.ReadFull(f.Random, random[:]); err != nil {
			return "", fmt.Errorf("failed to read random bytes for the delimiter: %w", err)
		}
		delimiter := "end_" + hex.EncodeToString(random[:])
		if !strings.Contains(value, delimiter) {
			return delimiter, nil
		}
	}
	return "", errors.New("every random delimiter stands in the value: the source of randomness is broken")
}
