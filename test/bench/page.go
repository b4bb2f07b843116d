package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const header = "case                                                        moved      ended   calls  in a row  GitHub   429   memory"

func (m measured) line() string {
	if m.missing {
		return fmt.Sprintf("%-55s %s is not installed", m.name, tools[m.client])
	}
	return fmt.Sprintf("%-55s %7.3f s %7.3f s %7.0f %9.0f %7.0f %5.0f %5.0f MB",
		m.name, m.moved.Seconds(), m.ended.Seconds(), m.calls, m.row, m.github, m.too, float64(m.memory)/(1<<20))
}

// part is what one library adds to the size of the program.
type part struct {
	name  string
	bytes int64
}

// sizes measures what each library adds: the size of a program with it, minus the
// size of one without it.
func (l *lab) sizes(ctx context.Context) ([]part, error) {
	whole, err := os.Stat(l.binary)
	if err != nil {
		return nil, fmt.Errorf("failed to look at the program: %w", err)
	}
	parts := []part{{"The whole program", whole.Size()}}
	const base = "github.com/aws/aws-sdk-go-v2/config"
	baseSize, err := l.sizeWith(ctx)
	if err != nil {
		return nil, err
	}
	with, err := l.sizeWith(ctx, base)
	if err != nil {
		return nil, err
	}
	parts = append(parts, part{base + " (with what it needs)", with - baseSize})
	imports, err := output(ctx, "go", "list", "-f", `{{join .Deps "\n"}}`, "github.com/org/lambda-rollback-action")
	if err != nil {
		return nil, err
	}
	for path := range strings.Lines(imports) {
		path = strings.TrimSpace(path)
		service, found := strings.CutPrefix(path, "github.com/aws/aws-sdk-go-v2/service/")
		if !found || strings.Contains(service, "/") || service == "signin" || service == "sso" || service == "ssooidc" {
			continue
		}
		n, err := l.sizeWith(ctx, base, path)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{path, n - with})
	}
	for _, path := range []string{"github.com/google/go-github/v62/github", "github.com/wneessen/go-mail", "charm.land/huh/v2"} {
		n, err := l.sizeWith(ctx, path)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{path, n - baseSize})
	}
	return parts, nil
}

// constructors keep the linker from dropping a library.
var constructors = map[string]string{
	"github.com/aws/aws-sdk-go-v2/config":    "LoadDefaultConfig",
	"github.com/google/go-github/v62/github": "NewClient",
	"github.com/wneessen/go-mail":            "NewClient",
	"charm.land/huh/v2":                      "NewForm",
}

func (l *lab) sizeWith(ctx context.Context, paths ...string) (int64, error) {
	var text strings.Builder
	text.WriteString("package main\n\nimport (\n\t\"os\"\n")
	for i, path := range paths {
		fmt.Fprintf(&text, "\tp%d %q\n", i, path)
	}
	text.WriteString(")\n\nvar kept []any\n\nfunc main() {\n")
	for i, path := range paths {
		name := constructors[path]
		if name == "" {
			name = "NewFromConfig"
		}
		fmt.Fprintf(&text, "\tkept = append(kept, p%d.%s)\n", i, name)
	}
	text.WriteString("\tos.Exit(len(kept))\n}\n")
	dir, err := os.MkdirTemp(filepath.Join(l.module, "test", "bench"), ".size-")
	if err != nil {
		return 0, fmt.Errorf("failed to make a directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(text.String()), 0o600); err != nil {
		return 0, fmt.Errorf("failed to write a program: %w", err)
	}
	out := filepath.Join(l.work, "sized")
	if err := build(ctx, dir, out, "."); err != nil {
		return 0, err
	}
	info, err := os.Stat(out)
	if err != nil {
		return 0, fmt.Errorf("failed to look at a program: %w", err)
	}
	return info.Size(), nil
}

// section is a table of the page: the cases that belong to it, and a text about
// them.
type section struct {
	title, text string
	has         func(benchCase) bool
}

var sections = []section{
	{
		"One function", "Each case is named after the duration of an AWS call and of a GitHub call: `60/300` means 60 ms and 300 ms. " +
			"Without `deployed-version`, GitHub says which run published the version, and the move waits for one round of it; " +
			"if a newer run is in progress, for two. If GitHub does not respond, the move waits for at most 5 seconds. " +
			"The floor is a program that reads the alias and moves it without any checks.",
		func(c benchCase) bool {
			return c.roundTrip == 0 && c.functions == 1 && !c.bucket && c.versions == 3 && c.gap == 0
		},
	},
	{
		"A role by OIDC, over TLS", "The job's token, STS, the alias and the move are four consecutive calls; without `deployed-version`, reading the candidates is a fifth. " +
			"GitHub takes 150 ms for the token, and AWS 40 ms a call. The connections to AWS are set up in the meantime, with two round trips each. " +
			"With a round trip of 90 ms to AWS, no tool that takes these steps can be faster than 0.57 s, or 0.70 s without `deployed-version`. " +
			"If GitHub is as far away, the token takes three more round trips: 0.81 s and 0.94 s.",
		func(c benchCase) bool { return c.roundTrip > 0 },
	},
	{
		"Many versions", "At 60 ms per AWS call. Lambda lists the oldest versions first, so a gap below the live version requires reading more pages of that list.",
		func(c benchCase) bool { return c.versions != 3 || c.gap > 0 },
	},
	{
		"Several functions", "At 60 ms per AWS call. AWS allows 15 calls per second for an account and region. " +
			"Each function takes four calls up to its move, so no tool that reads before it moves can be faster than 1.7 s for 10 functions, 9.7 s for 40 and 52 s for 200. " +
			"If another client uses half of the calls, the limits are 3.3 s for 10 functions and 19.3 s for 40.",
		func(c benchCase) bool { return c.bucket },
	},
}

// writePage writes docs/performance.md and its plot.
func writePage(docs string, all []measured, sizes []part) error {
	var page strings.Builder
	fmt.Fprintf(&page, `# Performance

How long a rollback takes, from the start of the process until the alias has moved. AWS and GitHub are fakes on loopback, and each call to them takes as long as the case says. This page was written by

`+"```sh\ngo run ./test/bench -write\n```"+`

on %s with %d processors and %s. Times are medians and differ between machines. The numbers of calls do not differ, and tests check them.

![Seconds until the alias has moved](performance.svg)

"In a row" is the number of consecutive AWS calls until the alias has moved. "429" is the number of calls that AWS throttled.

`, time.Now().UTC().Format("2 January 2006"), runtime.NumCPU(), runtime.Version())
	for _, s := range sections {
		fmt.Fprintf(&page, "## %s\n\n%s\n\n", s.title, s.text)
		page.WriteString("| Case | Moved | Process ended | AWS calls | In a row | GitHub calls | 429 | Memory |\n| --- | --: | --: | --: | --: | --: | --: | --: |\n")
		for _, m := range all {
			if s.has(m.benchCase) && !m.missing {
				fmt.Fprintf(&page, "| %s | %.3f s | %.3f s | %.0f | %.0f | %.0f | %.0f | %.0f MiB |\n",
					m.name, m.moved.Seconds(), m.ended.Seconds(), m.calls, m.row, m.github, m.too, float64(m.memory)/(1<<20))
			}
		}
		page.WriteString("\n")
	}
	page.WriteString("The AWS CLI and lambroll are measured if they are installed.\n\n## Size of the program\n\n" +
		"What each library adds to a stripped program for linux/amd64 that uses nothing else from the library. Libraries share code, so the sum is more than the whole.\n\n| Part | MiB |\n| --- | --: |\n")
	for i, p := range sizes {
		name := "`" + p.name + "`"
		if i == 0 {
			name = p.name
		}
		fmt.Fprintf(&page, "| %s | %.1f |\n", name, float64(p.bytes)/(1<<20))
	}
	if err := os.WriteFile(filepath.Join(docs, "performance.md"), []byte(page.String()), 0o644); err != nil {
		return fmt.Errorf("failed to write the page: %w", err)
	}
	if err := os.WriteFile(filepath.Join(docs, "performance.svg"), []byte(plot(all)), 0o644); err != nil {
		return fmt.Errorf("failed to write the plot: %w", err)
	}
	return nil
}

// plot draws a bar chart of the times of single functions.
func plot(all []measured) string {
	var bars []measured
	most := 0.0
	for _, m := range all {
		if m.missing || m.bucket || m.aws != 60 || m.versions != 3 || m.gap > 0 {
			continue
		}
		bars = append(bars, m)
		most = math.Max(most, m.moved.Seconds())
	}
	const left, width, row, top = 330, 420, 22, 34
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="Seconds until the alias has moved" font-family="system-ui, sans-serif" font-size="13">`+"\n",
		left+width+80, top+len(bars)*row+16, left+width+80, top+len(bars)*row+16)
	b.WriteString(`<style>text{fill:#1f2328}.bar{fill:#0969da}.other{fill:#8c959f}@media (prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#4493f8}.other{fill:#6e7681}}</style>` + "\n")
	b.WriteString(`<text x="8" y="20" font-weight="600">Seconds until the alias has moved, at 60 ms per AWS call</text>` + "\n")
	for i, m := range bars {
		y := top + i*row
		class := "bar"
		if m.client != thisAction {
			class = "other"
		}
		long := int(m.moved.Seconds() / most * width)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect class="%s" x="%d" y="%d" width="%d" height="14"/><text x="%d" y="%d">%.2f</text>`+"\n",
			left-8, y+12, m.name, class, left, y, max(long, 1), left+long+6, y+12, m.moved.Seconds())
	}
	b.WriteString("</svg>\n")
	return b.String()
}
