package report

import (
	"net/url"
	"strings"
)

// consoles are the hosts of the AWS console by partition. There is no way to
// ask AWS: https://docs.aws.amazon.com/general/latest/gr/console-service.html
var consoles = map[string]string{
	"aws":        "console.aws.amazon.com",
	"aws-cn":     "console.amazonaws.cn",
	"aws-us-gov": "console.amazonaws-us-gov.com",
}

// AliasURL is the page of the function's alias in the AWS console; empty where
// its region is not known.
func AliasURL(f Function) string {
	base := consoleURL(f, "lambda")
	if base == "" || f.Function == "" || f.Alias == "" {
		return ""
	}
	return base + "#/functions/" + url.PathEscape(bareName(f.Function)) + "/aliases/" + url.PathEscape(f.Alias)
}

// LogsURL is the page of the function's log group in the CloudWatch console;
// empty where its region is not known.
func LogsURL(f Function) string {
	base := consoleURL(f, "cloudwatch")
	if base == "" || f.Function == "" && f.LogGroup == "" {
		return ""
	}
	group := f.LogGroup
	if group == "" {
		group = "/aws/lambda/" + bareName(f.Function)
	}
	return base + "#logsV2:log-groups/log-group/" + escapeLogGroup(group)
}

// escapeLogGroup escapes as the CloudWatch console does: twice, with `$` for
// `%` the second time, so that `/` is `$252F`.
func escapeLogGroup(group string) string {
	once := strings.ReplaceAll(url.QueryEscape(group), "+", "%20")
	return strings.ReplaceAll(url.QueryEscape(once), "%", "$")
}

// CommitURL is the page of the run's commit; empty where it is not known.
func CommitURL(run Run) string {
	repository, _, found := strings.Cut(run.URL, "/actions/runs/")
	if !found || run.SHA == "" || strings.Trim(run.SHA, "0123456789abcdefABCDEF") != "" {
		return ""
	}
	return repository + "/commit/" + run.SHA
}

func consoleURL(f Function, service string) string {
	region := regionOf(f)
	if region == "" {
		return ""
	}
	return "https://" + region + "." + consoles[partitionOf(f, region)] + "/" + service + "/home?region=" + region
}

// regionOf is the region by name or from the ARN, if it is fit for a host name.
func regionOf(f Function) string {
	region := f.Region
	if parts := strings.Split(f.ARN, ":"); region == "" && len(parts) > 3 {
		region = parts[3]
	}
	if strings.Trim(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.HasPrefix(region, "-") {
		return ""
	}
	return region
}

func partitionOf(f Function, region string) string {
	if parts := strings.Split(f.ARN, ":"); len(parts) > 1 && consoles[parts[1]] != "" {
		return parts[1]
	}
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// bareName takes the name out of a function's full or partial ARN.
func bareName(function string) string {
	if at := strings.LastIndex(function, "function:"); at >= 0 {
		function, _, _ = strings.Cut(function[at+len("function:"):], ":")
	}
	return function
}
