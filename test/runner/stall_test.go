package runner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// stall adds up how long the threads of a process were ready to run and got no
// processor, and how long the emulator in this one was, so that a limit of time
// holds the program and not the machine. On a quiet machine that is next to
// nothing.
type stall struct {
	pattern string
	end     chan struct{}
	ended   chan struct{}

	mu     sync.Mutex
	waited map[string]time.Duration // by thread, those that have ended too
	late   int64                    // of this process, when the watch began
}

// late is for how many nanoseconds this process was not woken in time, in all.
var late atomic.Int64

// watchLateness runs for as long as the tests do.
func watchLateness() {
	const nap = 10 * time.Millisecond
	for {
		began := time.Now()
		time.Sleep(nap)
		if over := time.Since(began) - nap; over > 2*time.Millisecond { // less is the clock's grain
			late.Add(int64(over))
		}
	}
}

// watchStall watches a process until stop.
func watchStall(pid int) *stall {
	s := &stall{
		pattern: fmt.Sprintf("/proc/%d/task/*/schedstat", pid), waited: map[string]time.Duration{},
		end: make(chan struct{}), ended: make(chan struct{}),
		late: late.Load(),
	}
	go func() {
		defer close(s.ended)
		for {
			s.look()
			select {
			case <-s.end:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return s
}

// look reads the second field, nanoseconds on a run queue:
// https://docs.kernel.org/scheduler/sched-stats.html
func (s *stall) look() {
	threads, _ := filepath.Glob(s.pattern)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		fields := strings.Fields(string(text))
		if err != nil || len(fields) < 2 {
			continue // the thread has ended
		}
		if nanoseconds, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
			s.waited[thread] = time.Duration(nanoseconds)
		}
	}
}

// now is the sum until now.
func (s *stall) now() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := time.Duration(late.Load() - s.late)
	for _, d := range s.waited {
		sum += d
	}
	return sum
}

// stop ends the watch and gives the sum.
func (s *stall) stop() time.Duration {
	close(s.end)
	<-s.ended
	return s.now()
}
