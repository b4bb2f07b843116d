package emulator

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
)

// pageSize is the most that AWS lists in one page, whatever MaxItems asks for.
const pageSize = 50

// lambda answers a call of Lambda's API.
func (x *exchange) lambda() answer {
	if a := x.needSignature(); a != nil {
		return *a
	}
	if x.call.Operation == "" {
		return x.fail(http.StatusNotFound, "UnknownOperationException", "no such operation: "+x.call.Method+" "+x.call.Path)
	}
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	region := x.e.region(x.call.Region)
	if r := x.reachable(); r != nil {
		return x.refuse(r)
	}
	if x.call.Operation == "CreateFunction" {
		return x.createFunction(region)
	}
	f := region.functions[x.call.Function]
	if f == nil {
		return x.refuse(x.missingFunction())
	}
	switch x.call.Operation {
	case "GetFunction":
		return x.getFunction(f)
	case "GetFunctionConfiguration":
		return x.getFunctionConfiguration(f)
	case "UpdateFunctionCode":
		return x.updateFunctionCode(f)
	case "UpdateFunctionConfiguration":
		return x.updateFunctionConfiguration(f)
	case "DeleteFunction":
		return x.deleteFunction(region, f)
	case "ListVersionsByFunction":
		return x.listVersions(f)
	case "PublishVersion":
		return x.publishVersion(f)
	case "ListAliases":
		return x.listAliases(f)
	case "CreateAlias":
		return x.createAlias(f)
	case "GetAlias":
		return x.getAlias(f)
	case "UpdateAlias":
		return x.updateAlias(f)
	case "DeleteAlias":
		return x.deleteAlias(f)
	case "ListTags":
		return x.ok(http.StatusOK, map[string]any{"Tags": f.tags})
	case "Invoke":
		return x.invoke(f)
	default:
		return x.provisionedConcurrency(f)
	}
}

// reachable refuses function names that no call of this region and account can
// mean.
func (x *exchange) reachable() *refusal {
	var written string
	if len(x.path) > 2 {
		written = x.path[2]
	} else {
		written = x.call.Function
	}
	name := parseName(written)
	switch {
	case !name.valid:
		return violation(written, "functionName",
			"Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?")
	case name.region != "" && name.region != x.call.Region:
		return notFound("Functions from '%s' are not reachable in this region ('%s')", name.region, x.call.Region)
	case name.account != "" && name.account != Account:
		return &refusal{
			status: http.StatusForbidden, code: "AccessDeniedException", untyped: true,
			message: "User: " + x.call.Actor + " is not authorized to perform: lambda:" + x.call.Operation + " on resource: " + written,
		}
	case name.qualifier != "" && x.query.Get("Qualifier") != "" && name.qualifier != x.query.Get("Qualifier"):
		return invalid("The derived qualifier from the function name does not match the specified qualifier.")
	}
	return nil
}

// missingFunction says that there is no such function in the words of each
// operation. GetAlias speaks of the alias alone, so that its caller cannot tell
// which of the two is missing: a client must not rely on texts for that.
func (x *exchange) missingFunction() *refusal {
	c := x.call
	switch c.Operation {
	case "GetAlias":
		return notFound("Cannot find alias arn: %s", functionARN(c.Region, c.Function, c.Qualifier))
	case "CreateAlias":
		var body struct{ FunctionVersion string }
		_ = json.Unmarshal(x.body, &body) // Only a word of the message hangs on it.
		return notFound("Function not found: %s", functionARN(c.Region, c.Function, body.FunctionVersion))
	case "GetFunction", "GetFunctionConfiguration", "Invoke":
		return notFound("Function not found: %s", functionARN(c.Region, c.Function, c.Qualifier))
	default:
		return notFound("Function not found: %s", functionARN(c.Region, c.Function, ""))
	}
}

// decode reads the request's JSON. An empty body is an empty object.
func (x *exchange) decode(into any) *refusal {
	if len(x.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(x.body, into); err != nil {
		return &refusal{
			status: http.StatusBadRequest, code: "InvalidRequestContentException",
			message: "Could not parse request body into json: " + err.Error(),
		}
	}
	return nil
}

// page cuts the page out of a list that Marker and MaxItems ask for. Markers are
// opaque: what they hold is where the next page starts.
func page[T any](x *exchange, all []T) (items []T, next *string, r *refusal) {
	size := pageSize
	if text := x.query.Get("MaxItems"); text != "" {
		asked, err := strconv.Atoi(text)
		if err != nil || asked < 1 || asked > 10000 {
			return nil, nil, violation(text, "maxItems", "Member must have value between 1 and 10000")
		}
		size = min(size, asked)
	}
	start := 0
	if marker := x.query.Get("Marker"); marker != "" {
		plain, err := base64.URLEncoding.DecodeString(marker)
		if err == nil {
			start, err = strconv.Atoi(string(plain))
		}
		if err != nil || start < 0 || start > len(all) {
			return nil, nil, invalid("Invalid value for Marker.")
		}
	}
	end := min(start+size, len(all))
	if end < len(all) {
		marker := base64.URLEncoding.EncodeToString([]byte(strconv.Itoa(end)))
		next = &marker
	}
	return all[start:end], next, nil
}
