package emulator_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

var noWeights = &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}}

// stagingAndProd makes the function of several recordings: version 1 with
// testenv staging, version 2 with testenv prod.
func (s *scene) stagingAndProd(publishOnCreate bool) {
	s.t.Helper()
	s.create(publishOnCreate, map[string]string{"testenv": "staging"}, "")
	s.holds("create_response")
	s.wait()
	s.publish("", "")
	s.holds("publish_v1")
	if _, recorded := s.recorded["publish_v2"]; !recorded {
		return
	}
	s.configure(lambda.UpdateFunctionConfigurationInput{
		Environment: &types.Environment{Variables: map[string]string{"testenv": "prod"}},
	})
	s.wait()
	s.publish("", "")
	s.holds("publish_v2")
}

func TestRecordedAliasLifecycle(t *testing.T) {
	t.Parallel()
	s := newScene(t, "test_alias_lifecycle")
	s.stagingAndProd(false)

	s.createAlias("aliasname1_1", "1", "custom-alias", map[string]float64{"2": 0.2})
	s.holds("create_alias_1_1")
	s.getAlias("aliasname1_1")
	s.holds("get_alias_1_1")
	s.getFunction(s.name, "aliasname1_1")
	s.holds("get_function_alias_1_1")
	arn := "arn:aws:lambda:" + region + ":111111111111:function:" + s.name
	s.getFunction(arn+":aliasname1_1", "")
	s.holds("get_function_byarn_alias_1_1")
	s.getFunction(s.name, "aliasdoesnotexist")
	s.holds("get_function_alias_notfound_exc")
	s.getFunction(arn+":aliasdoesnotexist", "")
	s.holds("get_function_alias_byarn_notfound_exc")

	s.createAlias("aliasname1_2", "1", "custom-alias", nil)
	s.holds("create_alias_1_2")
	s.getAlias("aliasname1_2")
	s.holds("get_alias_1_2")
	s.createAlias("aliasname1_3", "1", "", nil)
	s.holds("create_alias_1_3")
	s.getAlias("aliasname1_3")
	s.holds("get_alias_1_3")
	s.createAlias("aliasname2", "2", "custom-alias", nil)
	s.holds("create_alias_2")
	s.getAlias("aliasname2")
	s.holds("get_alias_2")
	s.listAliases("")
	s.holds("list_aliases_for_fnname")

	s.updateAlias(lambda.UpdateAliasInput{Name: aws.String("aliasname1_1"), RoutingConfig: noWeights})
	s.holds("update_alias_1_1")
	s.getAlias("aliasname1_1")
	s.holds("get_alias_1_1_after_update")
	s.listAliases("")
	s.holds("list_aliases_for_fnname_after_update")
	s.updateAlias(lambda.UpdateAliasInput{Name: aws.String("aliasname1_2"), RoutingConfig: noWeights})
	s.holds("update_alias_1_2")
	s.getAlias("aliasname1_2")
	s.holds("get_alias_1_2_after_update")
	s.listAliases("")
	s.holds("list_aliases_for_fnname_after_update_2")
	s.listAliases("1")
	s.holds("list_aliases_for_version")

	s.deleteAlias("aliasname1_1")
	s.holds("delete_alias_response")
	s.listAliases("")
	s.holds("list_aliases_for_fnname_afterdelete")
	s.done()
}

func TestRecordedRefusalsOfAliases(t *testing.T) {
	t.Parallel()
	s := newScene(t, "test_notfound_and_invalid_routingconfigs")
	s.stagingAndProd(true)

	for _, refused := range []struct {
		step    string
		version string
		weights map[string]float64
	}{
		{"routing_config_exc_toomany", "1", map[string]float64{"1": 0.1, "2": 0.2}},
		{"routing_config_exc_toohigh", "1", map[string]float64{"2": 2}},
		{"routing_config_exc_subzero", "1", map[string]float64{"2": -1}},
		{"routing_config_exc_sameversion", "1", map[string]float64{"1": 0.5}},
		{"target_version_doesnotexist", "10", map[string]float64{"2": 0.5}},
		{"routing_config_exc_version_doesnotexist", "1", map[string]float64{"10": 0.5}},
		{"target_version_exc_version_latest", "$LATEST", map[string]float64{"1": 0.5}},
		{"routing_config_exc_version_latest", "1", map[string]float64{"$LATEST": 0.5}},
	} {
		s.createAlias("custom", refused.version, "", refused.weights)
		s.holds(refused.step)
	}
	s.createAlias("custom-latest", "$LATEST", "", nil)
	s.holds("create-alias-latest")
	known := s.name
	s.name += "-unknown"
	s.createAlias("custom", "1", "", map[string]float64{"2": 0.5})
	s.holds("routing_config_exc_fn_doesnotexist")
	s.name = known
	s.createAlias("custom-empty-routingconfig", "1", "", map[string]float64{})
	s.holds("create_alias_empty_routingconfig")
	s.createAlias("custom", "1", "", map[string]float64{"2": 0.5})
	s.holds("create_alias_response")
	s.createAlias("custom", "1", "", map[string]float64{"2": 0.5})
	s.holds("routing_config_exc_already_exist")
	s.getAlias("non-existent")
	s.holds("alias_does_not_exist_esc")
	s.done()
}

func TestRecordedRevisions(t *testing.T) {
	t.Parallel()
	s := newScene(t, "test_function_revisions_version_and_alias")
	s.create(false, map[string]string{}, "")
	s.holds("create_function_response_rev1")
	s.getFunction(s.name, "")
	s.holds("get_function_active_rev2")
	latest := s.revision()

	s.publish("", "wrong")
	s.holds("publish_version_revision_exception")
	s.publish("", latest)
	s.holds("publish_version_response_rev_v1")
	s.getFunction(s.name, "1")
	s.holds("get_function_published_version_rev_v2")
	s.getFunction(s.name, "")
	s.holds("get_function_latest_rev3")

	s.createAlias("revision_alias", "1", "", nil)
	s.holds("create_alias_response_rev_a1")
	revision := s.revision()
	s.getFunction(s.name, "")
	s.holds("get_function_latest_rev4")
	s.getFunction(s.name, "1")
	s.holds("get_function_published_version_rev_v3")
	s.updateAlias(lambda.UpdateAliasInput{Name: aws.String("revision_alias"), RevisionId: aws.String("wrong")})
	s.holds("update_alias_revision_exception")
	s.updateAlias(lambda.UpdateAliasInput{
		Name: aws.String("revision_alias"), RevisionId: &revision, Description: aws.String("something changed"),
	})
	s.holds("update_alias_response_rev_a2")
	s.done()
}

func TestRecordedAliasNaming(t *testing.T) {
	t.Parallel()
	s := newScene(t, "test_alias_naming")
	s.stagingAndProd(false)
	s.createAlias("2024-01-02", "1", "custom-alias", nil)
	s.holds("create_alias_date")
	s.getAlias("2024-01-02")
	s.holds("get_alias_date")
	s.createAlias("2024", "1", "custom-alias", nil)
	s.holds("create_alias_number_exception")
	s.done()
}

func TestRecordedChangesOfAliasesThatDoNotExist(t *testing.T) {
	t.Parallel()
	s := newScene(t, "test_non_existent_alias_deletion")
	s.create(false, map[string]string{"testenv": "staging"}, "")
	s.holds("create_response")
	s.deleteAlias("non-existent")
	s.holds("delete_alias_response")
	s.done()

	s = newScene(t, "test_non_existent_alias_update")
	s.create(false, map[string]string{"testenv": "staging"}, "")
	s.holds("create_response")
	s.updateAlias(lambda.UpdateAliasInput{Name: aws.String("non-existent"), Description: aws.String("changed")})
	s.holds("update_alias_response")
	s.done()
}

func TestRecordedWeightedAlias(t *testing.T) {
	t.Parallel()
	s := newScene(t, "invoke.test_alias_routingconfig", "<resource:1>", "recorded-function:alias1")
	s.create(true, nil, "")
	s.wait()
	s.configure(lambda.UpdateFunctionConfigurationInput{Description: aws.String("second")})
	s.wait()
	s.publish("", "")
	s.createAlias("alias1", "1", "", map[string]float64{"2": 0.5})
	s.holds("create_alias_response")
	s.done()
}
