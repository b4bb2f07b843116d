package emulator

import (
	"encoding/base64"
	"net/http"
)

// invoke runs the version that the qualifier leads to, weights included.
func (x *exchange) invoke(f *Function) answer {
	qualifier := x.call.Qualifier
	target := qualifier
	if a, ok := f.aliases[qualifier]; ok {
		target = a.pick()
	}
	v := f.resolve(target)
	if v == nil {
		return x.refuse(x.missingFunction())
	}
	if r := v.wake(); r != nil {
		return x.refuse(r)
	}
	status := http.StatusOK
	switch x.request.Header.Get("X-Amz-Invocation-Type") {
	case "DryRun":
		return x.ok(http.StatusNoContent, nil)
	case "Event":
		status = http.StatusAccepted
	}
	response := defaultResponse(v.name(), functionARN(f.region, f.name, qualifier))
	if v.Respond != nil {
		response = v.Respond(x.body)
	}
	a := answer{status: status, header: http.Header{}}
	a.header.Set("X-Amz-Executed-Version", v.name())
	if status == http.StatusAccepted {
		return a
	}
	a.header.Set("Content-Type", "application/json")
	a.body = response.Payload
	if response.Error != "" {
		a.header.Set("X-Amz-Function-Error", response.Error)
	}
	if x.request.Header.Get("X-Amz-Log-Type") == "Tail" {
		log := "START RequestId: " + x.call.RequestID + " Version: " + v.name() + "\n" +
			response.Log + "END RequestId: " + x.call.RequestID + "\n"
		const tail = 4 << 10 // what AWS gives of a log
		a.header.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString([]byte(log[max(0, len(log)-tail):])))
	}
	return a
}

// wake refuses invokes of a version that cannot run. An Inactive one fails once
// and comes back by that, unless its image is deleted.
func (v *Version) wake() *refusal {
	if v.State == StateActive || v.Number == 0 {
		return nil
	}
	r := conflict("The operation cannot be performed at this time. The function is currently in the following state: %s", v.State)
	if v.State == StateInactive && v.StateReasonCode != "ImageDeleted" {
		v.State, v.StateReason, v.StateReasonCode, v.PendingReads = StatePending, "The function is being restored.", "Restoring", 0
	} else if v.State == StatePending {
		v.settle()
	}
	return r
}
