package emulator

import "net/http"

// listVersions gives a page of the versions, $LATEST before the oldest.
func (x *exchange) listVersions(f *Function) answer {
	f.latest.settle()
	all := make([]*Version, 0, len(f.versions)+1)
	all = append(append(all, f.latest), f.versions...)
	versions, next, r := page(x, all)
	if r != nil {
		return x.refuse(r)
	}
	body := struct {
		NextMarker *string `json:",omitempty"`
		Versions   []configurationBody
	}{NextMarker: next, Versions: make([]configurationBody, 0, len(versions))}
	for _, v := range versions {
		body.Versions = append(body.Versions, f.listed(v, v.name()))
	}
	return x.ok(http.StatusOK, body)
}

func (x *exchange) publishVersion(f *Function) answer {
	var body struct {
		CodeSha256  string
		Description string
		RevisionId  string
	}
	if r := x.decode(&body); r != nil {
		return x.refuse(r)
	}
	if r := f.changeable(body.RevisionId); r != nil {
		return x.refuse(r)
	}
	if body.CodeSha256 != "" && body.CodeSha256 != f.latest.CodeSha256 {
		return x.refuse(invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.",
			body.CodeSha256, f.latest.CodeSha256))
	}
	return x.ok(http.StatusCreated, f.published(f.publishChanged(body.Description)))
}

// publishChanged publishes $LATEST, or gives the last version again where
// nothing changed since.
func (f *Function) publishChanged(description string) *Version {
	if n := len(f.versions); n > 0 && f.versions[n-1].Number == f.last && f.versions[n-1].sameAs(f.latest) {
		return f.versions[n-1]
	}
	v := f.publish()
	if description != "" {
		v.Description = description
	}
	f.latest.RevisionID = newID()
	return v
}

func (f *Function) published(v *Version) configurationBody {
	return f.configuration(v, v.name())
}
