package storage

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// mostInOneCopy is the size up to which one request copies.
const mostInOneCopy = 5 << 30

// meets tells whether the current version is what a write says it must be.
func (s *Server) meets(r *request) bool {
	match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	if match == "" && none == "" {
		return true
	}
	if s.NoConditions {
		unknown(r)
		return false
	}
	versions := r.bucket.objects[r.call.Key]
	there := len(versions) > 0 && !versions[0].Marker
	if none == "*" && there || match != "" && (!there || versions[0].ETag != match) {
		r.fail(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		return false
	}
	return true
}

// source is the version that a copy reads, or answers the request.
func (s *Server) source(r *request) *Version {
	text, id, _ := strings.Cut(r.Header.Get("X-Amz-Copy-Source"), "?versionId=")
	path, err := url.QueryUnescape(strings.TrimPrefix(text, "/")) // S3 takes a plus for a blank here
	if err != nil {
		r.fail(http.StatusBadRequest, "InvalidArgument", "Invalid copy source encoding.")
		return nil
	}
	name, key, _ := strings.Cut(path, "/")
	from := s.buckets[name]
	if from == nil {
		r.fail(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		return nil
	}
	if !s.may(r, readAction(id), key) || !s.may(r, "s3:PutObject", r.call.Key) {
		return nil
	}
	id, _ = url.QueryUnescape(id)
	v := r.find(from, key, id)
	if v == nil {
		return nil
	}
	if v.frozen() {
		r.fail(http.StatusForbidden, "InvalidObjectState", "Operation is not valid for the source object's storage class")
		return nil
	}
	return v
}

func (s *Server) copyObject(r *request) {
	v := s.source(r)
	if v == nil {
		return
	}
	if want := r.Header.Get("X-Amz-Copy-Source-If-Match"); want != "" && want != v.ETag {
		r.fail(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		return
	}
	if !s.meets(r) {
		return
	}
	if len(v.Tags) > 0 && (!s.may(r, "s3:GetObjectVersionTagging", v.Key) || !s.may(r, "s3:PutObjectTagging", r.call.Key)) {
		return
	}
	switch now := r.bucket.objects[r.call.Key]; {
	case v.Bytes() > mostInOneCopy:
		r.fail(http.StatusBadRequest, "InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
		return
	case len(now) > 0 && now[0] == v:
		r.fail(http.StatusBadRequest, "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
		return
	}
	o := v.Object
	o.take(r.Header)
	o.PartSize = 0
	made := r.bucket.put(r.call.Key, o)
	type answer struct {
		XMLName      xml.Name `xml:"CopyObjectResult"`
		ETag         string
		LastModified string
	}
	r.w.Header().Set("X-Amz-Version-Id", made.ID)
	r.w.Header().Set("X-Amz-Copy-Source-Version-Id", v.ID)
	r.xml(http.StatusOK, answer{ETag: made.ETag, LastModified: made.Modified.Format(time.RFC3339)})
}

// upload is an object in parts that is not complete.
type upload struct {
	object Object
	parts  map[int]part
}

// part is some bytes, of its own or of a version.
type part struct {
	from       *Object
	start, end int64
}

func (s *Server) createUpload(r *request) {
	if !s.may(r, "s3:PutObject", r.call.Key) {
		return
	}
	s.ids++
	id := fmt.Sprintf("u%d", s.ids)
	r.bucket.uploads[id] = &upload{described(r.Header), map[int]part{}}
	type answer struct {
		XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
		Bucket   string
		Key      string
		UploadId string
	}
	r.xml(http.StatusOK, answer{Bucket: r.bucket.name, Key: r.call.Key, UploadId: id})
}

// Uploads is how many uploads in parts are not complete.
func (b *Bucket) Uploads() int {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	return len(b.uploads)
}

func (s *Server) openUpload(r *request) *upload {
	u := r.bucket.uploads[r.query.Get("uploadId")]
	if u == nil {
		r.fail(http.StatusNotFound, "NoSuchUpload", "The specified multipart upload does not exist.")
	}
	return u
}

func (s *Server) uploadPart(r *request) {
	u := s.openUpload(r)
	if u == nil || !s.may(r, "s3:PutObject", r.call.Key) {
		return
	}
	number, _ := strconv.Atoi(r.query.Get("partNumber"))
	o := &Object{Body: r.body}
	u.parts[number] = part{o, 0, int64(len(r.body))}
	r.w.Header().Set("ETag", fmt.Sprintf(`"%x"`, digest(o, 0, int64(len(r.body)), "")))
	r.w.WriteHeader(http.StatusOK)
}

func (s *Server) uploadPartCopy(r *request) {
	u := s.openUpload(r)
	if u == nil {
		return
	}
	v := s.source(r)
	if v == nil {
		return
	}
	number, _ := strconv.Atoi(r.query.Get("partNumber"))
	p := part{&v.Object, 0, v.Bytes()}
	if text := r.Header.Get("X-Amz-Copy-Source-Range"); text != "" {
		last := int64(0)
		if _, err := fmt.Sscanf(text, "bytes=%d-%d", &p.start, &last); err != nil || last >= v.Bytes() {
			r.fail(http.StatusBadRequest, "InvalidArgument", "Range specified is not valid for source object")
			return
		}
		p.end = last + 1
	}
	if p.end-p.start > mostInOneCopy {
		r.fail(http.StatusBadRequest, "InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
		return
	}
	u.parts[number] = p
	type answer struct {
		XMLName xml.Name `xml:"CopyPartResult"`
		ETag    string
	}
	r.xml(http.StatusOK, answer{ETag: fmt.Sprintf(`"%x"`, digest(p.from, p.start, p.end-p.start, ""))})
}

func (s *Server) completeUpload(r *request) {
	u := s.openUpload(r)
	if u == nil || !s.may(r, "s3:PutObject", r.call.Key) || !s.meets(r) {
		return
	}
	var in struct {
		Parts []struct{ PartNumber int } `xml:"Part"`
	}
	if err := xml.Unmarshal(r.body, &in); err != nil || len(in.Parts) == 0 {
		r.fail(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed")
		return
	}
	o, sizes, ok := u.assemble(in.Parts)
	if !ok {
		r.fail(http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.")
		return
	}
	delete(r.bucket.uploads, r.query.Get("uploadId"))
	made := &Version{Object: o, Key: r.call.Key, Parts: sizes}
	if o.KMSKey == "" {
		made.KMSKey = r.bucket.KMSKey
	}
	if r.bucket.Ownership == "BucketOwnerEnforced" {
		made.Grants = nil
	}
	made.ETag = r.bucket.etag(made)
	r.bucket.add(made)
	type answer struct {
		XMLName xml.Name `xml:"CompleteMultipartUploadResult"`
		ETag    string
	}
	r.w.Header().Set("X-Amz-Version-Id", made.ID)
	r.xml(http.StatusOK, answer{ETag: made.ETag})
}

// assemble puts the parts together: real bytes, or one made-up object that the parts
// cover from its beginning to its end.
func (u *upload) assemble(numbers []struct{ PartNumber int }) (Object, []int64, bool) {
	o := u.object
	var sizes []int64
	var body []byte
	at := int64(0)
	for _, n := range numbers {
		p, found := u.parts[n.PartNumber]
		if !found {
			return o, nil, false
		}
		sizes = append(sizes, p.end-p.start)
		if p.from.Body != nil {
			body = append(body, p.from.Body[p.start:p.end]...)
			continue
		}
		if p.start != at {
			return o, nil, false
		}
		at = p.end
		o.Fill, o.Size = p.from.Fill, p.end
	}
	if at == 0 {
		o.Body = body
	}
	return o, sizes, true
}

func (s *Server) abortUpload(r *request) {
	if s.openUpload(r) != nil {
		delete(r.bucket.uploads, r.query.Get("uploadId"))
		r.w.WriteHeader(http.StatusNoContent)
	}
}
