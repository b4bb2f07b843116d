package site

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// readLimit is the size, in bytes, up to which two versions are read and compared if
// neither their ETags nor their checksums show whether they are equal.
const readLimit = 16 << 20

// same reports whether the current version equals the version to copy in everything
// except its ID: bytes, headers, metadata, tags and grants. ETags alone are not
// enough: they do not change with the headers, and they differ for equal bytes that
// were encrypted with a KMS key.
func (k *copier) same(ctx context.Context, c change, from *head) (bool, error) {
	if c.From.Size != c.Over.Size {
		return false, nil
	}
	equalETag := c.From.ETag == c.Over.ETag
	over, err := k.b.headOf(ctx, c.Key, c.Over.ID)
	if err != nil {
		return false, err
	}
	if !sameHeaders(from, over) {
		return false, nil
	}
	if !equalETag {
		if equal, err := k.sameBytes(ctx, c, from, over); err != nil || !equal {
			return false, err
		}
	}
	fromTags, err := k.b.tagsOf(ctx, c.Key, c.From.ID, from)
	if err != nil {
		return false, err
	}
	overTags, err := k.b.tagsOf(ctx, c.Key, c.Over.ID, over)
	if err != nil || !maps.Equal(fromTags, overTags) {
		return false, err
	}
	return k.sameGrants(ctx, c)
}

// sameGrants compares the ACLs, if there are any. A page that a deploy uploaded
// without the grant to everyone returns 403.
func (k *copier) sameGrants(ctx context.Context, c change) (bool, error) {
	from, err := k.grantsOf(ctx, c.Key, c.From.ID)
	if err != nil {
		return false, err
	}
	over, err := k.grantsOf(ctx, c.Key, c.Over.ID)
	return from.equal(over), err
}

func sameHeaders(a, b *head) bool {
	for _, pair := range [][2]*string{
		{a.ContentType, b.ContentType}, {a.CacheControl, b.CacheControl}, {a.ContentDisposition, b.ContentDisposition},
		{a.ContentEncoding, b.ContentEncoding}, {a.ContentLanguage, b.ContentLanguage}, {a.ExpiresString, b.ExpiresString},
		{a.WebsiteRedirectLocation, b.WebsiteRedirectLocation},
	} {
		if value(pair[0]) != value(pair[1]) {
			return false
		}
	}
	return sdk.ToInt32(a.TagCount) == sdk.ToInt32(b.TagCount) && maps.Equal(a.Metadata, b.Metadata)
}

// tellsBytes reports whether the ETag is the MD5 of the bytes.
func tellsBytes(etag string, h *head) bool {
	return !strings.Contains(etag, "-") && (h.ServerSideEncryption == "" || h.ServerSideEncryption == types.ServerSideEncryptionAes256) && h.SSECustomerAlgorithm == nil
}

// sameBytes reports whether two versions that have the same size but different ETags
// have the same bytes.
func (k *copier) sameBytes(ctx context.Context, c change, from, over *head) (bool, error) {
	if tellsBytes(c.From.ETag, from) && tellsBytes(c.Over.ETag, over) {
		return false, nil
	}
	if from.ChecksumType == types.ChecksumTypeFullObject && over.ChecksumType == types.ChecksumTypeFullObject {
		fromName, fromSum := checksumOf(from)
		overName, overSum := checksumOf(over)
		if fromName == overName && fromName != "" {
			return fromSum == overSum, nil
		}
	}
	if c.From.Size > readLimit {
		return false, nil
	}
	a, err := k.b.read(ctx, c.Key, c.From.ID)
	if err != nil {
		return false, err
	}
	other, err := k.b.read(ctx, c.Key, c.Over.ID)
	return bytes.Equal(a, other), err
}

func (b *bucket) read(ctx context.Context, key, id string) ([]byte, error) {
	return call(ctx, b, "GetObjectVersion", b.arn(key), func(ctx context.Context, options func(*s3.Options)) ([]byte, error) {
		out, err := b.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key, VersionId: &id}, options)
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(io.LimitReader(out.Body, readLimit+1))
		return data, errors.Join(err, out.Body.Close())
	})
}
