package github

import (
	"cmp"
	"fmt"
)

// parseAlias reads the input `alias`. If it is invalid, parseAlias returns its
// default, so that the entries of `function-name` can be validated anyway.
func parseAlias(p *inputParser) string {
	alias := p.text("alias")
	if err := validateAlias(alias); err != nil {
		p.fail("alias", err.Error())
		return p.fallback("alias")
	}
	return alias
}

// parseFunctions reads `function-name`.
func parseFunctions(p *inputParser, alias string) []Function {
	entries := p.list("function-name")
	if len(entries) == 0 {
		p.fail("function-name", "is missing: set it to the name of the function")
	}
	var functions []Function
	for _, entry := range entries {
		function, err := ParseFunction(entry, alias)
		if err != nil {
			p.fail("function-name", err.Error())
			continue
		}
		functions = append(functions, function)
	}
	region := cmp.Or(p.text("aws-region"), p.getenv("AWS_REGION"), p.getenv("AWS_DEFAULT_REGION"))
	for _, err := range conflicts(functions, region) {
		p.refuse("function-name", err.Error())
	}
	return functions
}

// parseVersions reads `deployed-version` and `target-version` into the functions.
func parseVersions(p *inputParser, functions []Function) {
	known := functions
	if p.failed("function-name") {
		known = nil
	}
	read := func(input string, wrong func(error)) []int64 {
		versions, problems := versionsOf(p.list(input), known)
		for _, err := range problems {
			wrong(err)
		}
		return versions
	}
	// deployed-version only helps to attribute the version to a deploy, which is
	// possible without it, too.
	for i, version := range read("deployed-version", func(err error) { ignoreDeployed(p, err) }) {
		functions[i].Deployed = version
	}
	for i, version := range read("target-version", func(err error) { p.fail("target-version", err.Error()) }) {
		functions[i].Target = version
	}
}

// ignoreDeployed adds a warning about a `deployed-version` that is ignored.
func ignoreDeployed(p *inputParser, err error) {
	const input = "deployed-version"
	p.ignored++
	switch {
	case p.ignored <= problemLimit:
		p.warnings = append(p.warnings, fmt.Sprintf("The input %s %s. It is ignored, and the version is attributed by time.", input, err))
	case p.ignored == problemLimit+1:
		p.warnings = append(p.warnings, "The input "+input+" has more problems like these.")
	}
}

// parseBranches reads `branch`.
func parseBranches(p *inputParser) []string {
	patterns := p.set("branch")
	for _, pattern := range patterns {
		if err := ValidateBranchPattern(pattern); err != nil {
			p.fail("branch", err.Error())
		}
	}
	if len(patterns) == 0 && !p.failed("branch") {
		p.fail("branch", "has no entry")
	}
	return patterns
}

// parseNeedsInput reads `needs`.
func parseNeedsInput(p *inputParser) Needs {
	needs, err := ParseNeeds(p.text("needs"))
	if err != nil {
		p.fail("needs", err.Error()+": write needs: ${{ toJSON(needs) }}")
	}
	return needs
}

// checkDeployJobs checks that `needs` lists the jobs in `deploy-job`.
func checkDeployJobs(p *inputParser, in Inputs) {
	if p.failed("needs") || in.Needs == nil {
		return
	}
	for _, job := range in.DeployJobs {
		if err := in.Needs.lacks(job); err != nil {
			p.refuse("deploy-job", err.Error())
		}
	}
}
