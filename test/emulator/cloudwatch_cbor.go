package emulator

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// CloudWatch speaks Smithy's RPC v2 in CBOR
// (https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html).

// decodeCBOR reads a request into a struct as encoding/json would read the same
// data written in JSON: CBOR is no more here than another spelling.
func decodeCBOR(body []byte, into any) error {
	value, err := cbor.Decode(body)
	if err != nil {
		return fmt.Errorf("failed to decode CBOR: %w", err)
	}
	plain, err := fromCBOR(value)
	if err != nil {
		return err
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return fmt.Errorf("failed to spell CBOR as JSON: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("failed to read request: %w", err)
	}
	return nil
}

// fromCBOR gives a value in the types that encoding/json takes.
func fromCBOR(value cbor.Value) (any, error) {
	switch v := value.(type) {
	case cbor.String:
		return string(v), nil
	case cbor.Bool:
		return bool(v), nil
	case cbor.Uint, cbor.NegInt:
		return cbor.AsInt64(v)
	case cbor.Float32, cbor.Float64:
		return cbor.AsFloat64(v)
	case *cbor.Tag:
		return cbor.AsTime(v)
	case cbor.List:
		list := make([]any, len(v))
		for i, item := range v {
			plain, err := fromCBOR(item)
			if err != nil {
				return nil, err
			}
			list[i] = plain
		}
		return list, nil
	case cbor.Map:
		fields := make(map[string]any, len(v))
		for name, item := range v {
			plain, err := fromCBOR(item)
			if err != nil {
				return nil, err
			}
			fields[name] = plain
		}
		return fields, nil
	case *cbor.Nil, *cbor.Undefined:
		return nil, nil
	default:
		return nil, fmt.Errorf("failed to read CBOR: no request holds a %T", value)
	}
}

// listOf is a list with every item encoded.
func listOf[T any](items []T, encode func(T) cbor.Value) cbor.List {
	list := make(cbor.List, len(items))
	for i, item := range items {
		list[i] = encode(item)
	}
	return list
}

// cborTime is a moment as AWS writes it: seconds since 1970, to the millisecond.
func cborTime(at time.Time) cbor.Value {
	return &cbor.Tag{ID: 1, Value: cbor.Float64(float64(at.UnixMilli()) / 1e3)}
}
