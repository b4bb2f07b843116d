package aws

import "strings"

// partitions are AWS's partitions, with the prefixes of their regions and the region
// whose STS is called by default. The last one has all other regions.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
var partitions = []struct{ name, prefix, region string }{
	{"aws-cn", "cn-", "cn-north-1"},
	{"aws-us-gov", "us-gov-", "us-gov-west-1"},
	{"aws-iso", "us-iso-", "us-iso-east-1"},
	{"aws-iso-b", "us-isob-", "us-isob-east-1"},
	{"aws-iso-e", "eu-isoe-", "eu-isoe-west-1"},
	{"aws-iso-f", "us-isof-", "us-isof-south-1"},
	{"aws-eusc", "eusc-", "eusc-de-east-1"},
	{"aws", "", "us-east-1"},
}

// stsRegion returns the region whose STS can issue credentials for a role: the given
// region if it is in the role's partition, otherwise a region of that partition. If the
// partition is not known, it is the given region.
func stsRegion(role, region string) string {
	parts := strings.SplitN(role, ":", 3)
	if len(parts) < 3 || parts[0] != "arn" {
		parts = []string{"arn", "aws"}
	}
	if region != "" && PartitionOf(region) == parts[1] {
		return region
	}
	for _, p := range partitions {
		if p.name == parts[1] {
			return p.region
		}
	}
	return region
}

// PartitionOf returns the partition of a region.
func PartitionOf(region string) string {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.prefix) {
			return p.name
		}
	}
	return ""
}
