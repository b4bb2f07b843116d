package emulator_test

import (
	"context"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

func getAlias(t *testing.T, api *lambda.Client, function, alias string) (*lambda.GetAliasOutput, error) {
	t.Helper()
	return api.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: &function, Name: &alias})
}

func moveTo(ctx context.Context, api *lambda.Client, version string) (*lambda.UpdateAliasOutput, error) {
	return api.UpdateAlias(ctx, &lambda.UpdateAliasInput{
		FunctionName: aws.String("api"), Name: aws.String("live"), FunctionVersion: &version,
	})
}

func TestFunctionIsFoundByEveryFormOfItsName(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 3)
	for name, want := range map[string]string{
		"api":                         "$LATEST",
		"api:live":                    "3",
		"api:2":                       "2",
		"api:$LATEST":                 "$LATEST",
		"111111111111:function:api":   "$LATEST",
		f.ARN():                       "$LATEST",
		f.ARN() + ":live":             "3",
		f.ARN() + ":1":                "1",
		"function:api:live":           "3",
		"111111111111:function:api:1": "1",
		"Api":                         "ResourceNotFoundException",
		"api:blue":                    "ResourceNotFoundException",
		"api:9":                       "ResourceNotFoundException",
		"no spaces":                   "ValidationException",
		strings.Replace(f.ARN(), region, "eu-central-1", 1):           "ResourceNotFoundException",
		strings.Replace(f.ARN(), emulator.Account, "222222222222", 1): "AccessDeniedException",
	} {
		out, err := api.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &name})
		if err != nil {
			assert.Equal(t, want, code(err), name)
			continue
		}
		assert.Equal(t, want, *out.Version, name)
	}
}

func TestQualifiersThatContradictEachOther(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	withVersions(t, e, 3)
	_, err := api.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{
		FunctionName: aws.String("api:1"), Qualifier: aws.String("2"),
	})
	assert.Equal(t, "InvalidParameterValueException", code(err))
}

func TestRegionsAreWorldsApart(t *testing.T) {
	t.Parallel()
	e, ireland := start(t)
	withVersions(t, e, 2)
	frankfurt := client(e, "eu-central-1", newWire(t))

	_, err := getAlias(t, frankfurt, "api", "live")
	assert.Equal(t, "ResourceNotFoundException", code(err))

	other := e.Lambda("eu-central-1").CreateFunction("api")
	require.NoError(t, other.SetAlias("live", other.Publish(day), nil))
	_, err = moveTo(t.Context(), ireland, "1")
	require.NoError(t, err)
	there, err := getAlias(t, frankfurt, "api", "live")
	require.NoError(t, err)
	assert.Equal(t, "1", *there.FunctionVersion)
	assert.Contains(t, *there.AliasArn, ":eu-central-1:")
	assert.Len(t, other.History("live"), 1)
}

func TestUnsignedRequestIsRefused(t *testing.T) {
	t.Parallel()
	e, _ := start(t)
	withVersions(t, e, 1)
	response, err := http.Get(e.URL + "/2015-03-31/functions/api/aliases/live")
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusForbidden, response.StatusCode)
	assert.Equal(t, "MissingAuthenticationTokenException", response.Header.Get("X-Amzn-Errortype"))
}

func TestAliasKeepsWeightsUnlessTold(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 3)
	require.NoError(t, f.SetAlias("live", 2, map[string]float64{"3": 0.25}))

	out, err := moveTo(t.Context(), api, "1")
	require.NoError(t, err)
	require.NotNil(t, out.RoutingConfig, "RoutingConfig left out leaves the weights")
	assert.Equal(t, map[string]float64{"3": 0.25}, out.RoutingConfig.AdditionalVersionWeights)

	_, err = moveTo(t.Context(), api, "3")
	assert.Equal(t, "InvalidParameterValueException", code(err), "the weighted version cannot become the main one")

	cleared, err := api.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{
		FunctionName: aws.String("api"), Name: aws.String("live"), FunctionVersion: aws.String("3"), RoutingConfig: noWeights,
	})
	require.NoError(t, err)
	assert.Nil(t, cleared.RoutingConfig)
}

func TestWeightsNeedTheSameRole(t *testing.T) {
	t.Parallel()
	e, _ := start(t)
	f := withVersions(t, e, 1)
	other := f.Publish(day, func(v *emulator.Version) { v.Role = "arn:aws:iam::111111111111:role/other" })
	assert.ErrorContains(t, f.SetAlias("live", 1, map[string]float64{strconv.FormatInt(other, 10): 0.1}), "same execution role")
}

func TestEverySuccessfulUpdateChangesTheRevision(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 2)
	before, _ := f.Alias("live")
	out, err := moveTo(t.Context(), api, "2")
	require.NoError(t, err)
	assert.NotEqual(t, before.RevisionID, *out.RevisionId, "also one that changes nothing")

	_, err = api.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{
		FunctionName: aws.String("api"), Name: aws.String("live"), FunctionVersion: aws.String("1"), RevisionId: &before.RevisionID,
	})
	assert.Equal(t, "PreconditionFailedException", code(err))
	assert.Equal(t, "2", f.Serving("live"))
}

func TestDescriptionIsLimited(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	withVersions(t, e, 1)
	describe := func(text string) error {
		_, err := api.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{
			FunctionName: aws.String("api"), Name: aws.String("live"), Description: &text,
		})
		return err
	}
	assert.NoError(t, describe(strings.Repeat("é", 256)))
	assert.Equal(t, "ValidationException", code(describe(strings.Repeat("a", 257))))
}

func TestHistoryTellsWhoDidWhat(t *testing.T) {
	t.Parallel()
	clock := day
	e := emulator.StartFor(t, emulator.WithClock(func() time.Time { return clock }))
	api := client(e, region, newWire(t))
	f := withVersions(t, e, 2)
	_, err := moveTo(t.Context(), api, "1")
	require.NoError(t, err)
	_, err = api.DeleteAlias(t.Context(), &lambda.DeleteAliasInput{FunctionName: aws.String("api"), Name: aws.String("live")})
	require.NoError(t, err)
	require.NoError(t, f.SetAlias("live", 2, nil))

	var told []string
	for _, state := range f.History("live") {
		assert.Equal(t, day, state.At)
		told = append(told, state.Cause+" "+state.Version+" "+state.Actor+" "+strconv.FormatBool(state.Deleted))
	}
	const caller = "arn:aws:iam::111111111111:user/AKIDTEST"
	assert.Equal(t, []string{
		"SetAlias 2  false",
		"UpdateAlias 1 " + caller + " false",
		"DeleteAlias 1 " + caller + " true",
		"SetAlias 2  false",
	}, told)
}

func TestListingThousandsOfVersions(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := e.Lambda(region).CreateFunction("api")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 3000 {
		f.Publish(day)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(8<<20), "bytes for 3,000 versions")

	var numbers []string
	var states []types.State
	pages := 0
	for p := lambda.NewListVersionsByFunctionPaginator(api, &lambda.ListVersionsByFunctionInput{
		FunctionName: aws.String("api"), MaxItems: aws.Int32(1000),
	}); p.HasMorePages(); pages++ {
		out, err := p.NextPage(t.Context())
		require.NoError(t, err)
		assert.LessOrEqual(t, len(out.Versions), 50)
		for _, v := range out.Versions {
			numbers = append(numbers, *v.Version)
			states = append(states, v.State)
		}
	}
	assert.Equal(t, 61, pages)
	require.Len(t, numbers, 3001)
	assert.Equal(t, []string{"$LATEST", "1", "2"}, numbers[:3])
	assert.Equal(t, "3000", numbers[3000])
	assert.NotContains(t, states, types.StateActive, "the list tells no state")

	_, err := api.ListVersionsByFunction(t.Context(), &lambda.ListVersionsByFunctionInput{
		FunctionName: aws.String("api"), Marker: aws.String("made up"),
	})
	assert.Equal(t, "InvalidParameterValueException", code(err))
}

func TestDeletedVersionsLeaveGaps(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 3)
	remove := func(version string) error {
		_, err := api.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("api"), Qualifier: &version})
		return err
	}
	assert.Equal(t, "ResourceConflictException", code(remove("3")), "the alias points at it")
	assert.Error(t, f.Delete(3))
	require.NoError(t, remove("2"))
	require.NoError(t, f.SetAlias("live", 1, nil))
	require.NoError(t, f.Delete(3))
	assert.Equal(t, int64(4), f.Publish(day), "numbers only grow")
	assert.Equal(t, []int64{1, 4}, f.Versions())
	f.ForceDelete(1)
	_, err := api.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("api:live")})
	assert.Equal(t, "ResourceNotFoundException", code(err))
}

func TestStatesOfVersions(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 3)
	require.NoError(t, f.PendingFor(1, 2))
	require.NoError(t, f.SetState(2, emulator.StateInactive, "ImageDeleted"))
	require.NoError(t, f.SetState(3, emulator.StateInactive, "Idle"))
	state := func(version string) string {
		out, err := api.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{
			FunctionName: aws.String("api"), Qualifier: &version,
		})
		require.NoError(t, err)
		return string(out.State) + "/" + string(out.StateReasonCode)
	}
	assert.Equal(t, []string{"Pending/Creating", "Pending/Creating", "Active/"}, []string{state("1"), state("1"), state("1")})

	invoke := func(version string) string {
		_, err := api.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("api"), Qualifier: &version})
		return code(err)
	}
	for range 2 {
		assert.Equal(t, "ResourceConflictException", invoke("2"))
		assert.Equal(t, "Inactive/ImageDeleted", state("2"))
	}
	assert.Equal(t, "ResourceConflictException", invoke("3"), "the first call wakes it")
	assert.Equal(t, "Active/", state("3"))
	assert.Empty(t, invoke("3"))
}

func TestLastModifiedIsInTheFormOfAWS(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	withVersions(t, e, 1)
	out, err := api.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("api:1")})
	require.NoError(t, err)
	assert.Equal(t, "2026-01-02T03:04:05.000+0000", *out.LastModified)
}

func TestInvokeFollowsWeightsEvenly(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 2)
	require.NoError(t, f.SetAlias("live", 1, map[string]float64{"2": 0.2}))
	ran := map[string]int{}
	for range 50 {
		out, err := api.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("api:live")})
		require.NoError(t, err)
		ran[*out.ExecutedVersion]++
	}
	assert.Equal(t, map[string]int{"1": 40, "2": 10}, ran)
}

func TestInvokeShowsFailureAndLog(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 1)
	require.NoError(t, f.Change(1, func(v *emulator.Version) {
		v.Respond = func(payload []byte) emulator.Response {
			return emulator.Response{Payload: slices.Concat([]byte(`{"errorMessage":`), payload, []byte(`}`)), Error: "Unhandled", Log: "boom\n"}
		}
	}))
	out, err := api.Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String("api:live"), Payload: []byte(`"why"`), LogType: types.LogTypeTail,
	})
	require.NoError(t, err)
	assert.Equal(t, int32(200), out.StatusCode)
	assert.Equal(t, "Unhandled", *out.FunctionError)
	assert.JSONEq(t, `{"errorMessage":"why"}`, string(out.Payload))
	assert.NotEmpty(t, *out.LogResult)

	event, err := api.Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String("api:live"), InvocationType: types.InvocationTypeEvent,
	})
	require.NoError(t, err)
	assert.Equal(t, int32(202), event.StatusCode)
}

func TestManyCallersAtOnce(t *testing.T) {
	t.Parallel()
	e, _ := start(t)
	f := withVersions(t, e, 5)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	api := client(e, region, &http.Client{Transport: transport})
	e.Fault(emulator.Match{Operation: "UpdateAlias"}, emulator.Latency(5*time.Millisecond))
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			for range 10 {
				_, err := moveTo(t.Context(), api, strconv.Itoa(i%5+1))
				assert.NoError(t, err)
				f.Publish(day)
				_, _ = f.Alias("live")
				_ = e.Journal()
			}
		})
	}
	callers.Wait()
	history := f.History("live")
	assert.Len(t, history, 81)
	revisions := map[string]bool{}
	for _, state := range history {
		revisions[state.RevisionID] = true
	}
	assert.Len(t, revisions, 81)

	journal := e.Calls(emulator.Match{Operation: "UpdateAlias", Function: "api", Qualifier: "live"})
	require.Len(t, journal, 80)
	overlap := 0
	for i, call := range journal {
		assert.Equal(t, i+1, call.Number)
		assert.Equal(t, http.StatusOK, call.Status)
		assert.True(t, call.Mutates())
		overlap = max(overlap, call.InFlight)
	}
	assert.Greater(t, overlap, 1)
	e.ResetJournal()
	assert.Empty(t, e.Journal())
}

func TestOneOfManyWinsARevision(t *testing.T) {
	t.Parallel()
	e, _ := start(t)
	f := withVersions(t, e, 5)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	api := client(e, region, &http.Client{Transport: transport})
	before, _ := f.Alias("live")
	var mu sync.Mutex
	outcomes := map[string]int{}
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			_, err := api.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{
				FunctionName: aws.String("api"), Name: aws.String("live"),
				FunctionVersion: aws.String(strconv.Itoa(i%4 + 1)), RevisionId: &before.RevisionID,
			})
			mu.Lock()
			defer mu.Unlock()
			outcomes[code(err)]++
		})
	}
	callers.Wait()
	assert.Equal(t, map[string]int{"": 1, "PreconditionFailedException": 7}, outcomes)
}
