package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// sync does what `aws s3 sync FOLDER s3://BUCKET/PREFIX --delete` does, as far as
// these tests need it: the image that jobs run in has no AWS CLI.
func sync(ctx context.Context, args []string) error {
	if len(args) != 3 || args[2] != "--delete" {
		return errors.New("sync takes a folder, an address and --delete")
	}
	bucket, prefix, found := strings.Cut(strings.TrimPrefix(args[1], "s3://"), "/")
	if !found {
		return fmt.Errorf("%s is no address of a folder in a bucket", args[1])
	}
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("failed to find the AWS settings: %w", err)
	}
	api := s3.NewFromConfig(settings)
	stay := map[string]bool{}
	files, err := os.ReadDir(args[0])
	if err != nil {
		return fmt.Errorf("failed to read the site: %w", err)
	}
	for _, file := range files {
		key := prefix + file.Name()
		stay[key] = true
		text, err := os.ReadFile(filepath.Join(args[0], file.Name()))
		if err != nil {
			return fmt.Errorf("failed to read a file of the site: %w", err)
		}
		if _, err := api.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(string(text))}); err != nil {
			return fmt.Errorf("failed to upload %s: %w", key, err)
		}
		fmt.Printf("upload: %s to s3://%s/%s\n", file.Name(), bucket, key)
	}
	listed, err := api.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &bucket, Prefix: &prefix})
	if err != nil {
		return fmt.Errorf("failed to list the site: %w", err)
	}
	for _, v := range listed.Versions {
		if stay[*v.Key] || !*v.IsLatest {
			continue
		}
		if _, err := api.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: v.Key}); err != nil {
			return fmt.Errorf("failed to delete %s: %w", *v.Key, err)
		}
		fmt.Printf("delete: s3://%s/%s\n", bucket, *v.Key)
	}
	return nil
}
