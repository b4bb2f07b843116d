package site

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// putInParts copies an object that was uploaded in parts, with the same parts. This
// keeps its ETag, so caches keep their copies and a second run finds nothing to do.
// Above 5 GB there is no other way. A copy by a single request keeps headers,
// metadata and tags by itself; here they must be set.
func (k *copier) putInParts(ctx context.Context, c change, from *head, grants grants) (outcome, string, error) {
	sizes, err := k.partSizes(ctx, c)
	if err != nil {
		return copied, "", err
	}
	// The tags are read even if the head reports none, because it also reports none
	// if the role may not read tags.
	tags, err := k.b.readTags(ctx, c.Key, c.From.ID)
	if err != nil {
		return copied, "", err
	}
	id, err := k.begin(ctx, c, from, tags, grants)
	if err != nil {
		return copied, "", err
	}
	out, err := k.copyParts(ctx, c, from, id, sizes)
	if code := aws.Code(err); code == "NoSuchUpload" || aws.Status(err) == http.StatusPreconditionFailed {
		if code != "NoSuchUpload" { // an earlier try has completed the upload
			k.b.abort(ctx, c.Key, id)
		}
		return k.writtenMeanwhile(ctx, c, from)
	}
	if err != nil {
		k.b.abort(ctx, c.Key, id)
		return copied, "", err
	}
	return copied, value(out.VersionId), checkVersion(k.b, out.VersionId)
}

// partSizes returns the sizes of the parts that the version was uploaded in. Nearly
// always, all parts except the last have the same size. Otherwise the size of each
// part is requested.
func (k *copier) partSizes(ctx context.Context, c change) ([]int64, error) {
	_, text, _ := strings.Cut(strings.Trim(c.From.ETag, `"`), "-")
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 || count > 10000 {
		return nil, fmt.Errorf("the ETag %s does not show the number of parts", c.From.ETag)
	}
	first, err := k.b.partSize(ctx, c, 1)
	if err != nil {
		return nil, err
	}
	sizes := make([]int64, count)
	left := c.From.Size
	even := first*int64(count-1) < left && left <= first*int64(count)
	for i := range sizes {
		switch {
		case even:
			sizes[i] = min(first, left)
		case i == 0:
			sizes[i] = first
		default:
			if sizes[i], err = k.b.partSize(ctx, c, i+1); err != nil {
				return nil, err
			}
		}
		left -= sizes[i]
	}
	if left != 0 {
		return nil, fmt.Errorf("the parts of the version differ from its size by %d bytes", left)
	}
	return sizes, nil
}

func (b *bucket) partSize(ctx context.Context, c change, part int) (int64, error) {
	number := int32(part) //nolint:gosec // at most 10,000
	out, err := call(ctx, b, "GetObjectVersion", b.arn(c.Key), func(ctx context.Context, options func(*s3.Options)) (*head, error) {
		return b.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &c.Key, VersionId: &c.From.ID, PartNumber: &number}, options)
	})
	if err != nil {
		return 0, err
	}
	return sdk.ToInt64(out.ContentLength), nil
}

// tagsOf reads the tags of a version, if its head says that it has any.
func (b *bucket) tagsOf(ctx context.Context, key, id string, h *head) (map[string]string, error) {
	if sdk.ToInt32(h.TagCount) == 0 {
		return map[string]string{}, nil
	}
	return b.readTags(ctx, key, id)
}

func (b *bucket) readTags(ctx context.Context, key, id string) (map[string]string, error) {
	out, err := call(ctx, b, "GetObjectVersionTagging", b.arn(key), func(ctx context.Context, options func(*s3.Options)) (*s3.GetObjectTaggingOutput, error) {
		return b.s3.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &b.name, Key: &key, VersionId: &id}, options)
	})
	if aws.Status(err) == http.StatusNotImplemented {
		return map[string]string{}, nil // the server does not support tags
	}
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, tag := range out.TagSet {
		tags[value(tag.Key)] = value(tag.Value)
	}
	return tags, nil
}

func (k *copier) begin(ctx context.Context, c change, from *head, tags map[string]string, grants grants) (*string, error) {
	in := s3.CreateMultipartUploadInput{
		Bucket: &k.b.name, Key: &c.Key,
		ContentType: from.ContentType, CacheControl: from.CacheControl, ContentDisposition: from.ContentDisposition,
		ContentEncoding: from.ContentEncoding, ContentLanguage: from.ContentLanguage, Metadata: from.Metadata,
		StorageClass: classToKeep(c, from), WebsiteRedirectLocation: from.WebsiteRedirectLocation,
		ServerSideEncryption: from.ServerSideEncryption, SSEKMSKeyId: from.SSEKMSKeyId, BucketKeyEnabled: from.BucketKeyEnabled,
		ChecksumAlgorithm: algorithmOf(from), ChecksumType: from.ChecksumType,
		GrantRead: grants.read, GrantReadACP: grants.readACP, GrantWriteACP: grants.writeACP, GrantFullControl: grants.full,
	}
	if in.ChecksumAlgorithm == "" {
		in.ChecksumType = ""
	}
	if len(tags) > 0 {
		values := url.Values{}
		for k, v := range tags {
			values.Set(k, v)
		}
		in.Tagging = sdk.String(values.Encode())
	}
	out, err := call(ctx, k.b, "PutObject", k.b.arn(c.Key), func(ctx context.Context, options func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
		return k.b.s3.CreateMultipartUpload(ctx, &in, options, expires(from.ExpiresString))
	})
	if err != nil {
		return nil, err
	}
	return out.UploadId, nil
}

// expires sends the header Expires unchanged. Objects keep any text in it, such as
// `0`, but the SDK's own field accepts only a time.
func expires(text *string) func(*s3.Options) {
	return func(o *s3.Options) {
		if value(text) != "" {
			o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
				return smithyhttp.SetHeaderValue("Expires", *text)(stack)
			})
		}
	}
}

func (k *copier) copyParts(ctx context.Context, c change, from *head, id *string, sizes []int64) (*s3.CompleteMultipartUploadOutput, error) {
	parts := make([]types.CompletedPart, len(sizes))
	starts := make([]int64, len(sizes))
	for i := range sizes[1:] {
		starts[i+1] = starts[i] + sizes[i]
	}
	const together = 8 // parts of one object, in addition to other objects
	err := inParallel(ctx, together, len(sizes), func(ctx context.Context, i int) error {
		number := int32(i + 1) //nolint:gosec // at most 10,000
		in := s3.UploadPartCopyInput{
			Bucket: &k.b.name, Key: &c.Key, CopySource: k.b.source(c), UploadId: id, PartNumber: &number,
			CopySourceRange: sdk.String(fmt.Sprintf("bytes=%d-%d", starts[i], starts[i]+sizes[i]-1)),
		}
		out, err := callFor(ctx, k.b, tryLimitOf(sizes[i]), "PutObject", k.b.arn(c.Key), func(ctx context.Context, options func(*s3.Options)) (*s3.UploadPartCopyOutput, error) {
			return k.b.s3.UploadPartCopy(ctx, &in, options)
		})
		if err != nil {
			return err
		}
		r := out.CopyPartResult
		if r == nil {
			return problem(report.AWSError, "S3 returned no result for a part of %s", k.b.arn(c.Key))
		}
		parts[i] = types.CompletedPart{
			PartNumber: &number, ETag: r.ETag, ChecksumCRC32: r.ChecksumCRC32, ChecksumCRC32C: r.ChecksumCRC32C,
			ChecksumCRC64NVME: r.ChecksumCRC64NVME, ChecksumSHA1: r.ChecksumSHA1, ChecksumSHA256: r.ChecksumSHA256,
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return k.complete(ctx, c, from, id, parts)
}

func (k *copier) complete(ctx context.Context, c change, from *head, id *string, parts []types.CompletedPart) (*s3.CompleteMultipartUploadOutput, error) {
	in := s3.CompleteMultipartUploadInput{
		Bucket: &k.b.name, Key: &c.Key, UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}
	if algorithmOf(from) != "" {
		in.ChecksumType = from.ChecksumType
	}
	in.IfMatch, in.IfNoneMatch = k.condition(c)
	out, err := write(ctx, k.b, 1, tryLimitOf(c.From.Size), "PutObject", k.b.arn(c.Key), func(ctx context.Context, options func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
		return k.b.s3.CompleteMultipartUpload(ctx, &in, options)
	})
	if aws.Status(err) == http.StatusNotImplemented && (in.IfMatch != nil || in.IfNoneMatch != nil) {
		k.noMatch.Store(true)
		return k.complete(ctx, c, from, id, parts)
	}
	return out, err
}

// abortLimit is how long it may take to abort an upload, because this may happen
// after the time limit or a signal.
const abortLimit = time.Second

// abort deletes the parts of an upload that was given up. They cost money, and no
// listing of objects shows them.
func (b *bucket) abort(ctx context.Context, key string, id *string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortLimit)
	defer cancel()
	if _, err := b.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.name, Key: &key, UploadId: id}, b.options); err != nil {
		b.notef(true, "A multipart upload of %s could not be aborted (%s): its parts cost money until `aws s3api abort-multipart-upload` or a lifecycle rule removes them.", quoted(key), aws.Brief(err))
	}
}
