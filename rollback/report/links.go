package report

import (
	"net/url"
	"slices"
	"strings"
)

// consoles are the hosts of the AWS console by partition. A partition that is not
// among them has none, rather than one that leads elsewhere. There is no way to ask
// AWS: https://docs.aws.amazon.com/general/latest/gr/console-service.html
var consoles = map[string]string{
	"aws":        "console.aws.amazon.com",
	"aws-cn":     "console.amazonaws.cn",
	"aws-us-gov": "console.amazonaws-us-gov.com",
}

// aliasURL is the page of the function's alias in the AWS console; empty where
// its region is not known.
func aliasURL(f Function) string {
	base := consoleURL(f, "lambda")
	if base == "" || f.Function == "" || f.Alias == "" {
		return ""
	}
	return base + "#/functions/" + url.PathEscape(bareName(f.Function)) + "/aliases/" + url.PathEscape(f.Alias)
}

// logsURL is the page of the function's log group in the CloudWatch console;
// empty where its region is not known.
func logsURL(f Function) string {
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

// commitURL is the page of the run's commit; empty where it is not known.
func commitURL(run Run) string {
	repository := repositoryURL(run)
	if repository == "" || run.SHA == "" || strings.Trim(run.SHA, "0123456789abcdefABCDEF") != "" {
		return ""
	}
	return repository + "/commit/" + run.SHA
}

// repositoryURL is the page of the run's repository; empty: it is not known.
func repositoryURL(run Run) string {
	repository, _, found := strings.Cut(run.URL, "/actions/runs/")
	if !found {
		return ""
	}
	return repository
}

// compareURL is the page of what came between two commits of the run's repository;
// empty: one of them, or where to look, is not known.
func compareURL(run Run, from, to string) string {
	known := func(sha string) bool { return commitURL(Run{URL: run.URL, SHA: sha}) != "" }
	if from == to || !known(from) || !known(to) {
		return ""
	}
	return repositoryURL(run) + "/compare/" + from + "..." + to
}

// linkKind says what a link leads to.
type linkKind int

const (
	linkToRun linkKind = iota // the run that the result is about
	linkToOwnRun
	linkToAlias
	linkToLogs
)

type link struct {
	to  linkKind
	url string
}

// linksOf are the pages that are worth a look, each once, the run first. Only web
// addresses are among them.
func linksOf(r Result) []link {
	var out []link
	add := func(all ...link) {
		for _, l := range all {
			if isWebAddress(l.url) && !slices.ContainsFunc(out, func(other link) bool { return other.url == l.url }) {
				out = append(out, l)
			}
		}
	}
	add(link{linkToRun, r.Run.URL}, link{linkToOwnRun, r.OwnURL})
	if len(r.Functions) == 1 {
		add(linksOfFunction(r.Functions[0])...)
	}
	return out
}

func linksOfFunction(f Function) []link {
	all := []link{{linkToAlias, aliasURL(f)}, {linkToLogs, logsURL(f)}}
	return slices.DeleteFunc(all, func(l link) bool { return l.url == "" })
}

// runLinkName names the run of a result; run is its name where it did not fail, or
// is not said to.
func (r Result) runLinkName(run string) string {
	if isRollback(r.Command) && isFailed(r.Run) {
		return "Failed run"
	}
	return run
}

func consoleURL(f Function, service string) string {
	region := regionOf(f)
	if region == "" {
		return ""
	}
	console := consoles[partitionOf(f, region)]
	if console == "" {
		return ""
	}
	return "https://" + region + "." + console + "/" + service + "/home?region=" + region
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

// commercial are how the names of regions begin that are in the partition aws.
var commercial = []string{"af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"}

// partitionOf is the partition by the function's ARN, else by its region; empty: it
// is not known.
func partitionOf(f Function, region string) string {
	for _, arn := range []string{f.ARN, f.Function} {
		if parts := strings.Split(arn, ":"); len(parts) > 1 && parts[0] == "arn" {
			return parts[1]
		}
	}
	parts := strings.Split(region, "-")
	switch {
	case parts[0] == "cn":
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case len(parts) == 3 && slices.Contains(commercial, parts[0]) && !strings.HasPrefix(parts[1], "iso"):
		return "aws"
	}
	return ""
}

// bareName takes the name out of a function's full or partial ARN.
func bareName(function string) string {
	if at := strings.LastIndex(function, "function:"); at >= 0 {
		function, _, _ = strings.Cut(function[at+len("function:"):], ":")
	}
	return function
}
