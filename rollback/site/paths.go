package site

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// CloudFront takes 3,000 paths and 15 wildcards in flight a distribution, and counts
// each for its price, a wildcard as one.
const (
	mostPaths     = 100
	mostWildcards = 15
)

// paths collects the keys whose cached copies are out of date, in bounded memory:
// where there are many, whole folders, and at last everything.
type paths struct {
	prefix  string // of the site
	keys    []string
	folders map[string]int // how many keys each folder has
	total   int
	// state stands for the current version of every key, whatever the order in which
	// they are added.
	state uint64
}

func (p *paths) add(key, current string) {
	p.total++
	p.state += stateOf(key, current)
	if len(p.keys) < mostPaths {
		p.keys = append(p.keys, key)
	}
	if p.folders == nil {
		p.folders = map[string]int{}
	}
	if len(p.folders) <= mostWildcards+mostPaths {
		p.folders[folderOf(key, p.prefix)]++
	}
}

// replace takes down that a key has another current version now.
func (p *paths) replace(key, before, now string) {
	p.state += stateOf(key, now) - stateOf(key, before)
}

func stateOf(key, version string) uint64 {
	sum := sha256.Sum256([]byte(key + "\x00" + version))
	return binary.BigEndian.Uint64(sum[:8])
}

// folderOf is the key up to the first slash below the prefix; just the prefix where
// it lies in no folder.
func folderOf(key, prefix string) string {
	below := strings.TrimPrefix(key, prefix)
	return key[:len(key)-len(below)+strings.IndexByte(below, '/')+1]
}

// visitor is how a distribution serves a bucket.
type visitor struct {
	Known bool
	// Origin is what the origin puts before the visitor's path, without a slash at the
	// ends: the folder of the bucket that it serves.
	Origin []string
	Root   string // what the distribution serves for "/"
}

// invalidation gives the paths of one invalidation as CloudFront wants them, sorted.
// None: no visitor can have seen any of the keys.
func (p *paths) invalidation(v visitor) []string {
	if p.total == 0 {
		return nil
	}
	if !v.Known {
		return []string{"/*"}
	}
	if p.total <= mostPaths {
		if out := p.exact(v); out != nil && len(out) <= 2*mostPaths && wildcards(out) <= mostWildcards {
			return out
		}
	}
	var out []string
	for folder := range p.folders {
		for _, origin := range v.Origin {
			if path, served := visible(folder, origin); served {
				out = append(out, encodePath(path)+"*")
			} else if strings.HasPrefix(origin, folder) && folder != "" {
				return []string{"/*"} // the origin is a folder of that one
			}
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) > mostWildcards || slices.Contains(out, "/*") {
		return []string{"/*"}
	}
	return out
}

func (p *paths) exact(v visitor) []string {
	out := []string{}
	for _, key := range p.keys {
		for _, origin := range v.Origin {
			path, served := visible(key, origin)
			if !served {
				continue
			}
			out = append(out, encodePath(path))
			if path == "/"+v.Root && v.Root != "" {
				out = append(out, "/")
			}
			// A website's address ends with the folder.
			if folder, isIndex := strings.CutSuffix(path, "/index.html"); isIndex {
				out = append(out, encodePath(folder+"/"))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func wildcards(paths []string) int {
	count := 0
	for _, path := range paths {
		if strings.HasSuffix(path, "*") {
			count++
		}
	}
	return count
}

// visible is the visitor's path of a key, where the origin serves it.
func visible(key, origin string) (string, bool) {
	if origin == "" {
		return "/" + key, true
	}
	rest, served := strings.CutPrefix(key, origin+"/")
	return "/" + rest, served
}

// unsafe are the characters beside controls and non-ASCII that CloudFront wants
// encoded; it wants no others to be. https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
const unsafe = " \"<>#%{}|\\^[]`"

// encodePath encodes a path as CloudFront wants it. A `~` is refused as it is, and
// matches nothing when encoded; a `?` would begin a query string. The path then ends
// with a wildcard before it.
func encodePath(path string) string {
	if at := strings.IndexAny(path, "~?"); at >= 0 {
		return encodePath(path[:at]) + "*"
	}
	var out strings.Builder
	for i := range len(path) {
		if c := path[i]; c <= 0x20 || c >= 0x7f || strings.IndexByte(unsafe, c) >= 0 {
			fmt.Fprintf(&out, "%%%02X", c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

// reference is the same for the same run, paths and state of the bucket, so that a
// second attempt that finds all done gets the first one's invalidation, while one that
// has written more gets its own: CloudFront does nothing for a reference that it has
// had, and refuses it with other paths.
func reference(run string, paths []string, state uint64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%x\n%s", state, strings.Join(paths, "\n")))
	if run == "" {
		run = "manual"
	}
	return "lambda-rollback-" + run + "-" + hex.EncodeToString(sum[:8])
}
