package storage

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Bucket is one bucket.
type Bucket struct {
	Versioning string // Enabled, Suspended or empty
	Region     string
	Payer      string // BucketOwner or Requester
	Ownership  string // of objects: BucketOwnerEnforced turns access lists off; empty: not set
	KMSKey     string // with which writes are encrypted that say nothing; empty: SSE-S3

	server  *Server
	name    string
	keys    []string // sorted
	objects map[string][]*Version
	uploads map[string]*upload
}

// Object is what is written to a key.
type Object struct {
	Body []byte
	// Size, where Body is nil: as many bytes that are made up from Fill.
	Size int64
	Fill string

	ContentType, CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, Expires string

	Redirect     string
	Metadata     map[string]string
	Tags         map[string]string
	StorageClass string // empty: STANDARD
	KMSKey       string // empty: the bucket's default
	Grants       []Grant
	Checksum     string // CRC32 or empty
	PartSize     int64  // it is uploaded in such parts; 0: in one piece
	Restored     bool   // of an archive class: a copy can be read at present
	LockMode     string
}

// Grant is an entry of an access list: who is a URI or an id.
type Grant struct{ Who, Permission string }

// Version is one version or delete marker.
type Version struct {
	Object

	Key      string
	ID       string
	ETag     string
	Modified time.Time
	Marker   bool
	Parts    []int64
}

// Bytes is the size of the version.
func (v *Version) Bytes() int64 {
	if v.Body != nil {
		return int64(len(v.Body))
	}
	return v.Size
}

// Bucket gives a bucket, and makes it where there is none: with versioning, and
// without access lists, as new ones are.
func (s *Server) Bucket(name string) *Bucket {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	if b == nil {
		b = &Bucket{
			Versioning: "Enabled", Region: Region, Payer: "BucketOwner", Ownership: "BucketOwnerEnforced",
			server: s, name: name, objects: map[string][]*Version{}, uploads: map[string]*upload{},
		}
		s.buckets[name] = b
	}
	return b
}

// Put writes an object, and gives its version.
func (b *Bucket) Put(key string, o Object) *Version {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	return b.put(key, o)
}

// PutText writes an object of some text.
func (b *Bucket) PutText(key, text string) *Version {
	return b.Put(key, Object{Body: []byte(text), ContentType: "text/plain"})
}

// Delete puts a delete marker on a key.
func (b *Bucket) Delete(key string) *Version {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	return b.mark(key)
}

// Expire takes a version away for good, as a lifecycle rule does.
func (b *Bucket) Expire(key, id string) {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	b.objects[key] = slices.DeleteFunc(b.objects[key], func(v *Version) bool { return v.ID == id })
}

// Archive moves a version to another storage class, as a lifecycle rule does.
func (b *Bucket) Archive(key, id, class string) {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	for _, v := range b.objects[key] {
		if v.ID == id {
			v.StorageClass = class
		}
	}
}

// Keys are all keys that have versions, in order.
func (b *Bucket) Keys() []string {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	return slices.Clone(b.keys)
}

// Versions are those of a key, the newest first.
func (b *Bucket) Versions(key string) []Version {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	out := make([]Version, len(b.objects[key]))
	for i, v := range b.objects[key] {
		out[i] = *v
	}
	return out
}

// Current is what a visitor gets: the newest version of each key that has no marker.
func (b *Bucket) Current() map[string]Version {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	out := map[string]Version{}
	for key, versions := range b.objects {
		if len(versions) > 0 && !versions[0].Marker {
			out[key] = *versions[0]
		}
	}
	return out
}

// IDs are the ids of all versions and markers of all keys.
func (b *Bucket) IDs() map[string]bool {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	out := map[string]bool{}
	for key, versions := range b.objects {
		for _, v := range versions {
			out[key+" "+v.ID] = true
		}
	}
	return out
}

func (b *Bucket) add(v *Version) *Version {
	if _, known := b.objects[v.Key]; !known {
		at := sort.SearchStrings(b.keys, v.Key)
		b.keys = slices.Insert(b.keys, at, v.Key)
	}
	b.server.ids++
	v.ID = fmt.Sprintf("v%031d", b.server.ids)
	versions := b.objects[v.Key]
	if b.Versioning != "Enabled" {
		v.ID = "null"
		versions = slices.DeleteFunc(versions, func(v *Version) bool { return v.ID == "null" })
	}
	v.Modified = b.server.now().UTC().Truncate(time.Second)
	b.objects[v.Key] = slices.Insert(versions, 0, v)
	return v
}

func (b *Bucket) mark(key string) *Version { return b.add(&Version{Key: key, Marker: true}) }

func (b *Bucket) put(key string, o Object) *Version {
	v := &Version{Object: o, Key: key}
	if o.KMSKey == "" {
		v.KMSKey = b.KMSKey
	}
	if b.Ownership == "BucketOwnerEnforced" {
		v.Grants = nil
	}
	if o.Body == nil && o.Size == 0 {
		v.Body = []byte{}
	}
	if o.PartSize > 0 && v.Parts == nil {
		for left := v.Bytes(); left > 0; left -= o.PartSize {
			v.Parts = append(v.Parts, min(left, o.PartSize))
		}
	}
	v.ETag = b.etag(v)
	return b.add(v)
}

// etag is the MD5 of the bytes, or of the parts' MD5s; of what KMS encrypts, something
// that is different each time.
func (b *Bucket) etag(v *Version) string {
	salt := ""
	if v.KMSKey != "" {
		b.server.ids++
		salt = strconv.Itoa(b.server.ids)
	}
	if len(v.Parts) == 0 {
		return `"` + hex.EncodeToString(digest(&v.Object, 0, v.Bytes(), salt)) + `"`
	}
	var sums []byte
	at := int64(0)
	for _, size := range v.Parts {
		sums = append(sums, digest(&v.Object, at, size, salt)...)
		at += size
	}
	sum := md5.Sum(sums)
	return fmt.Sprintf(`"%x-%d"`, sum, len(v.Parts))
}

func digest(o *Object, from, size int64, salt string) []byte {
	data := []byte(salt)
	if o.Body != nil {
		data = append(data, o.Body[from:from+size]...)
	} else {
		data = fmt.Appendf(data, "%s:%d:%d", o.Fill, from, size)
	}
	sum := md5.Sum(data)
	return sum[:]
}

// checksum is the CRC32 of the whole object.
func (v *Version) checksum() string {
	data := v.Body
	if data == nil {
		data = fmt.Appendf(nil, "%s:%d", v.Fill, v.Size)
	}
	sum := crc32.ChecksumIEEE(data)
	return base64of([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// Same tells whether two versions have the same bytes, headers, metadata, tags,
// storage class, redirect, encryption and access list.
func (v *Version) Same(o *Version) bool { return v.Difference(o) == "" }

// Difference says in what two versions differ; empty: in nothing.
func (v *Version) Difference(o *Version) string {
	text := func(v *Version) map[string]string {
		return map[string]string{
			"bytes": string(v.Body) + strconv.FormatInt(v.Size, 10) + v.Fill, "content-type": v.ContentType, "cache-control": v.CacheControl,
			"content-disposition": v.ContentDisposition, "content-encoding": v.ContentEncoding, "content-language": v.ContentLanguage,
			"expires": v.Expires, "redirect": v.Redirect, "metadata": joined(v.Metadata), "tags": joined(v.Tags),
			"class": strings.TrimPrefix(v.StorageClass, "STANDARD"), "key": v.KMSKey, "grants": fmt.Sprint(v.Grants), "checksum": v.Checksum,
		}
	}
	a, b := text(v), text(o)
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if a[name] != b[name] {
			return fmt.Sprintf("%s: %q and %q", name, a[name], b[name])
		}
	}
	return ""
}

func joined(m map[string]string) string {
	var out strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&out, "%q=%q ", k, m[k])
	}
	return out.String()
}
