package storage

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// listed is one entry of a listing.
type listed struct {
	*Version

	latest bool
}

func (s *Server) listVersions(r *request) {
	prefix := r.query.Get("prefix")
	if !s.may(r, "s3:ListBucketVersions", prefix) {
		return
	}
	if r.bucket.Payer == "Requester" {
		r.fail(http.StatusForbidden, "AccessDenied", "Access Denied")
		return
	}
	most := 1000
	if s.PageSize > 0 {
		most = s.PageSize
	}
	if n, err := strconv.Atoi(r.query.Get("max-keys")); err == nil {
		most = min(most, n)
	}
	entries, more := r.bucket.from(prefix, r.query.Get("key-marker"), r.query.Get("version-id-marker"), most)
	encode := func(text string) string { return text }
	encoding := r.query.Get("encoding-type")
	if encoding == "url" {
		encode = func(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "%2F", "/") }
	}
	r.w.Header().Set("Content-Type", "application/xml")
	out := r.w.Body
	out.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
	element(out, "Name", r.bucket.name)
	element(out, "Prefix", encode(prefix))
	element(out, "MaxKeys", strconv.Itoa(most))
	if encoding != "" {
		element(out, "EncodingType", encoding)
	}
	element(out, "IsTruncated", strconv.FormatBool(more))
	if more {
		last := entries[len(entries)-1]
		element(out, "NextKeyMarker", encode(last.Key))
		element(out, "NextVersionIdMarker", last.ID)
	}
	for _, e := range entries {
		if !s.Apart || !e.Marker {
			e.write(out, encode)
		}
	}
	for _, e := range entries {
		if s.Apart && e.Marker {
			e.write(out, encode)
		}
	}
	out.WriteString("</ListVersionsResult>")
	r.w.Code = http.StatusOK
}

// from gives at most so many entries after a version of a key, in S3's order.
func (b *Bucket) from(prefix, key, id string, most int) (entries []listed, more bool) {
	at := sort.SearchStrings(b.keys, max(prefix, key))
	for ; at < len(b.keys) && strings.HasPrefix(b.keys[at], prefix); at++ {
		versions := b.objects[b.keys[at]]
		first := 0
		if b.keys[at] == key {
			if id == "" {
				continue
			}
			for first < len(versions) && versions[first].ID != id {
				first++
			}
			first++
		}
		for i := first; i < len(versions); i++ {
			if len(entries) == most {
				return entries, true
			}
			entries = append(entries, listed{versions[i], i == 0})
		}
	}
	return entries, false
}

func element(out *bytes.Buffer, name, text string) {
	out.WriteString("<" + name + ">")
	_ = xml.EscapeText(out, []byte(text)) // a buffer takes everything
	out.WriteString("</" + name + ">")
}

func (e listed) write(out *bytes.Buffer, encode func(string) string) {
	name := "Version"
	if e.Marker {
		name = "DeleteMarker"
	}
	out.WriteString("<" + name + ">")
	element(out, "Key", encode(e.Key))
	element(out, "VersionId", e.ID)
	element(out, "IsLatest", strconv.FormatBool(e.latest))
	element(out, "LastModified", e.Modified.Format(time.RFC3339))
	if !e.Marker {
		element(out, "ETag", e.ETag)
		element(out, "Size", strconv.FormatInt(e.Bytes(), 10))
		class := e.StorageClass
		if class == "" {
			class = "STANDARD"
		}
		element(out, "StorageClass", class)
	}
	fmt.Fprintf(out, "<Owner><ID>%s</ID></Owner></%s>", owner, name)
}

// listObjects lists what is current, in both of S3's versions of that call. Folders
// are not folded.
func (s *Server) listObjects(r *request) {
	prefix, after := r.query.Get("prefix"), max(r.query.Get("marker"), r.query.Get("continuation-token"))
	if !s.may(r, "s3:ListBucket", prefix) {
		return
	}
	encode := func(text string) string { return text }
	if r.query.Get("encoding-type") == "url" {
		encode = func(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "%2F", "/") }
	}
	const most = 1000
	r.w.Header().Set("Content-Type", "application/xml")
	out := r.w.Body
	out.WriteString(`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
	element(out, "Name", r.bucket.name)
	element(out, "EncodingType", r.query.Get("encoding-type"))
	count, last, more := 0, "", false
	for at := sort.SearchStrings(r.bucket.keys, max(prefix, after)); at < len(r.bucket.keys) && strings.HasPrefix(r.bucket.keys[at], prefix); at++ {
		key := r.bucket.keys[at]
		versions := r.bucket.objects[key]
		if key == after || len(versions) == 0 || versions[0].Marker {
			continue
		}
		if more = count == most; more {
			break
		}
		out.WriteString("<Contents>")
		element(out, "Key", encode(key))
		element(out, "LastModified", versions[0].Modified.Format(time.RFC3339))
		element(out, "ETag", versions[0].ETag)
		element(out, "Size", strconv.FormatInt(versions[0].Bytes(), 10))
		element(out, "StorageClass", "STANDARD")
		out.WriteString("</Contents>")
		count, last = count+1, key
	}
	element(out, "KeyCount", strconv.Itoa(count))
	element(out, "IsTruncated", strconv.FormatBool(more))
	if more {
		element(out, "NextMarker", encode(last))
		element(out, "NextContinuationToken", last)
	}
	out.WriteString("</ListBucketResult>")
	r.w.Code = http.StatusOK
}
