package site_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/site"
	"github.com/org/lambda-rollback-action/test/emulator/storage"
)

// The variables by which a process of this test becomes the program under measure.
const (
	childAddress = "SITE_TEST_ADDRESS"
	childCut     = "SITE_TEST_CUT"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(childAddress); address != "" {
		os.Exit(child(address))
	}
	os.Exit(m.Run())
}

type silent struct{}

func (silent) Infof(string, ...any) {}

func child(address string) int {
	cut, err := time.Parse(time.RFC3339, os.Getenv(childCut))
	client := s3.New(s3.Options{
		Region: storage.Region, BaseEndpoint: aws.String(address), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(access, secret, ""),
	})
	r := site.Restore(context.Background(), site.Deps{S3: client, Clock: clock{}, Log: silent{}},
		site.Request{Bucket: "www", Prefix: "site/", Run: "1", RestoreTo: cut})
	if err != nil || r.Status != report.Restored {
		fmt.Fprintln(os.Stderr, err, r.Message)
		return 1
	}
	return 0
}

// peer is a tool that restores a bucket to a moment, in a process of its own.
type peer struct {
	name    string
	program string
	command func(address, cut string) []string
}

var peers = []peer{
	{"this-action", os.Args[0], func(_, _ string) []string { return nil }},
	{"rclone", "rclone", func(address, cut string) []string {
		remote := func(more string) string {
			return fmt.Sprintf(":s3,provider=Minio,env_auth=true,region=%s,endpoint='%s',force_path_style=true,no_check_bucket=true%s:www/site", storage.Region, address, more)
		}
		return []string{"sync", remote(fmt.Sprintf(",version_at='%s'", cut)), remote(""), "--fast-list", "--checksum", "--transfers", "64", "--checkers", "64", "--retries", "1", "--low-level-retries", "2"}
	}},
	{"s3-pit-restore", "s3-pit-restore", func(_, cut string) []string {
		return []string{"-b", "www", "-B", "www", "-p", "site/", "-t", cut, "--max-workers", "64"}
	}},
}

// BenchmarkPeers restores 20,000 keys of three versions of which 3,000 have changed,
// at 10 ms a request, by this action and by tools that do the like, and says what came
// out right. Seconds, requests, and the process's peak of memory.
func BenchmarkPeers(b *testing.B) {
	for _, p := range peers {
		b.Run(p.name, func(b *testing.B) {
			program, err := exec.LookPath(p.program)
			if err != nil {
				b.Skip(p.program + " is not installed")
			}
			for b.Loop() {
				b.StopTimer()
				measure(b, p, program)
				b.StartTimer()
			}
		})
	}
}

func measure(b *testing.B, p peer, program string) {
	b.Helper()
	now := time.Now().UTC().Add(-48 * time.Hour).Truncate(time.Second)
	server := storage.New(func() time.Time { return now })
	bucket := server.Bucket("www")
	const keys, changed = 20_000, 3_000
	put := func(i int, text string) {
		bucket.Put(fmt.Sprintf("site/assets/%06d.js", i), storage.Object{Body: []byte(text), ContentType: "text/javascript"})
	}
	for n := range 3 {
		for i := range keys {
			put(i, fmt.Sprint("good", n, i))
		}
		now = now.Add(time.Hour)
	}
	before := bucket.Current()
	cut := now.Format(time.RFC3339)
	now = now.Add(time.Hour)
	for i := range changed / 3 {
		put(i*7, "overwritten")
		put(keys+i, "born")
		bucket.Delete(fmt.Sprintf("site/assets/%06d.js", i*7+1))
	}
	now = now.Add(time.Hour)
	server.Journal()
	server.Latency = 10 * time.Millisecond
	listener := httptest.NewServer(server)
	defer listener.Close()

	cmd := exec.CommandContext(b.Context(), program, p.command(listener.URL, cut)...)
	// rclone cannot be started where a bundle of certificates is named.
	environment := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_CA_BUNDLE=") })
	environment = append(environment, "AWS_ENDPOINT_URL="+listener.URL, "AWS_ACCESS_KEY_ID="+access, "AWS_SECRET_ACCESS_KEY="+secret,
		"AWS_DEFAULT_REGION="+storage.Region, "AWS_REGION="+storage.Region, "TZ=UTC")
	if p.program == os.Args[0] {
		environment = append(environment, childAddress+"="+listener.URL, childCut+"="+cut)
	}
	cmd.Env = environment
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	memory := peak(cmd.Process.Pid)
	if err := cmd.Wait(); err != nil {
		b.Logf("%s: %v: %.2000s", p.name, err, said.String())
	}
	seconds := time.Since(began).Seconds()
	server.Latency = 0
	after := bucket.Current()
	wrong := 0
	for key, was := range before {
		is, found := after[key]
		if difference := was.Difference(&is); !found || difference != "" {
			if wrong++; wrong == 1 {
				b.Logf("%s: %s: there: %t, %s", p.name, key, found, difference)
			}
		}
		delete(after, key)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(seconds, "s")
	b.ReportMetric(float64(len(server.Journal())), "requests")
	b.ReportMetric(<-memory, "MiB")
	b.ReportMetric(float64(wrong+len(after)), "wrong")
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peak watches the most memory that a process has had resident, until it is gone.
func peak(pid int) <-chan float64 {
	out := make(chan float64, 1)
	go func() {
		most := 0.0
		for {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			found := highWater.FindStringSubmatch(string(text))
			if err != nil || found == nil {
				out <- most / 1024
				return
			}
			kb, err := strconv.ParseFloat(strings.TrimSpace(found[1]), 64)
			if err == nil {
				most = max(most, kb)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return out
}
