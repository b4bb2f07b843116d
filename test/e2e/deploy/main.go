// Deploy is the deploy.sh that a user brings along: it publishes a version of a
// Lambda function, points the alias at it, and then tests it. The test fails
// where FAIL is set.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	err := deploy(ctx, os.Getenv("FUNCTION"), os.Getenv("ALIAS"))
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if os.Getenv("FAIL") != "" {
		fmt.Println("smoke test: HTTP 500")
		os.Exit(1)
	}
	fmt.Println("smoke test: HTTP 200")
}

func deploy(ctx context.Context, function, alias string) error {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("failed to find the AWS settings: %w", err)
	}
	api := lambda.NewFromConfig(settings)
	published, err := api.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{
		FunctionName: &function, ZipFile: []byte(rand.Text()), Publish: true,
	})
	if err != nil {
		return fmt.Errorf("failed to publish %s: %w", function, err)
	}
	if _, err := api.UpdateAlias(ctx, &lambda.UpdateAliasInput{
		FunctionName: &function, Name: &alias, FunctionVersion: published.Version,
	}); err != nil {
		return fmt.Errorf("failed to move %s:%s: %w", function, alias, err)
	}
	fmt.Printf("%s:%s serves version %s\n", function, alias, aws.ToString(published.Version))
	return nil
}
