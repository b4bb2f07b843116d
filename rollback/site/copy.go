package site

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// head is what S3 says about a version without its bytes.
type head = s3.HeadObjectOutput

// headOf reads the head of a version.
func (b *bucket) headOf(ctx context.Context, key, id string) (*head, error) {
	return call(ctx, b, "GetObjectVersion", b.arn(key), func(ctx context.Context, options func(*s3.Options)) (*head, error) {
		return b.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key, VersionId: &id, ChecksumMode: types.ChecksumModeEnabled}, options)
	})
}

// outcome is what became of a key.
type outcome int

const (
	copied outcome = iota
	same           // it was right already
	newer          // somebody wrote it meanwhile: left alone
)

// put copies a version on top of its key, with everything that CopyObject leaves
// behind: storage class, redirect, encryption, and grants.
func (b *bucket) put(ctx context.Context, c change) (outcome, string, error) {
	from, err := b.headOf(ctx, c.Key, c.From.ID)
	if err != nil {
		return copied, "", err
	}
	if c.Action == compare {
		equal, err := b.same(ctx, c, from)
		switch {
		case err != nil:
			return copied, "", err
		case equal:
			return same, "", nil
		case c.Newer:
			return newer, "", nil
		}
	}
	if from.ArchiveStatus != "" || c.From.archived() && !strings.Contains(value(from.Restore), `ongoing-request="false"`) {
		return copied, "", problem(report.Archived, "it is archived in %s: restore it from the archive with `aws s3api restore-object`, and run this again", classOf(c, from))
	}
	if from.ObjectLockMode != "" || from.ObjectLockLegalHoldStatus == types.ObjectLockLegalHoldStatusOn {
		b.notef(false, "Retention and legal hold of Object Lock stay with the old versions: the copies get the bucket's default.")
	}
	grants, err := b.grantsOf(ctx, c.Key, c.From.ID)
	if err != nil {
		return copied, "", err
	}
	what, id, err := b.putWith(ctx, c, from, grants)
	if p, found := errors.AsType[*Problem](err); found && p.Reason == report.AccessDenied {
		return what, id, &Problem{p.Reason, p.Text + "; objects with tags also need s3:GetObjectVersionTagging and s3:PutObjectTagging, objects with access lists s3:PutObjectAcl", p}
	}
	return what, id, err
}

func (b *bucket) putWith(ctx context.Context, c change, from *head, grants grants) (outcome, string, error) {
	if strings.Contains(c.From.ETag, "-") {
		return b.putInParts(ctx, c, from, grants)
	}
	return b.putWhole(ctx, c, from, grants)
}

func classOf(c change, from *head) string {
	if from.ArchiveStatus != "" {
		return string(from.ArchiveStatus)
	}
	return string(c.From.Class)
}

// source is the version as the header x-amz-copy-source names it.
func (b *bucket) source(c change) *string {
	return aws.String(encodeSource(b.name+"/"+c.Key) + "?versionId=" + url.QueryEscape(c.From.ID))
}

// encodeSource encodes all but slashes, and a blank as %20: S3 decodes a plus as a blank.
func encodeSource(path string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(path) {
		c := path[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("/-_.~", c) >= 0 {
			out.WriteByte(c)
			continue
		}
		out.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return out.String()
}

// classToKeep is the storage class of a copy. An archived version was archived since:
// the site could not have served it.
func classToKeep(c change, from *head) types.StorageClass {
	if c.From.archived() {
		return ""
	}
	return from.StorageClass
}

// putWhole copies by one request.
func (b *bucket) putWhole(ctx context.Context, c change, from *head, grants grants) (outcome, string, error) {
	in := s3.CopyObjectInput{
		Bucket: &b.name, Key: &c.Key, CopySource: b.source(c),
		StorageClass: classToKeep(c, from), WebsiteRedirectLocation: from.WebsiteRedirectLocation,
		ServerSideEncryption: from.ServerSideEncryption, SSEKMSKeyId: from.SSEKMSKeyId, BucketKeyEnabled: from.BucketKeyEnabled,
		ChecksumAlgorithm: algorithmOf(from),
		GrantRead:         grants.read, GrantReadACP: grants.readACP, GrantWriteACP: grants.writeACP, GrantFullControl: grants.full,
	}
	if from.ChecksumType == types.ChecksumTypeComposite {
		in.ChecksumAlgorithm = "" // a copy in one piece has none of that type
	}
	in.IfMatch, in.IfNoneMatch = b.condition(c)
	out, err := callFor(ctx, b, tryLimitOf(c.From.Size), "PutObject", b.arn(c.Key), func(ctx context.Context, options func(*s3.Options)) (*s3.CopyObjectOutput, error) {
		return b.s3.CopyObject(ctx, &in, options)
	})
	switch {
	case err == nil:
		return copied, value(out.VersionId), b.checkVersion(out.VersionId)
	case httpStatus(err) == http.StatusNotImplemented && (in.IfMatch != nil || in.IfNoneMatch != nil):
		b.noMatch.Store(true)
		return b.putWhole(ctx, c, from, grants)
	case httpStatus(err) == http.StatusPreconditionFailed:
		return b.writtenMeanwhile(ctx, c, from)
	}
	return copied, "", err
}

// condition has a write refused where the current version is not the one that was
// planned on. Not every server knows it.
func (b *bucket) condition(c change) (match, noneMatch *string) {
	switch {
	case b.noMatch.Load():
		return nil, nil
	case c.Over.ETag == "":
		return nil, aws.String("*")
	}
	return &c.Over.ETag, nil
}

// writtenMeanwhile finds out who wrote the key: an earlier try of this copy, whose
// answer was lost, or somebody else.
func (b *bucket) writtenMeanwhile(ctx context.Context, c change, from *head) (outcome, string, error) {
	for e, err := range b.list(ctx, c.Key, fewVersions) {
		if err != nil {
			return copied, "", err
		}
		if e.Key != c.Key || e.Marker {
			break
		}
		c.Over = e.version()
		equal, err := b.same(ctx, c, from)
		if err != nil {
			return copied, "", err
		}
		if equal {
			return copied, e.VersionID, nil
		}
		break
	}
	return newer, "", nil
}

// checkVersion sees that the copy has a version of its own: versioning may have been
// suspended since the plan was made.
func (b *bucket) checkVersion(id *string) error {
	if value(id) == "" || value(id) == "null" {
		return problem(report.VersioningOff, "versioning of the bucket %s was suspended during the rollback: turn it on and run this again", b.name)
	}
	return nil
}

// algorithmOf is the algorithm of the version's checksum; empty: it has none.
func algorithmOf(h *head) types.ChecksumAlgorithm {
	name, _ := checksumOf(h)
	return name
}

func checksumOf(h *head) (types.ChecksumAlgorithm, string) {
	for _, c := range []struct {
		name types.ChecksumAlgorithm
		sum  *string
	}{
		{types.ChecksumAlgorithmCrc64nvme, h.ChecksumCRC64NVME}, {types.ChecksumAlgorithmCrc32, h.ChecksumCRC32},
		{types.ChecksumAlgorithmCrc32c, h.ChecksumCRC32C}, {types.ChecksumAlgorithmSha1, h.ChecksumSHA1},
		{types.ChecksumAlgorithmSha256, h.ChecksumSHA256},
	} {
		if c.sum != nil {
			return c.name, *c.sum
		}
	}
	return "", ""
}

// grants are the headers that give an object the access list of another.
type grants struct{ read, readACP, writeACP, full *string }

func (g grants) equal(o grants) bool {
	return value(g.read) == value(o.read) && value(g.readACP) == value(o.readACP) && value(g.writeACP) == value(o.writeACP) && value(g.full) == value(o.full)
}

// acls tells whether the bucket's objects have access lists of their own.
type acls struct {
	Enabled bool
	Unknown bool // the bucket's setting may not be read
}

// readACLs finds out whether objects have access lists. Most buckets have turned
// them off, which saves a request for each object.
func (b *bucket) readACLs(ctx context.Context) error {
	out, err := call(ctx, b, "GetBucketOwnershipControls", "arn:aws:s3:::"+b.name, func(ctx context.Context, options func(*s3.Options)) (*s3.GetBucketOwnershipControlsOutput, error) {
		return b.s3.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: &b.name}, options)
	})
	switch {
	case err == nil:
		b.acls.Enabled = true
		if out.OwnershipControls != nil {
			for _, rule := range out.OwnershipControls.Rules {
				b.acls.Enabled = b.acls.Enabled && rule.ObjectOwnership != types.ObjectOwnershipBucketOwnerEnforced
			}
		}
		return nil
	case errorCode(err) == "OwnershipControlsNotFoundError":
		b.acls.Enabled = true // a bucket from before that setting
		return nil
	case httpStatus(err) == http.StatusNotImplemented:
		return nil
	case asProblem(err).Reason == report.AccessDenied:
		b.acls = acls{Enabled: true, Unknown: true}
		return nil
	}
	return err
}

const aclsLost = "Access lists of objects could not be read: if some were public by an access list, they answer 403 now. Allow s3:GetBucketOwnershipControls and s3:GetObjectVersionAcl for the role."

// grantsOf reads the version's access list.
func (b *bucket) grantsOf(ctx context.Context, key, id string) (grants, error) {
	if !b.acls.Enabled {
		return grants{}, nil
	}
	out, err := call(ctx, b, "GetObjectVersionAcl", b.arn(key), func(ctx context.Context, options func(*s3.Options)) (*s3.GetObjectAclOutput, error) {
		return b.s3.GetObjectAcl(ctx, &s3.GetObjectAclInput{Bucket: &b.name, Key: &key, VersionId: &id}, options)
	})
	switch {
	case httpStatus(err) == http.StatusNotImplemented:
		return grants{}, nil
	case err != nil && b.acls.Unknown && asProblem(err).Reason == report.AccessDenied:
		b.notef(true, "%s", aclsLost)
		return grants{}, nil
	case err != nil:
		return grants{}, err
	}
	return grantsFrom(out), nil
}

// grantsFrom gives no headers for an access list that every object gets by itself.
func grantsFrom(acl *s3.GetObjectAclOutput) grants {
	owner := ""
	if acl.Owner != nil {
		owner = value(acl.Owner.ID)
	}
	who, plain := map[types.Permission][]string{}, true
	for _, g := range acl.Grants {
		if g.Grantee == nil {
			continue
		}
		text := `id="` + value(g.Grantee.ID) + `"`
		if g.Grantee.URI != nil {
			text = `uri="` + *g.Grantee.URI + `"`
		}
		who[g.Permission] = append(who[g.Permission], text)
		plain = plain && g.Permission == types.PermissionFullControl && g.Grantee.URI == nil && value(g.Grantee.ID) == owner
	}
	if plain {
		return grants{}
	}
	header := func(p types.Permission) *string {
		if len(who[p]) == 0 {
			return nil
		}
		return aws.String(strings.Join(who[p], ", "))
	}
	return grants{header(types.PermissionRead), header(types.PermissionReadAcp), header(types.PermissionWriteAcp), header(types.PermissionFullControl)}
}
