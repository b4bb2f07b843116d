package emulator

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CloudFormation is CloudFormation in one region: stacks that are described, and
// that tests bring from state to state.
type CloudFormation struct {
	e      *Emulator
	region string
	stacks []*Stack
}

// Stack is a stack as DescribeStacks and its kin tell of it.
type Stack struct {
	Name      string
	Status    string
	Updated   time.Time // zero: never
	Root      string    // name of the stack that this one is nested in; empty: none
	Resources []StackResource
	Events    []StackEvent // the newest first, as AWS has them

	id string
}

// StackResource is a resource of a stack.
type StackResource struct{ LogicalID, PhysicalID, Type string }

// StackEvent is an event of a stack. An empty PhysicalID means the stack itself.
type StackEvent struct{ LogicalID, PhysicalID, Type, Status, Reason string }

// CloudFormation gives a region's CloudFormation, the region named as AWS names it.
func (e *Emulator) CloudFormation(region string) *CloudFormation {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cloudformation(region)
}

func (e *Emulator) cloudformation(region string) *CloudFormation {
	c := e.stacks[region]
	if c == nil {
		c = &CloudFormation{e: e, region: region}
		e.stacks[region] = c
	}
	return c
}

// Put makes a stack, or replaces the one of its name.
func (c *CloudFormation) Put(s Stack) {
	c.e.mu.Lock()
	defer c.e.mu.Unlock()
	s.id = c.id(s.Name)
	c.stacks = append(slices.DeleteFunc(c.stacks, func(old *Stack) bool { return old.Name == s.Name }), &s)
}

// SetStatus brings a stack into a state.
func (c *CloudFormation) SetStatus(name, status string) {
	c.e.mu.Lock()
	defer c.e.mu.Unlock()
	if s := c.find(name); s != nil {
		s.Status = status
	}
}

func (c *CloudFormation) id(name string) string {
	return fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/0a1b2c3d", c.region, Account, name)
}

// find gives a stack by name or id.
func (c *CloudFormation) find(name string) *Stack {
	for _, s := range c.stacks {
		if s.Name == name || s.id == name {
			return s
		}
	}
	return nil
}

// cloudformationAPI answers a call of CloudFormation, which speaks the query
// protocol.
func (x *exchange) cloudformationAPI() answer {
	if a := x.needSignature(); a != nil {
		return *a
	}
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	c := x.e.cloudformation(x.call.Region)
	switch x.call.Operation {
	case "DescribeStackResources":
		return x.describeStackResources(c)
	case "DescribeStacks":
		s := c.find(x.form.Get("StackName"))
		if s == nil {
			return x.noStack("Stack with id " + x.form.Get("StackName") + " does not exist")
		}
		return x.stackResult("<Stacks>" + c.stackMember(*s) + "</Stacks>")
	case "DescribeStackEvents":
		s := c.find(x.form.Get("StackName"))
		if s == nil {
			return x.noStack("Stack [" + x.form.Get("StackName") + "] does not exist")
		}
		return x.stackResult("<StackEvents>" + x.eventMembers(*s) + "</StackEvents>")
	default:
		return x.fail(http.StatusBadRequest, "InvalidAction", "Could not find operation "+x.call.Operation)
	}
}

func (x *exchange) noStack(message string) answer {
	return x.fail(http.StatusBadRequest, "ValidationError", message)
}

func (x *exchange) describeStackResources(c *CloudFormation) answer {
	physical := x.form.Get("PhysicalResourceId")
	for _, s := range c.stacks {
		if !slices.ContainsFunc(s.Resources, func(r StackResource) bool { return r.PhysicalID == physical }) {
			continue
		}
		var b strings.Builder
		for _, r := range s.Resources {
			b.WriteString(member(
				"StackName", s.Name, "StackId", s.id, "LogicalResourceId", r.LogicalID, "PhysicalResourceId", r.PhysicalID,
				"ResourceType", r.Type, "ResourceStatus", "UPDATE_COMPLETE", "Timestamp", stamp(x.e.now())))
		}
		return x.stackResult("<StackResources>" + b.String() + "</StackResources>")
	}
	return x.noStack("Stack for " + physical + " does not exist")
}

func (c *CloudFormation) stackMember(s Stack) string {
	fields := []string{"StackName", s.Name, "StackId", s.id, "StackStatus", s.Status, "CreationTime", stamp(time.Unix(0, 0))}
	if !s.Updated.IsZero() {
		fields = append(fields, "LastUpdatedTime", stamp(s.Updated))
	}
	if s.Root != "" {
		fields = append(fields, "RootId", c.id(s.Root), "ParentId", c.id(s.Root))
	}
	return member(fields...)
}

func (x *exchange) eventMembers(s Stack) string {
	var b strings.Builder
	for i, e := range s.Events {
		physical := e.PhysicalID
		if physical == "" {
			physical = s.id
		}
		fields := []string{
			"EventId", strconv.Itoa(i), "StackId", s.id, "StackName", s.Name, "LogicalResourceId", e.LogicalID, "PhysicalResourceId", physical,
			"ResourceType", e.Type, "ResourceStatus", e.Status, "Timestamp", stamp(x.e.now()),
		}
		if e.Reason != "" {
			fields = append(fields, "ResourceStatusReason", e.Reason)
		}
		b.WriteString(member(fields...))
	}
	return b.String()
}

// member is an entry of a list in the query protocol: names and values in turn.
func member(fields ...string) string {
	var b strings.Builder
	b.WriteString("<member>")
	for i := 0; i+1 < len(fields); i += 2 {
		fmt.Fprintf(&b, "<%[1]s>%[2]s</%[1]s>", fields[i], escapeXML(fields[i+1]))
	}
	b.WriteString("</member>")
	return b.String()
}

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

func (x *exchange) stackResult(inside string) answer {
	return x.queryResult("http://cloudformation.amazonaws.com/doc/2010-05-15/", inside)
}
