package storage

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func base64of(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// route finds the operation, and gives what carries it out.
func (s *Server) route(r *request) func() {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	if strings.HasPrefix(path, "2020-05-31/") {
		return s.routeCloudFront(r, path)
	}
	name, rawKey, _ := strings.Cut(path, "/")
	key, _ := url.PathUnescape(rawKey)
	r.call.Bucket, r.call.Key, r.call.VersionID = name, key, r.query.Get("versionId")
	op, handle := s.operation(r, key)
	r.call.Operation = op
	if op == "DeleteObjects" {
		r.call.Keys = batchKeys(r.body)
	}
	if source := r.Header.Get("X-Amz-Copy-Source"); source != "" {
		_, r.call.VersionID, _ = strings.Cut(source, "?versionId=")
	}
	return func() {
		if r.bucket = s.buckets[name]; r.bucket == nil {
			r.fail(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
			return
		}
		if b := r.bucket; !strings.Contains(r.Header.Get("Authorization"), "/"+b.Region+"/") {
			r.w.Header().Set("X-Amz-Bucket-Region", b.Region)
			r.fail(http.StatusMovedPermanently, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.")
			return
		}
		handle(r)
	}
}

func (s *Server) operation(r *request, key string) (string, func(*request)) {
	has := r.query.Has
	if key == "" {
		switch {
		case r.Method == http.MethodGet && has("versions"):
			return "ListObjectVersions", s.listVersions
		case r.Method == http.MethodGet && has("versioning"):
			return "GetBucketVersioning", s.getVersioning
		case r.Method == http.MethodGet && has("ownershipControls"):
			return "GetBucketOwnershipControls", s.getOwnership
		case r.Method == http.MethodGet && has("requestPayment"):
			return "GetBucketRequestPayment", s.getPayment
		case r.Method == http.MethodPost && has("delete"):
			return "DeleteObjects", s.deleteObjects
		case r.Method == http.MethodGet && (len(r.query) == 0 || has("list-type") || has("prefix") || has("max-keys")):
			return "ListObjects", s.listObjects
		case r.Method == http.MethodHead:
			return "HeadBucket", func(r *request) { r.w.WriteHeader(http.StatusOK) }
		}
		return "Unknown", unknown
	}
	copies := r.Header.Get("X-Amz-Copy-Source") != ""
	switch {
	case r.Method == http.MethodHead:
		return "HeadObject", s.getObject
	case r.Method == http.MethodGet && has("tagging"):
		return "GetObjectTagging", s.getTagging
	case r.Method == http.MethodGet && has("acl"):
		return "GetObjectAcl", s.getACL
	case r.Method == http.MethodGet:
		return "GetObject", s.getObject
	case r.Method == http.MethodPost && has("uploads"):
		return "CreateMultipartUpload", s.createUpload
	case r.Method == http.MethodPost && has("uploadId"):
		return "CompleteMultipartUpload", s.completeUpload
	case r.Method == http.MethodDelete && has("uploadId"):
		return "AbortMultipartUpload", s.abortUpload
	case r.Method == http.MethodDelete:
		return "DeleteObject", s.deleteObject
	case r.Method == http.MethodPut && has("partNumber") && copies:
		return "UploadPartCopy", s.uploadPartCopy
	case r.Method == http.MethodPut && has("partNumber"):
		return "UploadPart", s.uploadPart
	case r.Method == http.MethodPut && copies:
		return "CopyObject", s.copyObject
	case r.Method == http.MethodPut:
		return "PutObject", s.putObject
	}
	return "Unknown", unknown
}

func unknown(r *request) {
	r.fail(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
}

func (s *Server) getVersioning(r *request) {
	type answer struct {
		XMLName xml.Name `xml:"VersioningConfiguration"`
		Status  string   `xml:",omitempty"`
	}
	if s.may(r, "s3:GetBucketVersioning", "") {
		r.xml(http.StatusOK, answer{Status: r.bucket.Versioning})
	}
}

func (s *Server) getOwnership(r *request) {
	type answer struct {
		XMLName xml.Name `xml:"OwnershipControls"`
		Owner   string   `xml:"Rule>ObjectOwnership"`
	}
	switch {
	case !s.may(r, "s3:GetBucketOwnershipControls", ""):
	case r.bucket.Ownership == "":
		r.fail(http.StatusNotFound, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
	default:
		r.xml(http.StatusOK, answer{Owner: r.bucket.Ownership})
	}
}

func (s *Server) getPayment(r *request) {
	type answer struct {
		XMLName xml.Name `xml:"RequestPaymentConfiguration"`
		Payer   string
	}
	if s.may(r, "s3:GetBucketRequestPayment", "") {
		r.xml(http.StatusOK, answer{Payer: r.bucket.Payer})
	}
}

// find gives the version that a request is about, or answers it.
func (r *request) find(b *Bucket, key, id string) *Version {
	for _, v := range b.objects[key] {
		switch {
		case id != "" && v.ID != id:
			continue
		case v.Marker && id == "":
			r.w.Header().Set("X-Amz-Delete-Marker", "true")
			r.fail(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		case v.Marker:
			r.w.Header().Set("X-Amz-Delete-Marker", "true")
			r.fail(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
		default:
			return v
		}
		return nil
	}
	if id != "" {
		r.fail(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
	} else {
		r.fail(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	}
	return nil
}

// frozen tells whether a version has to be restored from an archive first.
func (v *Version) frozen() bool {
	return (v.StorageClass == "GLACIER" || v.StorageClass == "DEEP_ARCHIVE") && !v.Restored
}

func readAction(id string) string {
	if id != "" {
		return "s3:GetObjectVersion"
	}
	return "s3:GetObject"
}

func (s *Server) getObject(r *request) {
	key, id := r.call.Key, r.call.VersionID
	if !s.may(r, readAction(id), key) {
		return
	}
	v := r.find(r.bucket, key, id)
	if v == nil {
		return
	}
	if r.Method == http.MethodGet && v.frozen() {
		r.fail(http.StatusForbidden, "InvalidObjectState", "The operation is not valid for the object's storage class")
		return
	}
	h := r.w.Header()
	v.describe(h)
	h.Set("ETag", v.ETag)
	h.Set("Last-Modified", v.Modified.Format(http.TimeFormat))
	h.Set("X-Amz-Version-Id", v.ID)
	h.Set("Content-Length", strconv.FormatInt(v.Bytes(), 10))
	if len(v.Tags) > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(len(v.Tags)))
	}
	if v.Restored {
		h.Set("X-Amz-Restore", `ongoing-request="false", expiry-date="Fri, 21 Dec 2035 00:00:00 GMT"`)
	}
	if v.Checksum != "" && r.Header.Get("X-Amz-Checksum-Mode") == "ENABLED" {
		h.Set("X-Amz-Checksum-Crc32", v.checksum())
		h.Set("X-Amz-Checksum-Type", "FULL_OBJECT")
	}
	if part := r.query.Get("partNumber"); part != "" {
		n, _ := strconv.Atoi(part)
		if n < 1 || n > max(1, len(v.Parts)) {
			r.fail(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber", "The requested partnumber is not satisfiable")
			return
		}
		if len(v.Parts) > 0 {
			h.Set("X-Amz-Mp-Parts-Count", strconv.Itoa(len(v.Parts)))
			h.Set("Content-Length", strconv.FormatInt(v.Parts[n-1], 10))
		}
		r.w.WriteHeader(http.StatusPartialContent)
		return
	}
	r.w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = r.w.Write(v.Body)
	}
}

// describe writes an object's headers and metadata.
func (o *Object) describe(h http.Header) {
	for name, text := range map[string]string{
		"Content-Type": o.ContentType, "Cache-Control": o.CacheControl, "Content-Disposition": o.ContentDisposition,
		"Content-Encoding": o.ContentEncoding, "Content-Language": o.ContentLanguage, "Expires": o.Expires,
		"X-Amz-Website-Redirect-Location": o.Redirect, "X-Amz-Object-Lock-Mode": o.LockMode,
	} {
		if text != "" {
			h.Set(name, text)
		}
	}
	if o.StorageClass != "" && o.StorageClass != "STANDARD" {
		h.Set("X-Amz-Storage-Class", o.StorageClass)
	}
	h.Set("X-Amz-Server-Side-Encryption", "AES256")
	if o.KMSKey != "" {
		h.Set("X-Amz-Server-Side-Encryption", "aws:kms")
		h.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", o.KMSKey)
	}
	for k, v := range o.Metadata {
		h.Set("X-Amz-Meta-"+k, v)
	}
}

// described reads them from a request that writes.
func described(h http.Header) Object {
	o := Object{
		ContentType: h.Get("Content-Type"), CacheControl: h.Get("Cache-Control"), ContentDisposition: h.Get("Content-Disposition"),
		ContentEncoding: h.Get("Content-Encoding"), ContentLanguage: h.Get("Content-Language"), Expires: h.Get("Expires"),
		Metadata: map[string]string{}, Tags: map[string]string{},
	}
	for name := range h {
		if k, found := strings.CutPrefix(name, "X-Amz-Meta-"); found {
			o.Metadata[strings.ToLower(k)] = h.Get(name)
		}
	}
	tags, _ := url.ParseQuery(h.Get("X-Amz-Tagging"))
	for k := range tags {
		o.Tags[k] = tags.Get(k)
	}
	o.take(h)
	return o
}

// take reads what no copy keeps by itself.
func (o *Object) take(h http.Header) {
	o.Redirect, o.StorageClass = h.Get("X-Amz-Website-Redirect-Location"), h.Get("X-Amz-Storage-Class")
	o.KMSKey = ""
	if strings.HasPrefix(h.Get("X-Amz-Server-Side-Encryption"), "aws:kms") {
		o.KMSKey = h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id")
	}
	o.Grants = nil
	for name, permission := range map[string]string{"Read": "READ", "Read-Acp": "READ_ACP", "Write-Acp": "WRITE_ACP", "Full-Control": "FULL_CONTROL"} {
		for who := range strings.SplitSeq(h.Get("X-Amz-Grant-"+name), ", ") {
			if _, text, found := strings.Cut(who, "="); found {
				o.Grants = append(o.Grants, Grant{strings.Trim(text, `"`), permission})
			}
		}
	}
	if algorithm := h.Get("X-Amz-Checksum-Algorithm"); algorithm != "" {
		o.Checksum = algorithm
	}
	o.Restored, o.LockMode = false, ""
}

func (s *Server) getTagging(r *request) {
	type tag struct{ Key, Value string }
	type answer struct {
		XMLName xml.Name `xml:"Tagging"`
		Tags    []tag    `xml:"TagSet>Tag"`
	}
	action := "s3:GetObjectTagging"
	if r.call.VersionID != "" {
		action = "s3:GetObjectVersionTagging"
	}
	if !s.may(r, action, r.call.Key) {
		return
	}
	if v := r.find(r.bucket, r.call.Key, r.call.VersionID); v != nil {
		out := answer{}
		for k, text := range v.Tags {
			out.Tags = append(out.Tags, tag{k, text})
		}
		r.xml(http.StatusOK, out)
	}
}

const owner = "0000000000000000000000000000000000000000000000000000000000000001"

func (s *Server) getACL(r *request) {
	if !s.may(r, "s3:GetObjectVersionAcl", r.call.Key) {
		return
	}
	v := r.find(r.bucket, r.call.Key, r.call.VersionID)
	if v == nil {
		return
	}
	grants := v.Grants
	if len(grants) == 0 {
		grants = []Grant{{owner, "FULL_CONTROL"}}
	}
	var list strings.Builder
	for _, g := range grants {
		kind, field := "CanonicalUser", "ID"
		if strings.HasPrefix(g.Who, "http") {
			kind, field = "Group", "URI"
		}
		fmt.Fprintf(&list, `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="%s"><%s>%s</%s></Grantee><Permission>%s</Permission></Grant>`, kind, field, g.Who, field, g.Permission)
	}
	r.w.Header().Set("Content-Type", "application/xml")
	_, _ = fmt.Fprintf(r.w, `<AccessControlPolicy><Owner><ID>%s</ID></Owner><AccessControlList>%s</AccessControlList></AccessControlPolicy>`, owner, list.String())
}

func (s *Server) putObject(r *request) {
	if !s.may(r, "s3:PutObject", r.call.Key) || !s.meets(r) {
		return
	}
	o := described(r.Header)
	o.Body = r.body
	r.wrote(r.bucket.put(r.call.Key, o))
	r.w.WriteHeader(http.StatusOK)
}

func (r *request) wrote(v *Version) {
	r.w.Header().Set("ETag", v.ETag)
	r.w.Header().Set("X-Amz-Version-Id", v.ID)
}

func (s *Server) deleteObject(r *request) {
	if id := r.call.VersionID; id != "" {
		if !s.AllowErase {
			r.fail(http.StatusForbidden, "AccessDenied", "nothing may be deleted for good here")
			return
		}
		key := r.call.Key
		r.bucket.objects[key] = slices.DeleteFunc(r.bucket.objects[key], func(v *Version) bool { return v.ID == id })
		r.w.WriteHeader(http.StatusNoContent)
		return
	}
	if s.may(r, "s3:DeleteObject", r.call.Key) {
		v := r.bucket.mark(r.call.Key)
		r.w.Header().Set("X-Amz-Delete-Marker", "true")
		r.w.Header().Set("X-Amz-Version-Id", v.ID)
		r.w.WriteHeader(http.StatusNoContent)
	}
}

type batch struct {
	Objects []struct{ Key, VersionId string } `xml:"Object"`
	Quiet   bool
}

func batchKeys(body []byte) []string {
	var in batch
	_ = xml.Unmarshal(body, &in)
	keys := make([]string, len(in.Objects))
	for i, o := range in.Objects {
		keys[i] = o.Key
	}
	return keys
}

type batchError struct{ Key, Code, Message string }

type batchDone struct {
	Key                   string
	DeleteMarker          bool
	DeleteMarkerVersionId string
}

type batchAnswer struct {
	XMLName xml.Name `xml:"DeleteResult"`
	Deleted []batchDone
	Errors  []batchError `xml:"Error"`
}

func (s *Server) deleteObjects(r *request) {
	var in batch
	if err := xml.Unmarshal(r.body, &in); err != nil || len(in.Objects) == 0 || len(in.Objects) > 1000 {
		r.fail(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed")
		return
	}
	out := batchAnswer{}
	for _, o := range in.Objects {
		denied := o.VersionId != ""
		for _, d := range s.denied {
			denied = denied || d.action == "s3:DeleteObject" && strings.HasPrefix(o.Key, d.prefix)
		}
		if denied {
			out.Errors = append(out.Errors, batchError{o.Key, "AccessDenied", "Access Denied"})
			continue
		}
		v := r.bucket.mark(o.Key)
		if !in.Quiet {
			out.Deleted = append(out.Deleted, batchDone{o.Key, true, v.ID})
		}
	}
	r.xml(http.StatusOK, out)
}

func (r *request) failKeys(code string) {
	out := batchAnswer{}
	for _, key := range r.call.Keys {
		out.Errors = append(out.Errors, batchError{key, code, "as the test ordered"})
	}
	r.xml(http.StatusOK, out)
}
