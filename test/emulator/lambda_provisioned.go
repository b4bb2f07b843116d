package emulator

import (
	"net/http"
	"strconv"
	"time"
)

// provisioned is the provisioned concurrency of an alias or a version.
type provisioned struct {
	requested int
	allocated int
	ready     bool
	changed   time.Time
}

type provisionedBody struct {
	AllocatedProvisionedConcurrentExecutions int
	AvailableProvisionedConcurrentExecutions int
	LastModified                             string
	RequestedProvisionedConcurrentExecutions int
	Status                                   string
}

// body is the configuration as it is, without settling it.
func (p *provisioned) body() provisionedBody {
	body := provisionedBody{
		AllocatedProvisionedConcurrentExecutions: p.allocated,
		AvailableProvisionedConcurrentExecutions: p.allocated,
		LastModified:                             p.changed.UTC().Format("2006-01-02T15:04:05-0700"),
		RequestedProvisionedConcurrentExecutions: p.requested,
		Status:                                   "IN_PROGRESS",
	}
	if p.ready {
		body.Status = "READY"
	}
	return body
}

// moved notes that an alias with provisioned concurrency leads elsewhere: its
// environments are set up anew.
func (f *Function) moved(alias string) {
	if p := f.provisioned[alias]; p != nil {
		p.ready = false
	}
}

func (x *exchange) provisionedConcurrency(f *Function) answer {
	if x.call.Operation == "ListProvisionedConcurrencyConfigs" {
		return x.listProvisioned(f)
	}
	qualifier := x.call.Qualifier
	if versionNumber.MatchString(qualifier) {
		if _, r := f.target(qualifier); r != nil {
			return x.refuse(r)
		}
	} else if f.aliases[qualifier] == nil {
		return x.refuse(notFound("Cannot find alias arn: %s", functionARN(f.region, f.name, qualifier)))
	}
	switch p := f.provisioned[qualifier]; x.call.Operation {
	case "PutProvisionedConcurrencyConfig":
		return x.putProvisioned(f, qualifier)
	case "DeleteProvisionedConcurrencyConfig":
		delete(f.provisioned, qualifier)
		return x.ok(http.StatusNoContent, nil)
	default:
		if p == nil {
			return x.fail(http.StatusNotFound, "ProvisionedConcurrencyConfigNotFoundException",
				"No Provisioned Concurrency Config found for this function")
		}
		// The first read still sees it in progress, the next one sees it ready.
		body := p.body()
		p.ready, p.allocated = true, p.requested
		return x.ok(http.StatusOK, body)
	}
}

func (x *exchange) putProvisioned(f *Function, qualifier string) answer {
	var body struct{ ProvisionedConcurrentExecutions int }
	if r := x.decode(&body); r != nil {
		return x.refuse(r)
	}
	if a := f.aliases[qualifier]; a != nil {
		if f.provisioned[a.now.Version] != nil {
			return x.refuse(conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"))
		}
		if number, err := strconv.ParseInt(a.now.Version, 10, 64); err == nil && f.version(number) != nil {
			f.version(number).RevisionID = newID()
		}
	} else {
		for name, a := range f.aliases {
			if a.now.Version == qualifier && f.provisioned[name] != nil {
				return x.refuse(conflict("Version is pointed by a Provisioned Concurrency alias"))
			}
		}
	}
	p := &provisioned{requested: body.ProvisionedConcurrentExecutions, changed: x.e.now()}
	f.provisioned[qualifier] = p
	return x.ok(http.StatusAccepted, p.body())
}

func (x *exchange) listProvisioned(f *Function) answer {
	type entry struct {
		provisionedBody

		FunctionArn string
	}
	entries := []entry{}
	for qualifier, p := range f.provisioned {
		entries = append(entries, entry{FunctionArn: functionARN(f.region, f.name, qualifier), provisionedBody: p.body()})
	}
	return x.ok(http.StatusOK, map[string]any{"ProvisionedConcurrencyConfigs": entries})
}
