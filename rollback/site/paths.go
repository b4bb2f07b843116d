package site

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// CloudFront accepts 3,000 paths and 15 wildcard paths in progress per distribution.
// It charges for each path, and a wildcard path counts as one.
const (
	mostPaths     = 100
	mostWildcards = 15
)

// paths collects the keys whose cached copies are out of date, in bounded memory. If
// there are many keys, whole folders are invalidated; if there are many folders,
// everything is.
type paths struct {
	prefix  string // of the site
	keys    []string
	folders map[string]int // how many keys each folder has
	total   int
	// state identifies the current versions of all keys. It does not depend on the
	// order in which the keys are added.
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

// replace records that a key has a different current version now.
func (p *paths) replace(key, before, now string) {
	p.state += stateOf(key, now) - stateOf(key, before)
}

func stateOf(key, version string) uint64 {
	sum := sha256.Sum256([]byte(key + "\x00" + version))
	return binary.BigEndian.Uint64(sum[:8])
}

// folderOf returns the key up to and including the first slash after the prefix, or
// just the prefix if no slash follows it.
func folderOf(key, prefix string) string {
	below := strings.TrimPrefix(key, prefix)
	return key[:len(key)-len(below)+strings.IndexByte(below, '/')+1]
}

// visitor describes how a distribution serves a bucket.
type visitor struct {
	Known bool
	// Origin has the origin path of each origin that is the bucket, without slashes
	// at its ends. CloudFront puts it before the visitor's path, so it is the folder
	// of the bucket that the origin serves.
	Origin []string
	Root   string // what the distribution serves for "/"
}

// invalidation returns the paths of one invalidation in the form that CloudFront
// requires, sorted. It returns none if no visitor can have seen any of the keys.
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
				return []string{"/*"} // the origin path is inside this folder
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
			// On a website, the URL ends with the folder.
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

// visible returns the path that visitors use for a key, and reports whether the
// origin serves the key.
func visible(key, origin string) (string, bool) {
	if origin == "" {
		return "/" + key, true
	}
	rest, served := strings.CutPrefix(key, origin+"/")
	return "/" + rest, served
}

// unsafe has the characters that CloudFront requires to be encoded, in addition to control
// and non-ASCII characters. No other characters may be encoded.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
const unsafe = " \"<>#%{}|\\^[]`"

// encodePath encodes a path in the form that CloudFront requires. CloudFront rejects
// a `~`, and an encoded one matches nothing. A `?` would begin a query string. If
// the path has either, it is cut before it and ends with a wildcard.
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

// reference returns the caller reference of an invalidation. It is the same for the
// same run, paths and state of the bucket. A second attempt that finds nothing to do
// therefore gets the invalidation of the first, and one that has written more gets
// its own. For a reference that it already knows, CloudFront does nothing, and it
// rejects the reference with other paths.
func reference(run string, paths []string, state uint64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%x\n%s", state, strings.Join(paths, "\n")))
	if run == "" {
		run = "manual"
	}
	return "lambda-rollback-" + run + "-" + hex.EncodeToString(sum[:8])
}
