package alias

import (
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// SettingsFor are the settings of a version with this code and memory.
func SettingsFor(sha string, memory int32) Settings {
	return settingsOf(&lambda.GetFunctionConfigurationOutput{CodeSha256: &sha, MemorySize: &memory})
}

// DecidePromotion is what a promotion does of an observation.
func DecidePromotion(o Observation, options PromoteOptions) Decision {
	return decidePromotion(o, options)
}

// SharedSettings are the settings of a version with this code, role and dead letter
// queue.
func SharedSettings(sha, role, queue string) Settings {
	c := &lambda.GetFunctionConfigurationOutput{CodeSha256: &sha, Role: &role}
	if queue != "" {
		c.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: &queue}
	}
	return settingsOf(c)
}
