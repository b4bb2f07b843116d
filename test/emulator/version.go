package emulator

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// The states of a version.
const (
	StateActive   = "Active"
	StateInactive = "Inactive"
	StatePending  = "Pending"
	StateFailed   = "Failed"
)

// lastModifiedForm is how AWS writes times of functions and versions.
const lastModifiedForm = "2006-01-02T15:04:05.000-0700"

// Version is one version of a function, or its $LATEST.
type Version struct {
	Number       int64 // 0: $LATEST
	Description  string
	CodeSha256   string
	CodeSize     int64
	PackageType  string // Zip or Image
	Runtime      string
	Handler      string
	Role         string
	Architecture string
	MemorySize   int // MB
	Timeout      int // seconds
	Layers       []string
	// Environment is nil for a function that was created without.
	Environment     map[string]string
	DeadLetterQueue string
	LogGroup        string
	// LastModified is when $LATEST was last changed before it was published.
	LastModified time.Time
	RevisionID   string

	State           string
	StateReason     string
	StateReasonCode string
	// PendingReads is after how many further reads of its configuration a
	// Pending version becomes Active; below zero, never.
	PendingReads int

	// Respond plays the function's code; nil answers with the version and the
	// ARN that was invoked.
	Respond func(payload []byte) Response

	updating bool   // an update of $LATEST that has not settled
	basis    string // description of $LATEST when it was published
}

// Response is what a function's code gives back.
type Response struct {
	Payload []byte
	// Error is X-Amzn-Function-Error: Handled, Unhandled, or empty for none.
	Error string
	// Log is the end of what the function logged.
	Log string
}

// name is how a version is written: its number, or $LATEST.
func (v *Version) name() string {
	if v.Number == 0 {
		return "$LATEST"
	}
	return strconv.FormatInt(v.Number, 10)
}

// clone shares nothing with v that either could change.
func (v *Version) clone() *Version {
	c := *v
	c.Layers, c.Environment = slices.Clone(v.Layers), maps.Clone(v.Environment)
	return &c
}

// sameAs reports whether $LATEST, as other, is still what v was published from.
func (v *Version) sameAs(other *Version) bool {
	return v.basis == other.Description && v.CodeSha256 == other.CodeSha256 && v.Runtime == other.Runtime && v.Handler == other.Handler &&
		v.Role == other.Role && v.MemorySize == other.MemorySize && v.Timeout == other.Timeout &&
		v.DeadLetterQueue == other.DeadLetterQueue && slices.Equal(v.Layers, other.Layers) &&
		maps.Equal(v.Environment, other.Environment)
}

// settle ends what is under way. $LATEST gets a new revision by it, as recorded.
func (v *Version) settle() {
	if v.State == StatePending && v.PendingReads >= 0 {
		if v.PendingReads > 0 {
			v.PendingReads--
			return
		}
		v.State, v.StateReason, v.StateReasonCode = StateActive, "", ""
		if v.Number == 0 {
			v.RevisionID = newID()
		}
	}
	if v.updating {
		v.updating = false
		v.RevisionID = newID()
	}
}

// configurationBody is a FunctionConfiguration on the wire.
type configurationBody struct {
	Architectures              []string
	CodeSha256                 string
	CodeSize                   int64
	DeadLetterConfig           *deadLetterBody `json:",omitempty"`
	Description                string
	Environment                *environmentBody `json:",omitempty"`
	EphemeralStorage           map[string]int
	FunctionArn                string
	FunctionName               string
	Handler                    string `json:",omitempty"`
	LastModified               string
	LastUpdateStatus           string      `json:",omitempty"`
	LastUpdateStatusReason     string      `json:",omitempty"`
	LastUpdateStatusReasonCode string      `json:",omitempty"`
	Layers                     []layerBody `json:",omitempty"`
	LoggingConfig              map[string]string
	MemorySize                 int
	PackageType                string
	RevisionId                 string
	Role                       string
	Runtime                    string            `json:",omitempty"`
	RuntimeVersionConfig       map[string]string `json:",omitempty"`
	SnapStart                  map[string]string
	State                      string `json:",omitempty"`
	StateReason                string `json:",omitempty"`
	StateReasonCode            string `json:",omitempty"`
	Timeout                    int
	TracingConfig              map[string]string
	Version                    string
}

type environmentBody struct{ Variables map[string]string }

type layerBody struct{ Arn string }

type deadLetterBody struct{ TargetArn string }

// listed is the configuration as ListVersionsByFunction gives it: without
// states and runtime version.
func (f *Function) listed(v *Version, qualifier string) configurationBody {
	body := configurationBody{
		Architectures:    []string{v.Architecture},
		CodeSha256:       v.CodeSha256,
		CodeSize:         v.CodeSize,
		Description:      v.Description,
		EphemeralStorage: map[string]int{"Size": 512},
		FunctionArn:      functionARN(f.region, f.name, qualifier),
		FunctionName:     f.name,
		Handler:          v.Handler,
		LastModified:     v.LastModified.UTC().Format(lastModifiedForm),
		LoggingConfig:    map[string]string{"LogFormat": "Text", "LogGroup": cmp.Or(v.LogGroup, "/aws/lambda/"+f.name)},
		MemorySize:       v.MemorySize,
		PackageType:      v.PackageType,
		RevisionId:       v.RevisionID,
		Role:             v.Role,
		Runtime:          v.Runtime,
		SnapStart:        map[string]string{"ApplyOn": "None", "OptimizationStatus": "Off"},
		Timeout:          v.Timeout,
		TracingConfig:    map[string]string{"Mode": "PassThrough"},
		Version:          v.name(),
	}
	if v.Environment != nil {
		body.Environment = &environmentBody{Variables: maps.Clone(v.Environment)}
	}
	if v.DeadLetterQueue != "" {
		body.DeadLetterConfig = &deadLetterBody{TargetArn: v.DeadLetterQueue}
	}
	for _, layer := range v.Layers {
		body.Layers = append(body.Layers, layerBody{Arn: layer})
	}
	return body
}

// configuration is the whole configuration, states included.
func (f *Function) configuration(v *Version, qualifier string) configurationBody {
	body := f.listed(v, qualifier)
	body.State, body.StateReason, body.StateReasonCode = v.State, v.StateReason, v.StateReasonCode
	if v.Runtime != "" {
		body.RuntimeVersionConfig = map[string]string{
			"RuntimeVersionArn": "arn:aws:lambda:" + f.region + "::runtime:" + digestHex(v.Runtime),
		}
	}
	switch {
	case v.updating:
		body.LastUpdateStatus = "InProgress"
		body.LastUpdateStatusReason, body.LastUpdateStatusReasonCode = "The function is being created.", "Creating"
	case v.Number != 0 || v.State != StatePending:
		body.LastUpdateStatus = "Successful"
	}
	return body
}

// digest is the form of CodeSha256.
func digest(code []byte) string {
	sum := sha256.Sum256(code)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func digestHex(text string) string {
	sum := sha256.Sum256([]byte(text))
	const digits = "0123456789abcdef"
	hex := make([]byte, 0, 2*len(sum))
	for _, b := range sum {
		hex = append(hex, digits[b>>4], digits[b&15])
	}
	return string(hex)
}

// defaultResponse says which version ran, and for which ARN.
func defaultResponse(version, invoked string) Response {
	payload, err := json.Marshal(map[string]string{"version": version, "invoked_arn": invoked})
	if err != nil {
		return Response{Error: "Unhandled", Payload: []byte(`{"errorMessage":"no payload"}`)}
	}
	return Response{Payload: payload}
}
