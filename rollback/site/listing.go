package site

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// entry is one version or delete marker of a key, as S3 lists it.
type entry struct {
	Key       string
	VersionID string
	ETag      string // with its quotes; empty for a marker
	Class     types.StorageClass
	Size      int64
	Modified  time.Time
	Marker    bool
	Latest    bool
	// Unordered is set if the listing does not show the order of a version and a
	// delete marker that have the same second.
	Unordered bool
}

// page is one response of ListObjectVersions.
type page struct {
	Entries     []entry
	More        bool
	NextKey     string
	NextVersion string
}

// list returns every version and delete marker of the keys with the prefix, ordered
// by key, and by age within a key, newest first. At most one page is in memory at a
// time. size is the number of entries per page; 0: the default of S3.
func (b *bucket) list(ctx context.Context, prefix string, size int32) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		in := s3.ListObjectVersionsInput{Bucket: &b.name, EncodingType: types.EncodingTypeUrl}
		if prefix != "" {
			in.Prefix = &prefix
		}
		if size > 0 {
			in.MaxKeys = &size
		}
		last := ""
		for {
			p, err := b.listPage(ctx, in)
			if err != nil {
				yield(entry{}, err)
				return
			}
			for _, e := range p.ordered() {
				if e.Key < last {
					yield(entry{}, fmt.Errorf("%s lists %q after %q, so the listing cannot be trusted", b.name, e.Key, last))
					return
				}
				last = e.Key
				if !yield(e, nil) {
					return
				}
			}
			if !p.More {
				return
			}
			if p.NextKey == value(in.KeyMarker) && p.NextVersion == value(in.VersionIdMarker) {
				yield(entry{}, fmt.Errorf("the listing of %s does not continue after %q", b.name, p.NextKey))
				return
			}
			in.KeyMarker, in.VersionIdMarker = &p.NextKey, nil
			if p.NextVersion != "" {
				in.VersionIdMarker = &p.NextVersion
			}
		}
	}
}

// counted returns the same list, and counts its entries.
func counted(list iter.Seq2[entry, error], count *int) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for e, err := range list {
			*count++
			if !yield(e, err) {
				return
			}
		}
	}
}

func (b *bucket) listPage(ctx context.Context, in s3.ListObjectVersionsInput) (page, error) {
	b.pages.Add(1)
	return call(ctx, b, "ListBucketVersions", "arn:aws:s3:::"+b.name, func(ctx context.Context, options func(*s3.Options)) (page, error) {
		var p page
		_, err := b.s3.ListObjectVersions(ctx, &in, options, func(o *s3.Options) {
			o.APIOptions = append(o.APIOptions, readInto(&p))
		})
		return p, err
	})
}

// ordered returns the entries by key and, for each key, the newest first. S3 sends
// them in this order. Some servers (such as versitygw) send versions and delete
// markers separately. Their entries are sorted by time, and if the time does not
// determine the order, they are marked as Unordered.
func (p page) ordered() []entry {
	inOrder := true
	for i, e := range p.Entries {
		first := i == 0 || p.Entries[i-1].Key != e.Key
		if !first && e.Latest && !p.Entries[i-1].Latest || i > 0 && p.Entries[i-1].Key > e.Key {
			inOrder = false
			break
		}
	}
	if inOrder {
		return p.Entries
	}
	slices.SortStableFunc(p.Entries, func(a, b entry) int {
		if c := strings.Compare(a.Key, b.Key); c != 0 {
			return c
		}
		if a.Latest != b.Latest {
			if a.Latest {
				return -1
			}
			return 1
		}
		return b.Modified.Compare(a.Modified)
	})
	for i := 1; i < len(p.Entries); i++ {
		a, b := &p.Entries[i-1], &p.Entries[i]
		if a.Key == b.Key && a.Marker != b.Marker && a.Modified.Equal(b.Modified) && !a.Latest {
			a.Unordered, b.Unordered = true, true
		}
	}
	return p.Entries
}

// readInto reads the response in place of the SDK. The SDK returns versions and
// delete markers in two lists, which loses their order within one second. The rest
// of the middleware stack gets a response without entries.
func readInto(p *page) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("ReadVersionsInOrder",
			func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
				out, metadata, err := next.HandleDeserialize(ctx, in)
				response, ok := out.RawResponse.(*smithyhttp.Response)
				if err != nil || !ok || response.StatusCode != http.StatusOK {
					return out, metadata, err
				}
				read, err := parsePage(response.Body)
				if closed := response.Body.Close(); err == nil {
					err = closed
				}
				if err != nil {
					return out, metadata, err
				}
				*p = read
				response.Body = io.NopCloser(strings.NewReader("<ListVersionsResult/>"))
				return out, metadata, nil
			}), middleware.After)
	}
}

// parsePage parses the XML of a response. A truncated body is an error, never a
// short page.
func parsePage(body io.Reader) (page, error) {
	r := pageReader{}
	decoder := xml.NewDecoder(body)
	for {
		token, err := decoder.RawToken() // there are no namespaces to resolve, and it is twice as fast
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return page{}, broken(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			r.open(token.Name.Local)
		case xml.CharData:
			r.text = append(r.text, token...)
		case xml.EndElement:
			if err := r.close(token.Name.Local); err != nil {
				return page{}, broken(err)
			}
		}
	}
	switch {
	case r.root == "Error":
		return page{}, &smithy.GenericAPIError{Code: r.code, Message: r.message}
	case r.root != "ListVersionsResult" || len(r.path) > 0:
		return page{}, broken(io.ErrUnexpectedEOF)
	}
	return r.decoded()
}

func broken(err error) error {
	return &smithy.DeserializationError{Err: fmt.Errorf("failed to read the list of versions: %w", err)}
}

// pageReader is what has been read of a response so far.
type pageReader struct {
	page page

	root, code, message string
	encoded             bool
	path                []string
	text                []byte
	now                 entry
}

func (r *pageReader) open(name string) {
	if len(r.path) == 0 {
		r.root = name
	}
	r.path = append(r.path, name)
	r.text = r.text[:0]
	if len(r.path) == 2 && (name == "Version" || name == "DeleteMarker") {
		r.now = entry{Marker: name == "DeleteMarker"}
	}
}

func (r *pageReader) close(name string) error {
	if len(r.path) == 0 || r.path[len(r.path)-1] != name {
		return fmt.Errorf("the element %s ends without a beginning", name)
	}
	r.path = r.path[:len(r.path)-1]
	text := r.text
	r.text = r.text[:0]
	switch {
	case len(r.path) == 2 && (r.path[1] == "Version" || r.path[1] == "DeleteMarker"):
		return r.entryField(name, text)
	case len(r.path) == 1:
		r.field(name, text)
	}
	return nil
}

func (r *pageReader) field(name string, text []byte) {
	switch name {
	case "Version", "DeleteMarker":
		r.page.Entries = append(r.page.Entries, r.now)
	case "IsTruncated":
		r.page.More = string(text) == "true"
	case "NextKeyMarker":
		r.page.NextKey = string(text)
	case "NextVersionIdMarker":
		r.page.NextVersion = string(text)
	case "EncodingType":
		r.encoded = string(text) == "url"
	case "Code":
		r.code = string(text)
	case "Message":
		r.message = string(text)
	}
}

func (r *pageReader) entryField(name string, text []byte) (err error) {
	switch name {
	case "Key":
		r.now.Key = string(text)
	case "VersionId":
		r.now.VersionID = string(text)
	case "IsLatest":
		r.now.Latest = string(text) == "true"
	case "LastModified":
		r.now.Modified, err = time.Parse(time.RFC3339, string(text))
	case "ETag":
		r.now.ETag = string(text)
	case "Size":
		r.now.Size, err = strconv.ParseInt(string(text), 10, 64)
	case "StorageClass":
		r.now.Class = storageClass(text)
	}
	return err
}

// storageClass returns a shared string for the class that nearly all objects have.
func storageClass(text []byte) types.StorageClass {
	if string(text) == string(types.StorageClassStandard) {
		return types.StorageClassStandard
	}
	return types.StorageClass(text)
}

// decoded returns the page with decoded keys. The request asks for encoded keys,
// because XML cannot represent every character of a key. Servers that do not support
// the encoding omit EncodingType.
func (r *pageReader) decoded() (page, error) {
	if !r.encoded {
		return r.page, nil
	}
	var err error
	decode := func(text string) string {
		decoded, bad := url.QueryUnescape(text)
		if bad != nil && err == nil {
			err = broken(bad)
		}
		return decoded
	}
	for i := range r.page.Entries {
		r.page.Entries[i].Key = decode(r.page.Entries[i].Key)
	}
	r.page.NextKey = decode(r.page.NextKey)
	return r.page, err
}

func value(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
