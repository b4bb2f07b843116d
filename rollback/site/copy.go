package site

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// head is what S3 returns about a version, without its content.
type head = s3.HeadObjectOutput

// headOf reads the head of a version.
func (b *bucket) headOf(ctx context.Context, key, id string) (*head, error) {
	return call(ctx, b, "GetObjectVersion", b.arn(key), func(ctx context.Context, options func(*s3.Options)) (*head, error) {
		return b.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key, VersionId: &id, ChecksumMode: types.ChecksumModeEnabled}, options)
	})
}

// copier copies versions over the current versions of their keys, and compares the
// two.
type copier struct {
	b       *bucket
	acls    acls
	noMatch atomic.Bool // the server does not support If-Match for copies
}

// outcome is what happened to a key.
type outcome int

const (
	copied outcome = iota
	same           // it was already right
	newer          // somebody else wrote it in the meantime, so it was left alone
)

// put copies a version over the current version of its key. It also copies what
// CopyObject does not: the storage class, the redirect, the encryption and the
// grants.
func (k *copier) put(ctx context.Context, c change) (outcome, string, error) {
	from, err := k.b.headOf(ctx, c.Key, c.From.ID)
	if err != nil {
		return copied, "", err
	}
	if c.Action == compare {
		equal, err := k.same(ctx, c, from)
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
		k.b.notef(false, "Object Lock retention and legal hold are not copied: the restored versions get the bucket's default.")
	}
	grants, err := k.grantsOf(ctx, c.Key, c.From.ID)
	if err != nil {
		return copied, "", err
	}
	what, id, err := k.putWith(ctx, c, from, grants)
	if p, found := errors.AsType[*Problem](err); found && p.Reason == report.AccessDenied {
		return what, id, &Problem{p.Reason, p.Text + "; objects with tags also need s3:GetObjectVersionTagging and s3:PutObjectTagging, objects with access lists s3:PutObjectAcl", p}
	}
	return what, id, err
}

func (k *copier) putWith(ctx context.Context, c change, from *head, grants grants) (outcome, string, error) {
	if strings.Contains(c.From.ETag, "-") {
		return k.putInParts(ctx, c, from, grants)
	}
	return k.putWhole(ctx, c, from, grants)
}

func classOf(c change, from *head) string {
	if from.ArchiveStatus != "" {
		return string(from.ArchiveStatus)
	}
	return string(c.From.Class)
}

// source returns the version in the form that the header x-amz-copy-source takes.
func (b *bucket) source(c change) *string {
	return sdk.String(encodeSource(b.name+"/"+c.Key) + "?versionId=" + url.QueryEscape(c.From.ID))
}

// encodeSource percent-encodes a path, except for its slashes. A space becomes %20.
// A plus is encoded too, because S3 decodes a plus as a space.
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

// classToKeep returns the storage class of a copy. An archived version does not keep
// its class: it must have been archived later, because the site could not have
// served it.
func classToKeep(c change, from *head) types.StorageClass {
	if c.From.archived() {
		return ""
	}
	return from.StorageClass
}

// putWhole copies a version with a single request.
func (k *copier) putWhole(ctx context.Context, c change, from *head, grants grants) (outcome, string, error) {
	in := s3.CopyObjectInput{
		Bucket: &k.b.name, Key: &c.Key, CopySource: k.b.source(c),
		StorageClass: classToKeep(c, from), WebsiteRedirectLocation: from.WebsiteRedirectLocation,
		ServerSideEncryption: from.ServerSideEncryption, SSEKMSKeyId: from.SSEKMSKeyId, BucketKeyEnabled: from.BucketKeyEnabled,
		ChecksumAlgorithm: algorithmOf(from),
		GrantRead:         grants.read, GrantReadACP: grants.readACP, GrantWriteACP: grants.writeACP, GrantFullControl: grants.full,
	}
	if from.ChecksumType == types.ChecksumTypeComposite {
		in.ChecksumAlgorithm = "" // a copy by a single request has no checksum of that type
	}
	in.IfMatch, in.IfNoneMatch = k.condition(c)
	out, err := write(ctx, k.b, 1, tryLimitOf(c.From.Size), "PutObject", k.b.arn(c.Key), func(ctx context.Context, options func(*s3.Options)) (*s3.CopyObjectOutput, error) {
		return k.b.s3.CopyObject(ctx, &in, options)
	})
	switch {
	case err == nil:
		return copied, value(out.VersionId), checkVersion(k.b, out.VersionId)
	case aws.Status(err) == http.StatusNotImplemented && (in.IfMatch != nil || in.IfNoneMatch != nil):
		k.noMatch.Store(true)
		return k.putWhole(ctx, c, from, grants)
	case aws.Status(err) == http.StatusPreconditionFailed:
		return k.writtenMeanwhile(ctx, c, from)
	}
	return copied, "", err
}

// condition returns the headers If-Match and If-None-Match of a write. They make S3
// reject the write if the current version is not the one that the plan is based on.
// Not every server supports them.
func (k *copier) condition(c change) (match, noneMatch *string) {
	switch {
	case k.noMatch.Load():
		return nil, nil
	case c.Over.ETag == "":
		return nil, sdk.String("*")
	}
	return &c.Over.ETag, nil
}

// writtenMeanwhile determines who wrote the key: an earlier try of this copy whose
// response was lost, or somebody else.
func (k *copier) writtenMeanwhile(ctx context.Context, c change, from *head) (outcome, string, error) {
	for e, err := range k.b.list(ctx, c.Key, fewVersions) {
		if err != nil {
			return copied, "", err
		}
		if e.Key != c.Key || e.Marker {
			break
		}
		c.Over = e.version()
		equal, err := k.same(ctx, c, from)
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

// checkVersion returns an error if the copy has no version of its own. Versioning
// may have been suspended since the plan was made.
func checkVersion(b *bucket, id *string) error {
	if value(id) == "" || value(id) == "null" {
		return problem(report.VersioningOff, "versioning of the bucket %s was suspended during the rollback: turn it on and run this again", b.name)
	}
	return nil
}

// algorithmOf returns the algorithm of the version's checksum; empty: it has none.
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

// grants has the request headers that give an object the ACL of another object.
type grants struct{ read, readACP, writeACP, full *string }

func (g grants) equal(o grants) bool {
	return value(g.read) == value(o.read) && value(g.readACP) == value(o.readACP) && value(g.writeACP) == value(o.writeACP) && value(g.full) == value(o.full)
}

// acls says whether the bucket's objects have ACLs of their own.
type acls struct {
	Enabled bool
	Unknown bool // the role may not read the bucket's setting
}

// readACLs determines whether objects have ACLs. Most buckets have turned them off,
// which saves a request for each object.
func (k *copier) readACLs(ctx context.Context) error {
	out, err := call(ctx, k.b, "GetBucketOwnershipControls", "arn:aws:s3:::"+k.b.name, func(ctx context.Context, options func(*s3.Options)) (*s3.GetBucketOwnershipControlsOutput, error) {
		return k.b.s3.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: &k.b.name}, options)
	})
	switch {
	case err == nil:
		k.acls.Enabled = true
		if out.OwnershipControls != nil {
			for _, rule := range out.OwnershipControls.Rules {
				k.acls.Enabled = k.acls.Enabled && rule.ObjectOwnership != types.ObjectOwnershipBucketOwnerEnforced
			}
		}
		return nil
	case aws.Code(err) == "OwnershipControlsNotFoundError":
		k.acls.Enabled = true // the bucket is older than that setting
		return nil
	case aws.Status(err) == http.StatusNotImplemented:
		return nil
	case asProblem(err).Reason == report.AccessDenied:
		k.acls = acls{Enabled: true, Unknown: true}
		return nil
	}
	return err
}

const aclsLost = "Access lists of objects could not be read: if an access list made some of them public, they return 403 now. Allow s3:GetBucketOwnershipControls and s3:GetObjectVersionAcl for the role."

// grantsOf reads the version's ACL.
func (k *copier) grantsOf(ctx context.Context, key, id string) (grants, error) {
	if !k.acls.Enabled {
		return grants{}, nil
	}
	out, err := call(ctx, k.b, "GetObjectVersionAcl", k.b.arn(key), func(ctx context.Context, options func(*s3.Options)) (*s3.GetObjectAclOutput, error) {
		return k.b.s3.GetObjectAcl(ctx, &s3.GetObjectAclInput{Bucket: &k.b.name, Key: &key, VersionId: &id}, options)
	})
	switch {
	case aws.Status(err) == http.StatusNotImplemented:
		return grants{}, nil
	case err != nil && k.acls.Unknown && asProblem(err).Reason == report.AccessDenied:
		k.b.notef(true, "%s", aclsLost)
		return grants{}, nil
	case err != nil:
		return grants{}, err
	}
	return grantsFrom(out), nil
}

// grantsFrom returns the headers for an ACL. It returns none for the default ACL,
// which every object gets anyway.
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
		return sdk.String(strings.Join(who[p], ", "))
	}
	return grants{header(types.PermissionRead), header(types.PermissionReadAcp), header(types.PermissionWriteAcp), header(types.PermissionFullControl)}
}
