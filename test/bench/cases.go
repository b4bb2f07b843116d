package main

import (
	"fmt"
	"strconv"
	"time"
)

// benchCase is one situation to measure.
type benchCase struct {
	name      string
	aws       int  // duration of an AWS call, in ms
	github    int  // duration of a GitHub call, in ms; below 0: GitHub never responds
	named     bool // deployed-version is given
	newer     bool // a newer run is in progress
	versions  int
	gap       int // how many numbers below the live version do not exist
	functions int
	bucket    bool // limited to 15 calls per second, as on AWS
	half      bool // another client uses half of these calls
	roundTrip int  // round-trip time of the network below TLS, in ms; 0: plain HTTP
	near      bool // only AWS has that round trip; GitHub's durations, also for the token, include the network
	oidc      bool // assumes a role with the job's token
	client    client
}

// client is the program that moves the alias.
type client int

const (
	thisAction client = iota
	floorOfTwo
	awsCLI
	lambroll
)

func (c client) String() string {
	return [...]string{"this action", "floor: 2 calls", "AWS CLI", "lambroll"}[c]
}

// cases returns the cases of the table, the ones about latency first.
func cases() []benchCase {
	var all []benchCase
	add := func(c benchCase) {
		if c.versions == 0 {
			c.versions = 3
		}
		if c.functions == 0 {
			c.functions = 1
		}
		all = append(all, c)
	}
	for _, aws := range []int{0, 20, 60, 150} {
		for _, github := range []int{0, 300, 1000, -1} {
			for _, named := range []bool{false, true} {
				suffix := ""
				if named {
					suffix = ", deployed-version"
				}
				add(benchCase{name: fmt.Sprintf("%d/%s%s", aws, latency(github), suffix), aws: aws, github: github, named: named})
			}
			if aws == 60 && github > 0 {
				add(benchCase{name: fmt.Sprintf("%d/%s, a newer run in progress", aws, latency(github)), aws: aws, github: github, newer: true})
			}
		}
		for _, who := range []client{floorOfTwo, awsCLI, lambroll} {
			add(benchCase{name: fmt.Sprintf("%d, %s", aws, who), aws: aws, client: who})
		}
	}
	for _, trip := range []int{5, 90} {
		for _, near := range []bool{true, false} {
			for _, named := range []bool{false, true} {
				name := fmt.Sprintf("TLS, %d ms of round trip to AWS and GitHub, OIDC role, 40/150", trip)
				if near {
					name = fmt.Sprintf("TLS, %d ms of round trip to AWS, OIDC role, 40/150", trip)
				}
				if named {
					name += ", deployed-version"
				}
				add(benchCase{name: name, aws: 40, github: 150, named: named, roundTrip: trip, near: near, oidc: true})
			}
		}
	}
	for _, versions := range []int{3, 100, 3_000, 10_000} {
		add(benchCase{name: fmt.Sprintf("%d versions", versions), aws: 60, versions: versions})
	}
	add(benchCase{name: "a gap of 1,197 above 2 versions", aws: 60, versions: 3, gap: 1_197})
	add(benchCase{name: "a gap of 1,197 above 3,000 versions", aws: 60, versions: 3_001, gap: 1_197})
	for _, functions := range []int{1, 10, 40, 200} {
		add(benchCase{name: fmt.Sprintf("fleet of %d, 15 calls a second", functions), aws: 60, functions: functions, bucket: true})
	}
	for _, functions := range []int{10, 40} {
		add(benchCase{name: fmt.Sprintf("fleet of %d, half of the 15 used by others", functions), aws: 60, functions: functions, bucket: true, half: true})
	}
	return all
}

func latency(ms int) string {
	if ms < 0 {
		return "hanging"
	}
	return strconv.Itoa(ms)
}

func (c benchCase) slow() bool { return c.functions >= 40 || c.gap > 0 && c.versions > 1000 }

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
