package github

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

// Files has the files to which a step writes its outputs and its summary. An empty
// path means that the runner did not provide the file: nothing is written.
type Files struct {
	Output  string // path in GITHUB_OUTPUT
	Summary string // path in GITHUB_STEP_SUMMARY
	// Append appends data to the file at path; see AppendFile.
	Append func(path string, data []byte) error
	// Random is the source of delimiters that a value cannot guess; see crypto/rand.
	Random io.Reader
}

// Output is one output of the step.
type Output struct {
	Name  string
	Value string
}

// pipeLimit is how long the other end of a pipe may take to read or write data.
const pipeLimit = 10 * time.Second

// ReadFile reads at most one byte more than the largest payload, so that the caller can
// detect a file that is too large. It does not wait for the other end of a pipe, which
// may never be opened: such a pipe is empty.
func ReadFile(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	_ = file.SetReadDeadline(time.Now().Add(pipeLimit)) // a file has none, and needs none
	return io.ReadAll(io.LimitReader(file, maxPayload+1))
}

// AppendFile appends data to the file at path, and creates the file if it does not
// exist. It does not wait for the other end of a pipe, which may never be opened.
func AppendFile(path string, data []byte) (err error) {
	const mode = 0o644 // the runner reads it, perhaps as another user
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, mode)
	if errors.Is(err, syscall.ENXIO) {
		return fmt.Errorf("%w: it is a pipe that no program reads", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_ = file.SetWriteDeadline(time.Now().Add(pipeLimit)) // a file has none, and needs none
	_, err = file.Write(data)
	return err
}

// WriteOutputs appends the outputs to GITHUB_OUTPUT, all or none of them: the runner
// fails the step if the file ends in the middle of a value.
//
// It does not use go-githubactions. That library has a constant delimiter, so a value
// that contains the delimiter can set other outputs, and it panics if it cannot
// write.
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

// errOutputName is a mistake in this program, not in the user's workflow.
var errOutputName = errors.New("the name is empty or contains `=`, `<<` or a line break")

// heredoc writes `name<<delimiter`, the value and the delimiter, in the format of the
// runner:
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings
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

// delimiter returns a delimiter with 128 random bits that does not occur in the
// value. If every delimiter occurs in the value, Random is not random.
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
	return "", errors.New("every random delimiter occurs in the value: the source of randomness is broken")
}
