package alias

import "github.com/aws/aws-sdk-go-v2/service/lambda"

// SettingsFor are the settings of a version with this code and memory.
func SettingsFor(sha string, memory int32) Settings {
	return settingsOf(&lambda.GetFunctionConfigurationOutput{CodeSha256: &sha, MemorySize: &memory})
}
