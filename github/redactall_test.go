package github

import (
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// A new field of a result is either redacted, or added to this list of versions, times,
// IDs and codes. Types of their own have constants as values.
func TestEveryTextOfAResultIsRedacted(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2"
	var result report.Result
	fill(reflect.ValueOf(&result).Elem(), secret)
	var kept []string
	keeps(reflect.ValueOf(NewRedactor([]string{secret}).Result(result)), "", secret, &kept)
	slices.Sort(kept)
	assert.Equal(t, []string{
		".Command",
		".Functions[].CanaryVersion",
		".Functions[].Checks[].Version",
		".Functions[].Commits[]",
		".Functions[].From",
		".Functions[].Left",
		".Functions[].MovedAt",
		".Functions[].Promotion.Stable",
		".Functions[].Promotion.Version",
		".Functions[].Region",
		".Functions[].Rejected[]",
		".Functions[].Target",
		".Functions[].To",
		".Functions[].Tried[]",
		".Functions[].Versions[].CodeSHA256",
		".Functions[].Versions[].Region",
		".Functions[].Versions[].RejectedBy",
		".Functions[].Versions[].State",
		".Functions[].Versions[].Version",
		".Run.Conclusion",
		".Run.Earlier[].Conclusion",
		".Run.Earlier[].Status",
		".Run.Event",
		".Run.Jobs[].Conclusion",
		".Run.Jobs[].Status",
		".Run.SHA",
		".Run.Status",
		".Site.Cut",
		".Site.Invalidation.DistributionID",
		".Site.Invalidation.ID",
		".Site.Invalidation.Status",
		".Site.Moments[].At",
		".Site.Region",
		".Site.RestoredAt",
	}, slices.Compact(kept))
}

// fill sets every text that can be reached from v. A type within itself stays empty.
func fill(v reflect.Value, text string, within ...reflect.Type) {
	if v.Kind() == reflect.Struct && slices.Contains(within, v.Type()) {
		return
	}
	within = append(slices.Clip(within), v.Type())
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text, within...)
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				fill(field, text, within...)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), text, within...)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		if key.Kind() == reflect.String {
			key.SetString("key")
		}
		fill(value, text, within...)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	default: // numbers and flags
	}
}

// keeps adds the paths of the texts that have the secret still.
func keeps(v reflect.Value, path, secret string, kept *[]string) {
	switch v.Kind() {
	case reflect.String:
		if v.String() == secret && v.Type() == reflect.TypeFor[string]() {
			*kept = append(*kept, path)
		}
	case reflect.Pointer:
		keeps(v.Elem(), path, secret, kept)
	case reflect.Struct:
		for field, value := range v.Fields() {
			keeps(value, path+"."+field.Name, secret, kept)
		}
	case reflect.Slice:
		for i := range v.Len() {
			keeps(v.Index(i), path+"[]", secret, kept)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			keeps(v.MapIndex(key), path+"[]", secret, kept)
		}
	default: // numbers and flags
	}
}
