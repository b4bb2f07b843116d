package github_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
)

// values are inputs by name; a name in upper case is an environment variable.
type values map[string]string

// getenv hands the values over as a runner does.
func (v values) getenv(variable string) string {
	if value, ok := v[variable]; ok {
		return value
	}
	name, isInput := strings.CutPrefix(variable, "INPUT_")
	if !isInput {
		return ""
	}
	return v[strings.ToLower(name)]
}

// with returns the values beside a function name.
func (v values) with() values {
	all := values{"function-name": "orders"}
	maps.Copy(all, v)
	return all
}

func parse(t *testing.T, given values) github.Inputs {
	t.Helper()
	in, err := github.ParseInputs(given.getenv)
	require.NoError(t, err)
	return in
}

// problems are those of wrong inputs, a line each.
func problems(t *testing.T, given values) []string {
	t.Helper()
	_, err := github.ParseInputs(given.getenv)
	var wrong github.InputErrors
	require.ErrorAs(t, err, &wrong)
	lines := make([]string, len(wrong))
	for i, problem := range wrong {
		lines[i] = problem.Error()
	}
	return lines
}

func TestParseInputsReadsExactlyTheDefinedOnes(t *testing.T) {
	read := map[string]bool{}
	_, err := github.ParseInputs(func(variable string) string {
		if strings.HasPrefix(variable, "INPUT_") {
			read[variable] = true
		}
		return values{"function-name": "orders"}.getenv(variable)
	})
	require.NoError(t, err)
	defined := map[string]bool{}
	for _, definition := range github.InputDefinitions() {
		defined[definition.Variable()] = true
		assert.NotEmpty(t, definition.Form, definition.Name)
		assert.NotEmpty(t, definition.Group, definition.Name)
		assert.Truef(t, strings.HasSuffix(definition.Description, "."), "%s: whole sentences", definition.Name)
	}
	assert.Equal(t, defined, read)
}

func TestDefaults(t *testing.T) {
	want := github.Inputs{
		Command:           "rollback",
		Functions:         []github.Function{{Given: "orders", Name: "orders", Alias: "live"}},
		Alias:             "live",
		Environment:       "production",
		Branches:          []string{"main"},
		FailedResults:     []string{"failure"},
		OnlyIfDeployed:    true,
		OnStackInProgress: "wait", Remember: true,
		ListLimit: 20,
		Audience:  "sts.amazonaws.com",
		Timeout:   5 * time.Minute,
		Health: github.Health{
			Statuses: []github.StatusRange{{First: 200, Last: 200}}, Successes: 3, Interval: 2 * time.Second, Timeout: time.Minute,
		},
		Promote: github.Promote{
			Steps:          []github.PromoteStep{{Percent: 10, For: 5 * time.Minute}, {Percent: 50, For: 5 * time.Minute}, {Percent: 100, For: 5 * time.Minute}},
			OnInconclusive: "stop",
		},
		Watch:    github.Watch{OnUnhealthy: "fail", MaxSteps: 3},
		SMTP:     github.SMTP{Port: 587, TLS: "auto"},
		NotifyOn: []string{"rolled-back", "failed", "attention"},
	}
	assert.Equal(t, want, parse(t, values{"function-name": "orders"}))

	blank := values{}
	for _, definition := range github.InputDefinitions() {
		blank[definition.Name] = " \n\t"
	}
	blank["function-name"] = "orders"
	assert.Equal(t, want, parse(t, blank), "blank means the default")
}

func TestGivenInputs(t *testing.T) {
	in := parse(t, values{
		"function-name":     " orders ,billing:blue\r\n\n" + ordersARN + "-eu\n",
		"alias":             "prod",
		"environment":       " staging ",
		"branch":            "main, release/*\nmain",
		"needs":             `{"deploy":{"result":"failure"},"test":{"result":"success"}}`,
		"deploy-job":        "deploy",
		"only-if-deployed":  "FALSE",
		"all-or-nothing":    "True",
		"remember":          "false",
		"dry-run":           "TRUE",
		"aws-region":        "us-east-1",
		"role-to-assume":    "arn:aws-us-gov:iam::123456789012:role/path/rollback",
		"role-session-name": "night@shift",
		"github-token":      "ghs_token",
		"timeout":           "1h30m",
	})
	assert.Equal(t, []string{"orders:prod", "billing:blue", ordersARN + "-eu:prod"},
		[]string{in.Functions[0].String(), in.Functions[1].String(), in.Functions[2].String()})
	assert.Equal(t, "staging", in.Environment)
	assert.Equal(t, []string{"main", "release/*"}, in.Branches)
	assert.Equal(t, []string{"deploy"}, in.Needs.With(in.FailedResults, in.DeployJobs))
	assert.False(t, in.OnlyIfDeployed)
	assert.True(t, in.AllOrNothing)
	assert.False(t, in.Remember)
	assert.True(t, in.DryRun)
	assert.Equal(t, "us-east-1", in.Region)
	assert.Equal(t, "night@shift", in.RoleSessionName)
	assert.Equal(t, "ghs_token", in.GitHubToken)
	assert.Equal(t, 90*time.Minute, in.Timeout)
	assert.Empty(t, in.Warnings)
}

func TestVersions(t *testing.T) {
	for name, tt := range map[string]struct {
		functions, versions string
		want                []int64
	}{
		"a number for the only function":      {"orders", "42", []int64{42}},
		"18 digits":                           {"orders", "999999999999999999", []int64{999999999999999999}},
		"the only function by name":           {"orders", "orders=42", []int64{42}},
		"blanks":                              {"orders", " orders = 42 ", []int64{42}},
		"name and alias":                      {"orders", "orders:live=42", []int64{42}},
		"the name of an ARN":                  {ordersARN, "orders=42", []int64{42}},
		"an ARN":                              {ordersARN + ":live", ordersARN + "=42", []int64{42}},
		"an ARN and alias":                    {ordersARN, ordersARN + ":live=42", []int64{42}},
		"several by lines":                    {"orders,billing", "billing=7\norders=42", []int64{42, 7}},
		"several by commas":                   {"orders,billing", "billing=7,orders=42", []int64{42, 7}},
		"some of several":                     {"orders,billing", "billing=7", []int64{0, 7}},
		"outputs of a deploy that died":       {"orders,billing", "billing=\norders=", []int64{0, 0}},
		"outputs of a deploy that died early": {"orders", "", []int64{0}},
		"one function, two aliases":           {"orders:blue,orders:green", "orders:blue=1,orders:green=2", []int64{1, 2}},
		"the entry as given wins":             {"orders,orders:green", "orders=1,orders:green=2", []int64{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			in := parse(t, values{"function-name": tt.functions, "deployed-version": tt.versions, "target-version": tt.versions})
			for i, function := range in.Functions {
				assert.Equal(t, tt.want[i], function.Deployed)
				assert.Equal(t, tt.want[i], function.Target)
			}
		})
	}
}

func TestWrongInputs(t *testing.T) {
	const versionForm = " (it takes the number of a published version, such as `42`; for several functions, lines of `name=version`, where an empty version means not set)"
	needs := `{"test":{"result":"success"},"deploy":{"result":"failure"}}`
	for name, tt := range map[string]struct {
		given values
		want  []string
	}{
		"a command there is not": {values{"command": "Rollback"}, []string{"input command has \"Rollback\" (it takes `rollback`, `check`, `snapshot`, `list`, `drill` or `promote`)"}},
		"a boolean of YAML":      {values{"dry-run": "yes"}, []string{"input dry-run has \"yes\" (it takes `true` or `false`)"}},
		"a time without unit":    {values{"timeout": "300"}, []string{"input timeout has \"300\", which has no unit: write 300s (it takes a duration above zero, such as `90s`, `5m` or `1h30m`)"}},
		"no time":                {values{"timeout": "0s"}, []string{"input timeout has \"0s\", which is zero (it takes a duration above zero, such as `90s`, `5m` or `1h30m`)"}},
		"a negative time":        {values{"observe": "-5m"}, []string{"input observe has \"-5m\", which is negative (it takes a duration such as `90s`, `5m` or `1h30m`, or `0s` to turn it off)"}},
		"days":                   {values{"timeout": "1d"}, []string{"input timeout has \"1d\", which is not a duration (it takes a duration above zero, such as `90s`, `5m` or `1h30m`)"}},

		"no function":             {values{"function-name": " ,\n"}, []string{"input function-name is missing: set it to the name of the function (it takes a name, `name:alias`, or a function ARN with or without an alias; several are comma- or newline-separated)"}},
		"an alias twice":          {values{"function-name": "orders,orders:live"}, []string{`input function-name has "orders:live", which is the same function and alias as "orders": remove one`}},
		"an ARN twice":            {values{"function-name": ordersARN + "," + ordersARN + ":live"}, []string{`input function-name has "` + ordersARN + `:live", which is the same function and alias as "` + ordersARN + `": remove one`}},
		"by name and ARN":         {values{"function-name": "orders," + ordersARN, "aws-region": "eu-west-1"}, []string{`input function-name has "` + ordersARN + `", which is the same function and alias as "orders": remove one`}},
		"by ARN and name":         {values{"function-name": ordersARN + ",orders", "AWS_REGION": "eu-west-1"}, []string{`input function-name has "orders", which is the same function and alias as "` + ordersARN + `": remove one`}},
		"a memory alias after":    {values{"function-name": "orders,orders:live-rollback"}, []string{`input function-name has "orders:live-rollback", which is the memory alias of "orders": remove the former`}},
		"a memory alias before":   {values{"function-name": "orders:live-rollback,orders"}, []string{`input function-name has "orders", whose memory alias is listed too, as "orders:live-rollback": remove the latter`}},
		"an alias of digits":      {values{"alias": "42"}, []string{"input alias names a version, not an alias (\"42\"): write the alias that serves production, such as live (it takes the name of an alias with at most 119 letters, digits, `-` and `_`, not a version number)"}},
		"an environment of lines": {values{"environment": "a\n::error::b"}, []string{`input environment has "a\n::error::b", which contains a line break or another control character (it takes a single-line string)`}},
		"a branch of GitHub's other syntax": {values{"branch": "main,!dev"}, []string{
			"input branch has the pattern \"!dev\": ! is not supported, only * and ** are wildcards, so list the branches to allow (it takes branch names or patterns such as `release/*` or `refs/tags/v*`, comma- or newline-separated)"}},
		"no branch": {values{"branch": ","}, []string{"input branch has no entry (it takes branch names or patterns such as `release/*` or `refs/tags/v*`, comma- or newline-separated)"}},

		"needs that is one result": {values{"needs": "failure", "deploy-job": "deploy"}, []string{
			"input needs is not valid JSON: write needs: ${{ toJSON(needs) }} (it takes the whole `needs` context as JSON, from the expression `toJSON(needs)`)"}},
		"a deploy job there is not": {values{"needs": needs, "deploy-job": "deploy,Deploy"}, []string{`input deploy-job has "Deploy", which needs does not list: it has "deploy", "test"`}},
		"a result that no job has":  {values{"failed-results": "failed"}, []string{"input failed-results has \"failed\" (it takes `failure`, `cancelled` or both, comma- or newline-separated)"}},
		"a success that failed":     {values{"failed-results": "failure,success"}, []string{"input failed-results has \"success\" (it takes `failure`, `cancelled` or both, comma- or newline-separated)"}},

		"a negative version":                     {values{"target-version": "orders=-1"}, []string{`input target-version has "-1", which is not the number of a published version` + versionForm}},
		"19 digits":                              {values{"target-version": "1000000000000000000"}, []string{`input target-version has "1000000000000000000", which is not the number of a published version` + versionForm}},
		"version $LATEST":                        {values{"target-version": "$LATEST"}, []string{"input target-version has $LATEST, but an alias can be rolled back only to a published version: write its number" + versionForm}},
		"a version of an unknown one":            {values{"target-version": "billing=3"}, []string{`input target-version has a version for "billing", which function-name does not list` + versionForm}},
		"a version of nothing":                   {values{"target-version": "=3"}, []string{`input target-version has a version for "", which function-name does not list` + versionForm}},
		"a version twice":                        {values{"target-version": "3,orders=4"}, []string{`input target-version has a second version for "orders" ("orders=4"): write only one` + versionForm}},
		"a version for several":                  {values{"function-name": "orders,billing", "target-version": "3"}, []string{"input target-version has a version without its function, but function-name lists 2: write orders=<version>" + versionForm}},
		"a version for which of two":             {values{"function-name": "orders:a,orders:b", "target-version": "orders=3"}, []string{`input target-version has a version for "orders", which matches 2 entries of function-name: write the entry exactly as in function-name, such as orders:a=<version>` + versionForm}},
		"versions of a wrong function":           {values{"function-name": "a b", "target-version": "x=3"}, []string{"input function-name has \"a b\", which does not name a function: a name has 1 to 64 letters, digits, - and _ (it takes a name, `name:alias`, or a function ARN with or without an alias; several are comma- or newline-separated)"}},
		"a region by another name":               {values{"aws-region": "Ireland"}, []string{"input aws-region has \"Ireland\" (it takes a region such as `eu-west-1`)"}},
		"a user instead of a role":               {values{"role-to-assume": "arn:aws:iam::123456789012:user/me"}, []string{"input role-to-assume has \"arn:aws:iam::123456789012:user/me\" (it takes a role ARN such as `arn:aws:iam::123456789012:role/rollback`)"}},
		"a session name with a blank":            {values{"role-session-name": "a b"}, []string{"input role-session-name has \"a b\" (it takes 2 to 64 letters, digits and `_+=,.@-`)"}},
		"a health status there is not":           {values{"health-status": "2xx,600"}, []string{"input health-status has \"600\" (it takes status codes or classes such as `200` or `2xx`, comma- or newline-separated)"}},
		"too many successes":                     {values{"health-successes": "101"}, []string{"input health-successes has \"101\" (it takes a whole number from 1 to 100)"}},
		"a health URL without a scheme":          {values{"health-url": "example.com/health"}, []string{`input health-url has "example.com/health", which does not begin with https:// or http:// (it takes http or https URLs, comma- or newline-separated)`}},
		"a health URL with a token in its query": {values{"health-url": "example.com/health?token=hunter2"}, []string{`input health-url has "example.com/health?***", which does not begin with https:// or http:// (it takes http or https URLs, comma- or newline-separated)`}},
		"a health URL with a password":           {values{"health-url": "ftp://me:hunter2@example.com"}, []string{`input health-url has "***@example.com", which does not begin with https:// or http:// (it takes http or https URLs, comma- or newline-separated)`}},
		"a payload that is not JSON":             {values{"invoke-payload": "{a}"}, []string{"input invoke-payload has \"{a}\", which is not valid JSON: invalid character 'a' looking for beginning of object key string, at byte 2 (it takes JSON)"}},
		"an unknown consequence":                 {values{"on-unhealthy": "explode"}, []string{"input on-unhealthy has \"explode\" (it takes `fail` or `step-back`)"}},
		"no step":                                {values{"max-steps": "0"}, []string{"input max-steps has \"0\" (it takes a whole number from 1 to 20)"}},
		"a time of day":                          {values{"site-restore-to": "03:04"}, []string{"input site-restore-to has \"03:04\" (it takes a time in RFC 3339 such as `2026-01-31T03:04:05Z`)"}},
		"the domain of a distribution":           {values{"cloudfront-distribution-id": "d1.cloudfront.net"}, []string{"input cloudfront-distribution-id has \"d1.cloudfront.net\" (it takes a distribution ID such as `E1ABCDEF234567`)"}},
		"a mail server with its port":            {values{"smtp-host": "mail.example.com:587"}, []string{`input smtp-host has "mail.example.com:587", which contains a port: set it in smtp-port instead (it takes a host name or an IP address, without a port)`}},
		"a port there is not":                    {values{"smtp-port": "65536"}, []string{"input smtp-port has \"65536\" (it takes a whole number from 1 to 65535)"}},
		"TLS of another name":                    {values{"smtp-tls": "ssl"}, []string{"input smtp-tls has \"ssl\" (it takes `auto`, `implicit`, `starttls` or `none`)"}},
		"an address without a domain":            {values{"email-cc": "ops"}, []string{`input email-cc has "ops" (it takes email addresses, comma- or newline-separated)`}},
		"a webhook on plain http":                {values{"webhook-url": "http://example.com/s3cret"}, []string{"input webhook-url has a plain http URL (not shown), which would expose the secret: use https (it takes an https URL)"}},
		"a webhook that is no URL":               {values{"teams-webhook-url": "https://exa mple/s3cret"}, []string{"input teams-webhook-url has a value (not shown) that is not a URL (it takes an https URL)"}},
		"a webhook without a host":               {values{"slack-webhook-url": "https:///s3cret"}, []string{"input slack-webhook-url has a value (not shown) that has no host (it takes an https URL)"}},
		"a token of two words":                   {values{"slack-bot-token": "xoxb s3cret"}, []string{"input slack-bot-token has a value (not shown) (it takes a bot token with the scope `chat:write`)"}},
		"a result that no command has":           {values{"notify-on": "failed,success"}, []string{"input notify-on has \"success\" (it takes any of `rolled-back`, `failed`, `attention`, `promoted`, `skipped`, `planned` and `always`, comma- or newline-separated)"}},
		"no status":                              {values{"health-status": ","}, []string{"input health-status has no entry (it takes status codes or classes such as `200` or `2xx`, comma- or newline-separated)"}},
		"no result to notify":                    {values{"notify-on": ","}, []string{"input notify-on has no entry (it takes any of `rolled-back`, `failed`, `attention`, `promoted`, `skipped`, `planned` and `always`, comma- or newline-separated)"}},
		"receivers with a semicolon":             {values{"email-to": "a@example.com; b@example.com"}, []string{`input email-to has "a@example.com; b@example.com": write a@example.com, b@example.com (it takes email addresses, comma- or newline-separated)`}},
		"a name with a comma":                    {values{"email-to": "Acme, Inc. <a@example.com>"}, []string{`input email-to has "Acme, Inc. <a@example.com>": write "Acme, Inc." <a@example.com> (it takes email addresses, comma- or newline-separated)`}},
		"a sender with a comma":                  {values{"email-from": "Acme, Inc. <a@example.com>"}, []string{`input email-from has "Acme, Inc. <a@example.com>": write "Acme, Inc." <a@example.com> (it takes one email address)`}},
		"receivers that are none":                {values{"email-to": "oncall"}, []string{`input email-to has "oncall" (it takes email addresses, comma- or newline-separated)`}},
		"a channel with a blank":                 {values{"slack-channel": "C1,two words"}, []string{`input slack-channel has "two words" (it takes IDs or names of channels, such as ` + "`C0123456789` or `#deploys`" + `, comma- or newline-separated)`}},
		"two senders":                            {values{"email-from": "a@example.com,b@example.com"}, []string{"input email-from has 2 addresses (it takes one email address)"}},
		"a name that breaks the header":          {values{"email-cc": "=?utf-8?q?a=0Ab?= <a@example.com>"}, []string{"input email-cc has \"=?utf-8?q?a=0Ab?= <a@example.com>\" (it takes email addresses, comma- or newline-separated)"}},
		"several problems, in their order": {values{"open-issue": "no", "command": "undo", "timeout": "soon"}, []string{
			"input command has \"undo\" (it takes `rollback`, `check`, `snapshot`, `list`, `drill` or `promote`)",
			"input timeout has \"soon\", which is not a duration (it takes a duration above zero, such as `90s`, `5m` or `1h30m`)",
			"input open-issue has \"no\" (it takes `true` or `false`)"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, problems(t, tt.given.with()))
		})
	}
}

func TestFunctionsThatOnlyLookAlike(t *testing.T) {
	for name, given := range map[string]values{
		"two aliases":                       {"function-name": "orders:blue,orders:green"},
		"two regions":                       {"function-name": ordersARN + "," + strings.Replace(ordersARN, "eu-west-1", "us-east-1", 1)},
		"two accounts":                      {"function-name": ordersARN + "," + strings.Replace(ordersARN, "123456789012", "210987654321", 1)},
		"a name in another region":          {"function-name": "orders," + ordersARN, "aws-region": "us-east-1", "AWS_REGION": "eu-west-1"},
		"another function's memory alias":   {"function-name": "orders,billing:live-rollback"},
		"an alias that only ends like that": {"function-name": "orders:live-rollback"},
	} {
		t.Run(name, func(t *testing.T) { parse(t, given) })
	}
}

func TestWrongInputsAreCountedNotListedWithoutEnd(t *testing.T) {
	var entries []string
	for i := range 500 {
		entries = append(entries, fmt.Sprintf("bad name %d", i))
	}
	got := problems(t, values{"function-name": strings.Join(entries, "\n")})
	require.Len(t, got, 21)
	assert.Equal(t, "input function-name has more problems like these", got[20])
}

func TestWrongInputsAsOneLine(t *testing.T) {
	_, err := github.ParseInputs(values{"function-name": "orders", "dry-run": "yes", "timeout": "5"}.getenv)
	assert.EqualError(t, err, "input dry-run has \"yes\" (it takes `true` or `false`); "+
		"input timeout has \"5\", which has no unit: write 5s (it takes a duration above zero, such as `90s`, `5m` or `1h30m`)")
}

func TestWrongInputsLeaveTheOthersReadable(t *testing.T) {
	in, err := github.ParseInputs(values{"function-name": "orders", "environment": "staging", "timeout": "5"}.getenv)
	require.Error(t, err)
	assert.Equal(t, "staging", in.Environment)
	assert.Equal(t, "orders", in.Functions[0].Name)
}

func TestInputsOfManyForms(t *testing.T) {
	in, err := github.ParseInputs(values{
		"function-name":   "orders",
		"health-url":      "https://a.example.com\nhttp://b.example.com",
		"health-status":   "2xx,418",
		"site-restore-to": "2026-01-31T03:04:05+01:00",
		"smtp-host":       "::1",
		"email-from":      "Lambda <lambda@example.com>",
		"email-to":        "\"Doe, Jane\" <jane@example.com>, ops@example.com,\nnight@example.com",
		"webhook-url":     "http://localhost:8080/x",
		"notify-on":       "always,always",
		"site-bucket":     "www.example.com",

		"site-entry-points":          "*.json, sw.js",
		"site-keep-new-assets":       "True",
		"cloudfront-distribution-id": "E1ABCDEF234567",
		"cloudfront-origin-path":     "/www",
	}.getenv)
	require.NoError(t, err)
	assert.Equal(t, []string{"*.json", "sw.js"}, in.Site.EntryPoints)
	assert.True(t, in.Site.KeepNewAssets)
	assert.Equal(t, "/www", in.Site.OriginPath)
	assert.Len(t, in.Health.URLs, 2)
	assert.Equal(t, []github.StatusRange{{First: 200, Last: 299}, {First: 418, Last: 418}}, in.Health.Statuses)
	assert.True(t, in.Health.Statuses[0].Holds(204))
	assert.False(t, in.Health.Statuses[0].Holds(300))
	assert.Equal(t, "::1", in.SMTP.Host)
	assert.Equal(t, "lambda@example.com", in.SMTP.From.Address)
	require.Len(t, in.SMTP.To, 3)
	assert.Equal(t, "Doe, Jane", in.SMTP.To[0].Name)
	assert.Equal(t, "localhost:8080", in.Webhook.URL.Host)
	assert.Equal(t, []string{"always"}, in.NotifyOn)
}

func TestInputsWithoutEffect(t *testing.T) {
	for name, tt := range map[string]struct {
		given values
		want  []string
	}{
		"checks without a URL": {values{"health-status": "2xx", "health-timeout": "10s"}, []string{
			"The input health-status has no effect without health-url.", "The input health-timeout has no effect without health-url."}},
		"a role's name without the role": {values{"role-session-name": "night"}, []string{"The input role-session-name has no effect without role-to-assume."}},
		"an alias that nobody takes":     {values{"function-name": "orders:blue", "alias": "prod"}, []string{"The input alias has no effect because every entry of function-name names its own."}},
		"all or nothing of one":          {values{"all-or-nothing": "true"}, []string{"The input all-or-nothing has no effect with a single function."}},
		"steps without stepping":         {values{"max-steps": "5"}, []string{"The input max-steps has no effect without on-unhealthy: step-back."}},
		"a port without a server":        {values{"smtp-port": "465"}, []string{"The input smtp-port has no effect without smtp-host."}},
		"results without a channel":      {values{"notify-on": "always"}, []string{"The input notify-on has no effect without a channel: slack-webhook-url, slack-bot-token, smtp-host, teams-webhook-url, webhook-url."}},
		"the default, spelt out":         {values{"health-status": "200", "alias": "live", "max-steps": "3"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, parse(t, tt.given.with()).Warnings)
		})
	}
}
