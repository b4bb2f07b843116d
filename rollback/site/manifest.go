package site

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// A manifest is a compressed object of JSON lines. The first line describes the
// manifest. Each of the others is one object of the site, in the order of the
// listing.
const (
	manifestFolder  = Reserved + "site/"
	manifestType    = "application/gzip"
	manifestVersion = 1
	partSize        = 8 << 20 // of a manifest that is uploaded in parts
)

// manifestHead is the first line of a manifest.
type manifestHead struct {
	Version int       `json:"lambda-rollback-site-manifest"`
	Bucket  string    `json:"bucket"`
	Prefix  string    `json:"prefix"`
	Run     string    `json:"run"`
	Attempt string    `json:"attempt"`
	At      time.Time `json:"at"`
}

// manifestLine is one object of the site.
type manifestLine struct {
	Key     string `json:"k"`
	Version string `json:"v"`
	ETag    string `json:"e"`
}

// manifestKey returns the key of the manifest of a run. It is not below the site's
// prefix, because the origin of a distribution may make everything there public.
func manifestKey(run, prefix string) string {
	sum := sha256.Sum256([]byte(prefix))
	return manifestFolder + run + "-" + hex.EncodeToString(sum[:4]) + ".json.gz"
}

// Manifest describes what WriteManifest wrote.
type Manifest struct {
	Key       string
	VersionID string
	Objects   int
	Bytes     int64 // of the compressed object
	At        time.Time
}

// WriteManifest records the current version of each object of the site, for the
// rollback of the same run or for site-manifest. Its errors are of type *Problem.
func WriteManifest(ctx context.Context, d Deps, q Request) (Manifest, error) {
	b := d.bucket(q.Bucket)
	if q.Run == "" {
		return Manifest{}, problem(report.InvalidInput, "a manifest requires a run ID for its name")
	}
	if err := b.open(ctx); err != nil {
		return Manifest{}, b.denialHint(ctx, err)
	}
	m := Manifest{Key: manifestKey(q.Run, q.prefix()), At: d.Clock.Now().UTC()}
	up := &upload{ctx: ctx, b: b, key: m.Key}
	err := m.write(ctx, b, q, up)
	if err == nil {
		err = up.finish()
	}
	if err != nil {
		up.abort()
		return Manifest{}, asProblem(err)
	}
	m.VersionID, m.Bytes = up.version, up.bytes
	d.Log.Infof("manifest s3://%s/%s: %d objects, %s", b.name, m.Key, m.Objects, size(m.Bytes))
	return m, nil
}

func (m *Manifest) write(ctx context.Context, b *bucket, q Request, to io.Writer) error {
	packed := gzip.NewWriter(to)
	lines := json.NewEncoder(packed)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(manifestHead{manifestVersion, q.Bucket, q.prefix(), q.Run, q.Attempt, m.At}); err != nil {
		return err
	}
	for e, err := range b.list(ctx, q.prefix(), 0) {
		if err != nil {
			return b.denialHint(ctx, err)
		}
		if !e.Latest || e.Marker || strings.HasPrefix(e.Key, Reserved) {
			continue
		}
		if err := lines.Encode(manifestLine{e.Key, e.VersionID, strings.Trim(e.ETag, `"`)}); err != nil {
			return err
		}
		m.Objects++
	}
	return packed.Close()
}

// upload writes an object to S3 while its content is being produced. It sends a
// single request, unless the content fills at least one part.
type upload struct {
	ctx     context.Context // a field, because io.Writer passes none
	b       *bucket
	key     string
	buffer  bytes.Buffer
	id      *string // of the multipart upload; nil: not started
	parts   []types.CompletedPart
	bytes   int64
	version string
}

func (u *upload) Write(data []byte) (int, error) {
	u.bytes += int64(len(data))
	u.buffer.Write(data)
	if u.buffer.Len() < partSize {
		return len(data), nil
	}
	return len(data), u.part()
}

func (u *upload) part() error {
	if u.id == nil {
		out, err := call(u.ctx, u.b, "PutObject", u.b.arn(u.key), func(ctx context.Context, options func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
			return u.b.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &u.b.name, Key: &u.key, ContentType: sdk.String(manifestType)}, options)
		})
		if err != nil {
			return err
		}
		u.id = out.UploadId
	}
	number := int32(len(u.parts) + 1) //nolint:gosec // at most 10,000
	out, err := call(u.ctx, u.b, "PutObject", u.b.arn(u.key), func(ctx context.Context, options func(*s3.Options)) (*s3.UploadPartOutput, error) {
		return u.b.s3.UploadPart(ctx, &s3.UploadPartInput{Bucket: &u.b.name, Key: &u.key, UploadId: u.id, PartNumber: &number, Body: bytes.NewReader(u.buffer.Bytes())}, options)
	})
	if err != nil {
		return err
	}
	u.buffer.Reset()
	u.parts = append(u.parts, types.CompletedPart{
		PartNumber: &number, ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32, ChecksumCRC64NVME: out.ChecksumCRC64NVME,
	})
	return nil
}

func (u *upload) finish() error {
	if u.id == nil {
		out, err := call(u.ctx, u.b, "PutObject", u.b.arn(u.key), func(ctx context.Context, options func(*s3.Options)) (*s3.PutObjectOutput, error) {
			return u.b.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &u.b.name, Key: &u.key, ContentType: sdk.String(manifestType), Body: bytes.NewReader(u.buffer.Bytes())}, options)
		})
		if err == nil {
			u.version = value(out.VersionId)
		}
		return err
	}
	if u.buffer.Len() > 0 {
		if err := u.part(); err != nil {
			return err
		}
	}
	out, err := call(u.ctx, u.b, "PutObject", u.b.arn(u.key), func(ctx context.Context, options func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
		return u.b.s3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &u.b.name, Key: &u.key, UploadId: u.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
		}, options)
	})
	if err == nil {
		u.version = value(out.VersionId)
	}
	return err
}

func (u *upload) abort() {
	if u.id != nil {
		u.b.abort(u.ctx, u.key, u.id)
	}
}

// manifestReader reads a manifest in step with a listing that has the same order.
type manifestReader struct {
	head manifestHead

	key   string
	body  io.Closer
	lines *bufio.Reader
	next  *manifestLine // the first line that was not requested yet; nil: the end
	last  string
	gone  gone
}

// gone has the number of keys that are in the manifest but no longer in the bucket,
// and the first of these keys.
type gone struct {
	count int
	first []string
}

// openManifest opens the newest version of a manifest. It also finds a manifest
// under a delete marker, because a deploy may delete every object that it does not
// know. It returns nil if there is no manifest.
func (b *bucket) openManifest(ctx context.Context, key string) (*manifestReader, error) {
	var found entry
	for e, err := range b.list(ctx, key, 0) {
		if err != nil {
			return nil, b.denialHint(ctx, err)
		}
		if e.Key != key {
			break
		}
		if !e.Marker {
			found = e
			break
		}
	}
	if found.VersionID == "" {
		return nil, nil
	}
	out, err := call(ctx, b, "GetObjectVersion", b.arn(key), func(_ context.Context, options func(*s3.Options)) (*s3.GetObjectOutput, error) {
		// This is not the context of the try, because the body is read during the
		// whole listing.
		return b.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key, VersionId: &found.VersionID}, options)
	})
	if err != nil {
		return nil, err
	}
	m := &manifestReader{key: key, body: out.Body}
	packed, err := gzip.NewReader(out.Body)
	if err != nil {
		m.close()
		return nil, m.bad(err)
	}
	m.lines = bufio.NewReader(packed)
	head, err := m.lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(head, &m.head)
	}
	if err == nil && m.head.Version != manifestVersion {
		err = fmt.Errorf("its format version is %d, and this program reads version %d", m.head.Version, manifestVersion)
	}
	if err == nil {
		err = m.advance()
	}
	if err != nil {
		m.close()
		return nil, m.bad(err)
	}
	return m, nil
}

func (m *manifestReader) bad(err error) error {
	if p, found := errors.AsType[*Problem](err); found {
		return p
	}
	if _, broken := errors.AsType[net.Error](err); broken {
		return &Problem{report.AWSError, fmt.Sprintf("the manifest %s could not be read to its end (%s): run it again", quoted(m.key), aws.Innermost(err)), err}
	}
	return &Problem{report.InvalidInput, fmt.Sprintf("%s cannot be read as a manifest (%s): set another site-manifest, or a time in site-restore-to", quoted(m.key), err), err}
}

func (m *manifestReader) close() { _ = m.body.Close() } // it was only read, so an error does not matter

func (m *manifestReader) advance() error {
	text, err := m.lines.ReadBytes('\n')
	if errors.Is(err, io.EOF) && len(text) == 0 {
		m.next = nil
		return nil
	}
	if err != nil {
		return m.bad(err)
	}
	line := manifestLine{}
	if err := json.Unmarshal(text, &line); err != nil {
		return m.bad(err)
	}
	if line.Key <= m.last && m.last != "" || line.Version == "" {
		return m.bad(fmt.Errorf("the line for %q is out of order", line.Key))
	}
	m.next, m.last = &line, line.Key
	return nil
}

// want returns what the manifest says about a key. Keys must be requested in order.
func (m *manifestReader) want(key string) (wanted, error) {
	for m.next != nil && m.next.Key < key {
		m.miss()
		if err := m.advance(); err != nil {
			return wanted{}, err
		}
	}
	if m.next == nil || m.next.Key != key {
		return wanted{Known: true}, nil
	}
	id := m.next.Version
	return wanted{true, id}, m.advance()
}

func (m *manifestReader) miss() {
	m.gone.count++
	if len(m.gone.first) < report.SiteKeysShown {
		m.gone.first = append(m.gone.first, m.next.Key)
	}
}

// rest reads the manifest to its end, and returns the keys that were never
// requested.
func (m *manifestReader) rest() (gone, error) {
	for m.next != nil {
		m.miss()
		if err := m.advance(); err != nil {
			return gone{}, err
		}
	}
	return m.gone, nil
}
