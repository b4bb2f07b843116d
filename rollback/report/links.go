package report

import (
	"net/url"
	"slices"
	"strings"
)

// consoles are the hosts of the AWS console by partition. A partition that is not
// listed has no links, rather than links to a wrong host. AWS has no API for this:
// https://docs.aws.amazon.com/general/latest/gr/console-service.html
var consoles = map[string]string{
	"aws":        "console.aws.amazon.com",
	"aws-cn":     "console.amazonaws.cn",
	"aws-us-gov": "console.amazonaws-us-gov.com",
}

// aliasURL returns the page of the function's alias in the AWS console, or an empty
// string if its region is not known.
func aliasURL(f Function) string {
	base := consoleURL(f, "lambda")
	if base == "" || f.Function == "" || f.Alias == "" {
		return ""
	}
	return base + "#/functions/" + url.PathEscape(bareName(f.Function)) + "/aliases/" + url.PathEscape(f.Alias)
}

// logsURL returns the page of the function's log group in the CloudWatch console, or
// an empty string if its region is not known.
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

// escapeLogGroup escapes as the CloudWatch console does: twice, with `$` for `%` the
// second time, so that `/` is `$252F`.
func escapeLogGroup(group string) string {
	once := strings.ReplaceAll(url.QueryEscape(group), "+", "%20")
	return strings.ReplaceAll(url.QueryEscape(once), "%", "$")
}

// commitURL returns the page of the run's commit, or an empty string if it is not
// known.
func commitURL(run Run) string {
	repository := repositoryURL(run)
	if repository == "" || run.SHA == "" || strings.Trim(run.SHA, "0123456789abcdefABCDEF") != "" {
		return ""
	}
	return repository + "/commit/" + run.SHA
}

// repositoryURL returns the page of the run's repository, or an empty string if it is
// not known.
func repositoryURL(run Run) string {
	repository, _, found := strings.Cut(run.URL, "/actions/runs/")
	if !found {
		return ""
	}
	return repository
}

// compareURL returns the page that compares two commits of the run's repository, or an
// empty string if a commit or the repository is not known.
func compareURL(run Run, from, to string) string {
	known := func(sha string) bool { return commitURL(Run{URL: run.URL, SHA: sha}) != "" }
	if from == to || !known(from) || !known(to) {
		return ""
	}
	return repositoryURL(run) + "/compare/" + from + "..." + to
}

// linkKind is the kind of page that a link leads to.
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

// linksOf returns the useful pages, each once, the page of the run first. It contains
// only web addresses.
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

// runLinkName returns the name of the link to the run of a result. run is the name if
// the run did not fail, or is not known to have failed.
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

// regionOf returns the region by name or from the ARN, if it is valid in a host name.
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

// commercial are the prefixes of the regions in the partition aws.
var commercial = []string{"af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"}

// partitionOf returns the partition from the function's ARN, or from its region, or an
// empty string if it is not known.
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

// bareName returns the name in a full or partial function ARN.
func bareName(function string) string {
	if at := strings.LastIndex(function, "function:"); at >= 0 {
		function, _, _ = strings.Cut(function[at+len("function:"):], ":")
	}
	return function
}
