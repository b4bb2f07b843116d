package runner_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// person is somebody at a screen.
type person struct {
	tb  testing.TB
	cmd *exec.Cmd
	tty *os.File

	mu  sync.Mutex
	saw bytes.Buffer
	end chan struct{}
}

func (s *scene) sit(args ...string) *person {
	s.tb.Helper()
	return s.sitAt(pty.Winsize{Rows: 40, Cols: 120}, nil, args...)
}

// sitAt is sit at a terminal of a size, with more in the environment.
func (s *scene) sitAt(size pty.Winsize, env []string, args ...string) *person {
	s.tb.Helper()
	p := &person{tb: s.tb, cmd: s.command(args...), end: make(chan struct{})}
	p.cmd.Env = append(p.cmd.Env, env...)
	var err error
	p.tty, err = pty.StartWithSize(p.cmd, &size)
	require.NoError(s.tb, err)
	go func() {
		defer close(p.end)
		buffer := make([]byte, 4096)
		for {
			n, err := p.tty.Read(buffer)
			p.mu.Lock()
			p.saw.Write(buffer[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	s.tb.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.tty.Close() })
	return p
}

var sequences = regexp.MustCompile("\x1b(\\[[0-9;?<>=$]*[a-zA-Z]|\\][^\x07\x1b]*(\x07|\x1b\\\\)|[=>()][0-9A-B]?|P[^\x1b]*\x1b\\\\)")

// screen is everything that was on it so far, without colours.
func (p *person) screen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.ReplaceAll(sequences.ReplaceAllString(p.saw.String(), ""), "\r", "")
}

func (p *person) sees(text string) {
	p.tb.Helper()
	shows := func() bool { return strings.Contains(p.screen(), text) }
	if !assert.Eventually(p.tb, shows, 20*time.Second, 10*time.Millisecond) {
		require.FailNow(p.tb, fmt.Sprintf("%q is not on the screen", text), p.screen())
	}
	time.Sleep(150 * time.Millisecond) // until the screen is drawn
}

func (p *person) types(keys string) {
	p.tb.Helper()
	_, err := io.WriteString(p.tty, keys)
	require.NoError(p.tb, err)
}

func (p *person) leaves() int {
	p.tb.Helper()
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		require.Fail(p.tb, "it goes on", p.screen())
	}
	select {
	case <-p.end:
	case <-time.After(5 * time.Second):
	}
	return p.cmd.ProcessState.ExitCode()
}

const (
	enter = "\r"
	down  = "\x1b[B"
	ctrlC = "\x03"
	// why is the beginning of the prompt for a reason. No character of it is the same
	// as in the prompt before: the same characters may not be drawn again.
	why = "Reason"
)

// atATerminal is a scene in which version 4 is known to be bad.
func atATerminal(t *testing.T) (*scene, *emulator.Function) {
	s := newScene(t)
	f := s.function("api", 5)
	require.NoError(t, f.SetAlias("live-rollback", 3, nil))
	require.NoError(t, f.DescribeAlias("live-rollback", "rejected=4@77 run=77/1 at=2026-11-20T08:32:47Z by=rollback"))
	return s, f
}
