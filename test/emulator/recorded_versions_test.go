package emulator_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

func TestRecordedOperationsOnMissingVersions(t *testing.T) {
	t.Parallel()
	s := newScene(t, "test_ops_on_nonexisting_version[get_function_configuration]")
	s.create(false, nil, "")
	_, _ = s.api.GetFunctionConfiguration(s.ctx, &lambda.GetFunctionConfigurationInput{
		FunctionName: &s.name, Qualifier: aws.String("1221"),
	})
	s.holds("version_not_found_exception")
	s.done()

	s = newScene(t, "test_delete_on_nonexisting_version")
	_, _ = s.api.DeleteFunction(s.ctx, &lambda.DeleteFunctionInput{FunctionName: &s.name})
	s.holds("delete_function_response_non_existent")
	_, _ = s.api.DeleteFunction(s.ctx, &lambda.DeleteFunctionInput{FunctionName: &s.name, Qualifier: aws.String("1")})
	s.holds("delete_function_response_non_existent_with_qualifier")
	s.done()
}

func TestRecordedPublishOnCreate(t *testing.T) {
	t.Parallel()
	s := newScene(t, "test_publish_version_on_create")
	s.create(true, nil, "")
	s.holds("create_response")
	s.getFunction(s.name, "")
	s.holds("get_function_result")
	s.getFunction(s.name, "1")
	s.holds("get_function_version_result")
	s.getFunction(s.name, "$LATEST")
	s.holds("get_function_latest_result")
	s.listVersions()
	s.holds("list_versions_result")
	s.publish("", "")
	s.holds("repeated_publish_response")
	s.listVersions()
	s.holds("list_versions_result_after_publish")
	s.done()
}

func TestRecordedVersionLifecycle(t *testing.T) {
	t.Parallel()
	s := newScene(t, "test_version_lifecycle")
	s.create(false, nil, "No version :(")
	s.holds("create_response")
	s.getFunction(s.name, "")
	s.holds("get_function_result")
	s.listVersions()
	s.holds("list_versions_result")

	s.configure(lambda.UpdateFunctionConfigurationInput{Description: aws.String("First version :)")})
	s.holds("first_update_response")
	s.getFunction(s.name, "")
	s.holds("first_update_get_function")
	s.publish("First version description :)", "")
	s.holds("first_publish_response")
	s.getFunction(s.name, "1")
	s.holds("first_publish_get_function")
	s.getConfiguration("1")
	s.holds("first_publish_get_function_config")

	s.configure(lambda.UpdateFunctionConfigurationInput{Description: aws.String("Second version :))")})
	s.holds("second_update_response")
	s.wait()
	s.getFunction(s.name, "1")
	s.holds("first_publish_get_function_after_update")
	s.publish("", "")
	s.holds("second_publish_response")
	s.publish("Third version description :)))", "")
	s.holds("third_publish_response")
	s.listVersions()
	s.holds("list_versions_result_after_third_publish")

	_, err := s.api.DeleteFunction(s.ctx, &lambda.DeleteFunctionInput{FunctionName: &s.name, Qualifier: aws.String("1")})
	require.NoError(t, err)
	s.listVersions()
	s.holds("list_versions_result_after_deletion_of_first_version")
	s.done()
}

func TestRecordedPublishWithWrongRevision(t *testing.T) {
	t.Parallel()
	s := newScene(t, "test_publish_with_wrong_revisionid")
	s.create(false, nil, "")
	s.holds("create_response")
	s.getFunction(s.name, "")
	s.holds("get_fn_response")
	revision := s.revision()
	s.publish("", "wrong")
	s.holds("publish_wrong_revisionid_exc")
	s.publish("", revision)
	s.holds("publish_result")
	s.done()
}

func TestRecordedUpdateDuringUpdate(t *testing.T) {
	t.Parallel()
	s := newScene(t, "test_lambda_concurrent_code_updates")
	s.create(false, nil, "")
	s.holds("create-function-response")
	_, _ = s.api.UpdateFunctionCode(s.ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &s.name, ZipFile: []byte("code 2")})
	s.holds("update-during-in-progress-update-exc")
	s.done()
}

func TestRecordedProvisionedConcurrency(t *testing.T) {
	t.Parallel()
	s := newScene(t, "test_lambda_provisioned_lifecycle")
	put := func(qualifier string) {
		_, _ = s.api.PutProvisionedConcurrencyConfig(s.ctx, &lambda.PutProvisionedConcurrencyConfigInput{
			FunctionName: &s.name, Qualifier: &qualifier, ProvisionedConcurrentExecutions: aws.Int32(1),
		})
	}
	get := func(qualifier string) {
		_, _ = s.api.GetProvisionedConcurrencyConfig(s.ctx, &lambda.GetProvisionedConcurrencyConfigInput{
			FunctionName: &s.name, Qualifier: &qualifier,
		})
	}
	s.create(false, map[string]string{}, "")
	s.wait()
	s.publish("", "")
	s.holds("publish_version_result")
	s.createAlias("provisioned", "1", "", nil)
	s.holds("create_alias_result")
	put("1")
	s.holds("put_provisioned_on_version")
	put("provisioned")
	s.holds("put_provisioned_on_alias_versionconflict")
	_, _ = s.api.DeleteProvisionedConcurrencyConfig(s.ctx, &lambda.DeleteProvisionedConcurrencyConfigInput{
		FunctionName: &s.name, Qualifier: aws.String("1"),
	})
	s.holds("delete_provisioned_version")
	get("1")
	s.holds("get_provisioned_version_postdelete")
	put("provisioned")
	s.holds("put_provisioned_on_alias")
	put("1")
	s.holds("put_provisioned_on_version_conflict")
	s.deleteAlias("provisioned")
	s.holds("delete_alias_result")
	get("provisioned")
	s.holds("get_provisioned_alias_postaliasdelete")
	_, _ = s.api.ListProvisionedConcurrencyConfigs(s.ctx, &lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: &s.name})
	s.holds("list_response_postdeletes")
	s.done()
}

func TestRecordedProvisionedConcurrencyMovesWithAlias(t *testing.T) {
	t.Parallel()
	s := newScene(t, "invoke.test_lambda_provisioned_concurrency_moves_with_alias")
	get := func(qualifier string) {
		_, _ = s.api.GetProvisionedConcurrencyConfig(s.ctx, &lambda.GetProvisionedConcurrencyConfigInput{
			FunctionName: &s.name, Qualifier: &qualifier,
		})
	}
	s.create(false, map[string]string{}, "")
	s.holds("create-result")
	s.getConfiguration("$LATEST")
	s.holds("get-function-configuration")
	s.publish("my-first-version", "")
	s.holds("publish_version_1")
	s.getConfiguration("1")
	s.holds("get_function_configuration_version_1")
	s.createAlias("provisioned", "1", "", nil)
	s.holds("create_alias")
	s.getFunction(s.name, "1")
	s.holds("get_function_before_provisioned")
	_, err := s.api.PutProvisionedConcurrencyConfig(s.ctx, &lambda.PutProvisionedConcurrencyConfigInput{
		FunctionName: &s.name, Qualifier: aws.String("provisioned"), ProvisionedConcurrentExecutions: aws.Int32(1),
	})
	require.NoError(t, err)
	get("provisioned")
	s.getFunction(s.name, "provisioned")
	s.holds("get_function_after_provisioned")
	_, err = s.api.UpdateFunctionCode(s.ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &s.name, ZipFile: []byte("code 2")})
	require.NoError(t, err)
	s.getConfiguration("")
	s.holds("get_function_after_update")
	s.publish("", "")
	s.holds("publish_version_2")
	s.updateAlias(lambda.UpdateAliasInput{Name: aws.String("provisioned"), FunctionVersion: aws.String("2")})
	s.holds("update_alias")
	get("provisioned")
	s.holds("get_provisioned_config_after_alias_move")
	get("1")
	s.holds("provisioned_concurrency_notfound")
	s.done()
}

func TestRecordedInvokeFollowsAlias(t *testing.T) {
	t.Parallel()
	s := newScene(t, "invoke.test_lambda_alias_moving")
	respond := func(version string) func(*emulator.Version) {
		body := `{"version_id":"version` + version + `","version_from_ctx":"` + version +
			`","invoked_arn":"arn:aws:lambda:` + region + `:111111111111:function:` + s.name + `:alias1"}`
		return func(v *emulator.Version) {
			v.Respond = func([]byte) emulator.Response { return emulator.Response{Payload: []byte(body)} }
		}
	}
	invoke := func(step, name, qualifier string) {
		t.Helper()
		out, err := s.api.Invoke(s.ctx, &lambda.InvokeInput{FunctionName: &name, Qualifier: orNil(qualifier)})
		require.NoError(t, err)
		var want struct {
			ExecutedVersion string
			Payload         any
			StatusCode      int32
		}
		require.NoError(t, json.Unmarshal([]byte(s.words.Replace(string(s.recorded[step]))), &want))
		s.held[step] = true
		var payload any
		require.NoError(t, json.Unmarshal(out.Payload, &payload))
		assert.Equal(t, want.ExecutedVersion, *out.ExecutedVersion, step)
		assert.Equal(t, want.StatusCode, out.StatusCode, step)
		assert.Equal(t, want.Payload, payload, step)
		assert.Nil(t, out.FunctionError, step)
	}
	s.create(false, nil, "No version :(")
	s.holds("create_response")
	s.wait()
	s.publish("First version description :)", "")
	f := s.e.Lambda(region).Function(s.name)
	require.NoError(t, f.Change(1, respond("1")))
	s.createAlias("alias1", "1", "", nil)
	s.holds("create_alias_response")
	invoke("invocation_result_qualifier_v1", s.name, "alias1")
	invoke("invocation_result_qualifier_v1_arn", f.ARN()+":alias1", "")

	_, err := s.api.UpdateFunctionCode(s.ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &s.name, ZipFile: []byte("code 2")})
	require.NoError(t, err)
	s.holds("update_lambda_response")
	invoke("invocation_result_qualifier_v1_after_update", s.name, "alias1")
	s.wait()
	s.publish("Second version description :)", "")
	s.holds("second_publish_response")
	require.NoError(t, f.Change(2, respond("2")))
	invoke("invocation_result_qualifier_v1_after_publish", s.name, "alias1")
	s.updateAlias(lambda.UpdateAliasInput{Name: aws.String("alias1"), FunctionVersion: aws.String("2")})
	s.holds("update_alias_response")
	invoke("invocation_result_qualifier_v2", s.name, "alias1")
	_, _ = s.api.Invoke(s.ctx, &lambda.InvokeInput{FunctionName: &s.name, Qualifier: aws.String("non-existent-alias")})
	s.holds("invocation_exc_not_existent")
	s.done()
}

func TestRecordedProvisionedConcurrencyBecomesReady(t *testing.T) {
	t.Parallel()
	s := newScene(t, "invoke.test_provisioned_concurrency_on_alias")
	s.create(true, nil, "")
	s.createAlias("live", "1", "", nil)
	_, _ = s.api.PutProvisionedConcurrencyConfig(s.ctx, &lambda.PutProvisionedConcurrencyConfigInput{
		FunctionName: &s.name, Qualifier: aws.String("live"), ProvisionedConcurrentExecutions: aws.Int32(5),
	})
	s.holds("put_provisioned_5")
	for _, step := range []string{"get_provisioned_prewait", "get_provisioned_postwait"} {
		_, _ = s.api.GetProvisionedConcurrencyConfig(s.ctx, &lambda.GetProvisionedConcurrencyConfigInput{
			FunctionName: &s.name, Qualifier: aws.String("live"),
		})
		s.holds(step)
	}
	s.done()
}
