package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// floorArgument makes this program run the floor: no client that reads the alias
// before it moves it can be faster.
const floorArgument = "move-the-alias-and-check-nothing"

// floor reads an alias and moves it. The function, the alias and the version are
// arguments.
func floor(ctx context.Context) error {
	const arguments = 5
	if len(os.Args) != arguments {
		return errors.New("function, alias and version are needed")
	}
	function, alias, version := os.Args[2], os.Args[3], os.Args[4]
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("failed to load the AWS configuration: %w", err)
	}
	client := lambda.NewFromConfig(loaded)
	now, err := client.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &function, Name: &alias})
	if err != nil {
		return fmt.Errorf("failed to read the alias: %w", err)
	}
	_, err = client.UpdateAlias(ctx, &lambda.UpdateAliasInput{
		FunctionName: &function, Name: &alias, FunctionVersion: &version, RevisionId: aws.String(aws.ToString(now.RevisionId)),
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}},
	})
	if err != nil {
		return fmt.Errorf("failed to move the alias: %w", err)
	}
	return nil
}
