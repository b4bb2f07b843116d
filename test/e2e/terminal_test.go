package e2e_test

import (
	"bytes"
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
)

// person is somebody at a terminal who runs the image.
type person struct {
	t   *testing.T
	cmd *exec.Cmd
	tty *os.File
	end chan struct{}

	mu  sync.Mutex
	saw bytes.Buffer
}

// sit starts the image at a terminal, with what a person's environment has.
func (s *scene) sit(args ...string) *person {
	s.t.Helper()
	run := []string{"run", "--interactive", "--tty", "--rm", "--network", "host",
		"--env", "AWS_ACCESS_KEY_ID=AKIDPERSON", "--env", "AWS_SECRET_ACCESS_KEY=secret",
		"--env", "AWS_REGION=" + region, "--env", "AWS_ENDPOINT_URL=" + s.URL, image}
	p := &person{t: s.t, cmd: exec.Command("docker", append(run, args...)...), end: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	var err error
	p.tty, err = pty.StartWithSize(p.cmd, &pty.Winsize{Rows: 40, Cols: 120})
	require.NoError(s.t, err)
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
	s.t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.tty.Close() })
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
	p.t.Helper()
	require.Eventually(p.t, func() bool { return strings.Contains(p.screen(), text) }, 30*time.Second, 20*time.Millisecond, "%q is not on the screen", text)
	time.Sleep(200 * time.Millisecond) // until the screen is drawn
}

func (p *person) types(keys string) {
	p.t.Helper()
	_, err := io.WriteString(p.tty, keys)
	require.NoError(p.t, err)
}

func (p *person) leaves() int {
	p.t.Helper()
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); <-p.end; close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		require.Fail(p.t, "it goes on", p.screen())
	}
	return p.cmd.ProcessState.ExitCode()
}

func TestTheImageListsAtATerminal(t *testing.T) {
	s := newScene(t)
	needsImage(t)
	p := s.sit("list", "--function-name", "checkout-api")
	require.Zero(t, p.leaves(), p.screen())
	assert.Regexp(t, `(?m)^  3 .* live +serves`, p.screen())
	assert.Regexp(t, `(?m)^  2 .*← proposed`, p.screen())
	assert.Empty(t, s.moves())
	t.Logf("docker run -it … list:\n%s", p.screen())
}

func TestTheImageAsksAtATerminal(t *testing.T) {
	s := newScene(t)
	needsImage(t)
	p := s.sit("rollback", "--function-name", "checkout-api")
	p.sees("Which version should checkout-api:live serve? It serves 3.")
	p.types("\r")
	// Only the end of the line is checked: the terminal redraws only the characters
	// that differ from the prompt before.
	p.sees("shown in the log and the summary")
	p.types("totals are wrong\r")
	p.sees("Move checkout-api:live in production to version 2 now?")
	assert.Equal(t, "3", s.function.Serving("live"), "not before yes was said")
	p.types("y")
	assert.Zero(t, p.leaves(), p.screen())
	assert.Equal(t, "2", s.function.Serving("live"))
	assert.Contains(t, p.screen(), "Rolled back: checkout-api is on version 2, as chosen")
}
