// Deploy is what the scripts that a user brings along hand on to: it publishes a
// version of a Lambda function, points its alias at it, and tests it.
//
//	deploy all              publish, move the alias, test
//	deploy canary           publish, and give the new version a tenth of the traffic
//	deploy publish          publish
//	deploy watch            test
//	deploy promote VERSION  move the alias to a version, test
//	deploy sync FOLDER s3://BUCKET/PREFIX --delete   put a site in the place of another
//
// The test fails where FAIL names what was called, and FAIL_REGION, if it is set,
// the region. FUNCTIONS are those to deploy, as NAME:ALIAS with blanks between.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	err := run(ctx, os.Args[1:])
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("what is to be done is missing: all, canary, publish, watch, promote VERSION or sync")
	}
	if args[0] == "sync" {
		return sync(ctx, args[1:])
	}
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("failed to find the AWS settings: %w", err)
	}
	api := lambda.NewFromConfig(settings)
	functions := strings.Fields(os.Getenv("FUNCTIONS"))
	if args[0] == "watch" {
		functions = nil
	}
	for _, entry := range functions {
		function, alias, _ := strings.Cut(entry, ":")
		var version string
		if args[0] == "promote" {
			version = args[1]
		} else if version, err = publish(ctx, api, function); err != nil {
			return err
		}
		if args[0] == "publish" {
			continue
		}
		if err := move(ctx, api, function, alias, version, args[0] == "canary"); err != nil {
			return err
		}
	}
	if region := os.Getenv("FAIL_REGION"); os.Getenv("FAIL") == args[0] && (region == "" || region == settings.Region) {
		return errors.New("smoke test: HTTP 500")
	}
	fmt.Println("smoke test: HTTP 200")
	return nil
}

// publish publishes new code, and makes its version an output of the step: under
// the name version, and under the first word of the function's name.
func publish(ctx context.Context, api *lambda.Client, function string) (string, error) {
	published, err := api.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{
		FunctionName: &function, ZipFile: []byte(rand.Text()), Publish: true,
	})
	if err != nil {
		return "", fmt.Errorf("failed to publish %s: %w", function, err)
	}
	version := aws.ToString(published.Version)
	outputs, err := os.OpenFile(os.Getenv("GITHUB_OUTPUT"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return "", fmt.Errorf("failed to open the file for outputs: %w", err)
	}
	name, _, _ := strings.Cut(function, "-")
	_, err = fmt.Fprintf(outputs, "version=%s\n%s=%s\n", version, name, version)
	return version, errors.Join(err, outputs.Close())
}

func move(ctx context.Context, api *lambda.Client, function, alias, version string, canary bool) error {
	change := &lambda.UpdateAliasInput{FunctionName: &function, Name: &alias}
	if canary {
		change.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{version: 0.1}}
	} else {
		change.FunctionVersion, change.RoutingConfig = &version, &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}}
	}
	if _, err := api.UpdateAlias(ctx, change); err != nil {
		return fmt.Errorf("failed to move %s:%s: %w", function, alias, err)
	}
	share := "version "
	if canary {
		share = "a tenth of version "
	}
	fmt.Printf("%s:%s serves %s%s\n", function, alias, share, version)
	return nil
}
