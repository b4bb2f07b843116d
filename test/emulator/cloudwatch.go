package emulator

import (
	"net/http"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// cloudwatchPath is where CloudWatch's operations hang: the service is called
// by the name of its first version.
const cloudwatchPath = "/service/GraniteServiceVersion20100801/operation/"

// CloudWatch is CloudWatch in one region: alarms and metrics.
type CloudWatch struct {
	e       *Emulator
	region  string
	alarms  map[string]*Alarm
	metrics map[string]*metric
	lag     time.Duration
}

// CloudWatch gives a region's CloudWatch, the region named as AWS names it.
func (e *Emulator) CloudWatch(region string) *CloudWatch {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cloudwatch(region)
}

// cloudwatch is CloudWatch for those who hold the lock.
func (e *Emulator) cloudwatch(region string) *CloudWatch {
	c, ok := e.watches[region]
	if !ok {
		c = &CloudWatch{e: e, region: region, alarms: map[string]*Alarm{}, metrics: map[string]*metric{}}
		e.watches[region] = c
	}
	return c
}

// identifyCloudWatch names the operation, and reports whether the path is one of
// CloudWatch's.
func (x *exchange) identifyCloudWatch() bool {
	operation, ok := strings.CutPrefix(x.call.Path, cloudwatchPath)
	if ok {
		x.call.Service, x.call.Operation = ServiceCloudWatch, operation
	}
	return ok
}

// cloudwatch answers a call of CloudWatch's API.
func (x *exchange) cloudwatch() answer {
	if a := x.needSignature(); a != nil {
		return *a
	}
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	c := x.e.cloudwatch(x.call.Region)
	switch x.call.Operation {
	case "DescribeAlarms":
		return x.describeAlarms(c)
	case "GetMetricData":
		return x.getMetricData(c)
	default:
		return x.fail(http.StatusNotFound, "UnknownOperationException", "the emulator's CloudWatch has no "+x.call.Operation)
	}
}

// decodeWatch reads a request of CloudWatch.
func (x *exchange) decodeWatch(into any) *refusal {
	if len(x.body) == 0 {
		return nil
	}
	if err := decodeCBOR(x.body, into); err != nil {
		return &refusal{status: http.StatusBadRequest, code: "SerializationException", message: err.Error()}
	}
	return nil
}

// okCBOR is an answer of CloudWatch.
func okCBOR(status int, body cbor.Map) answer {
	a := answer{status: status, header: http.Header{}, body: cbor.Encode(body)}
	a.header.Set("Content-Type", "application/cbor")
	a.header.Set("Smithy-Protocol", "rpc-v2-cbor")
	return a
}
