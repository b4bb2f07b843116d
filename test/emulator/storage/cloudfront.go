package storage

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Distribution is one distribution of CloudFront.
type Distribution struct {
	Bucket     string // that its origin is
	OriginPath string
	Root       string // its default root object
	// Busy is how many requests for an invalidation are refused as too many.
	Busy int

	server        *Server
	invalidations []Invalidation
}

// Invalidation is one that was made.
type Invalidation struct {
	ID        string
	Reference string
	Paths     []string
	Asked     int // how often its status was asked for
}

// Distribution gives a distribution, and makes it where there is none.
func (s *Server) Distribution(id string) *Distribution {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.distributions[id]
	if d == nil {
		d = &Distribution{server: s}
		s.distributions[id] = d
	}
	return d
}

// Invalidations are those that were made.
func (d *Distribution) Invalidations() []Invalidation {
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	return append([]Invalidation(nil), d.invalidations...)
}

func (s *Server) routeCloudFront(r *request, path string) func() {
	parts := strings.Split(path, "/") // version, "distribution", id, what, invalidation
	if len(parts) < 4 {
		r.call.Operation = "Unknown"
		return func() { unknown(r) }
	}
	r.call.Key = parts[2]
	var handle func(*request, *Distribution, []string)
	switch {
	case r.Method == http.MethodGet && parts[3] == "config":
		r.call.Operation, handle = "GetDistributionConfig", s.getConfig
	case r.Method == http.MethodPost && parts[3] == "invalidation":
		r.call.Operation, handle = "CreateInvalidation", s.createInvalidation
	case r.Method == http.MethodGet && parts[3] == "invalidation" && len(parts) == 5:
		r.call.Operation, handle = "GetInvalidation", s.getInvalidation
	default:
		r.call.Operation = "Unknown"
		return func() { unknown(r) }
	}
	return func() {
		for _, denied := range s.denied {
			if denied.action == "cloudfront:"+r.call.Operation {
				r.refuse(http.StatusForbidden, "AccessDenied", "User is not authorized to perform: "+denied.action)
				return
			}
		}
		d := s.distributions[parts[2]]
		if d == nil {
			r.refuse(http.StatusNotFound, "NoSuchDistribution", "The specified distribution does not exist.")
			return
		}
		handle(r, d, parts)
	}
}

// refuse is CloudFront's form of an error.
func (r *request) refuse(status int, code, message string) {
	type inner struct{ Type, Code, Message string }
	type answer struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Error   inner
	}
	r.xml(status, answer{Error: inner{"Sender", code, message}})
}

func (s *Server) getConfig(r *request, d *Distribution, _ []string) {
	type origin struct{ Id, DomainName, OriginPath string }
	type answer struct {
		XMLName           xml.Name `xml:"DistributionConfig"`
		DefaultRootObject string
		Quantity          int      `xml:"Origins>Quantity"`
		Origins           []origin `xml:"Origins>Items>Origin"`
	}
	r.xml(http.StatusOK, answer{DefaultRootObject: d.Root, Quantity: 1, Origins: []origin{{"site", d.Bucket + ".s3." + Region + ".amazonaws.com", d.OriginPath}}})
}

func (s *Server) createInvalidation(r *request, d *Distribution, _ []string) {
	var in struct {
		CallerReference string
		Quantity        int      `xml:"Paths>Quantity"`
		Paths           []string `xml:"Paths>Items>Path"`
	}
	switch err := xml.Unmarshal(r.body, &in); {
	case err != nil || in.CallerReference == "":
		r.refuse(http.StatusBadRequest, "MalformedXML", "The XML document was malformed.")
		return
	case in.Quantity != len(in.Paths):
		r.refuse(http.StatusBadRequest, "InconsistentQuantities", "The value of Quantity and the size of Items don't match.")
		return
	}
	wildcards := 0
	for _, path := range in.Paths {
		if !acceptable(path) {
			r.refuse(http.StatusBadRequest, "InvalidArgument", "Your request contains one or more invalid invalidation paths.")
			return
		}
		if strings.HasSuffix(path, "*") {
			wildcards++
		}
	}
	for i, made := range d.invalidations {
		if made.Reference != in.CallerReference {
			continue
		}
		if strings.Join(made.Paths, "\n") != strings.Join(in.Paths, "\n") {
			r.refuse(http.StatusConflict, "InvalidationBatchAlreadyExists", "The invalidation batch already exists.")
			return
		}
		r.invalidation(http.StatusCreated, d.invalidations[i])
		return
	}
	if d.Busy > 0 || len(in.Paths) > 3000 || wildcards > 15 {
		d.Busy--
		r.refuse(http.StatusBadRequest, "TooManyInvalidationsInProgress", "You have exceeded the maximum number of allowable InProgress invalidation batch requests.")
		return
	}
	s.ids++
	d.invalidations = append(d.invalidations, Invalidation{fmt.Sprintf("I%d", s.ids), in.CallerReference, in.Paths, 0})
	r.invalidation(http.StatusCreated, d.invalidations[len(d.invalidations)-1])
}

// acceptable tells whether CloudFront takes a path.
func acceptable(path string) bool {
	for i := range len(path) {
		if c := path[i]; c <= 0x20 || c >= 0x7f || strings.IndexByte("~\"<>#{}|\\^[]`", c) >= 0 {
			return false
		}
	}
	return strings.HasPrefix(path, "/")
}

func (r *request) invalidation(status int, i Invalidation) {
	type answer struct {
		XMLName    xml.Name `xml:"Invalidation"`
		Id         string
		Status     string
		CreateTime string
	}
	state := "InProgress"
	if i.Asked > 1 {
		state = "Completed"
	}
	r.xml(status, answer{Id: i.ID, Status: state, CreateTime: time.Unix(0, 0).UTC().Format(time.RFC3339)})
}

func (s *Server) getInvalidation(r *request, d *Distribution, parts []string) {
	for i := range d.invalidations {
		if made := &d.invalidations[i]; made.ID == parts[4] {
			made.Asked++
			r.invalidation(http.StatusOK, *made)
			return
		}
	}
	r.refuse(http.StatusNotFound, "NoSuchInvalidation", "The specified invalidation does not exist.")
}
