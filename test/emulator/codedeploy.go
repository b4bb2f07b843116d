package emulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// codedeployTarget leads the name of every operation of CodeDeploy in
// X-Amz-Target.
const codedeployTarget = "CodeDeploy_20141006."

// CodeDeploy is CodeDeploy in one region.
type CodeDeploy struct {
	e           *Emulator
	region      string
	deployments []*LambdaDeployment
}

// LambdaDeployment is a deployment to the alias of a function.
type LambdaDeployment struct {
	ID, Application, Group string
	Platform               string // Lambda if empty
	Status                 string // InProgress if empty
	Creator                string // user if empty
	Function, Alias        string
	Current, Target        int64 // versions
	// RollbackReads is how often the rollback that StopDeployment starts is read
	// as in progress; then it has brought the alias back to Current.
	RollbackReads int
	// UntoldReads is how often the stopped deployment is read before it tells of
	// its rollback.
	UntoldReads int

	rollback string // id of the deployment that rolls this one back
	reads    int
}

// CodeDeploy gives a region's CodeDeploy, the region named as AWS names it.
func (e *Emulator) CodeDeploy(region string) *CodeDeploy {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.codedeploy(region)
}

func (e *Emulator) codedeploy(region string) *CodeDeploy {
	c := e.deploys[region]
	if c == nil {
		c = &CodeDeploy{e: e, region: region}
		e.deploys[region] = c
	}
	return c
}

// Put adds a deployment.
func (c *CodeDeploy) Put(d LambdaDeployment) {
	c.e.mu.Lock()
	defer c.e.mu.Unlock()
	if d.Platform == "" {
		d.Platform = "Lambda"
	}
	if d.Status == "" {
		d.Status = "InProgress"
	}
	if d.Creator == "" {
		d.Creator = "user"
	}
	c.deployments = append(c.deployments, &d)
}

func (c *CodeDeploy) find(id string) *LambdaDeployment {
	for _, d := range c.deployments {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// identifyCodeDeploy names the operation, and reports whether it is one of
// CodeDeploy's.
func (x *exchange) identifyCodeDeploy() bool {
	operation, ok := strings.CutPrefix(x.request.Header.Get("X-Amz-Target"), codedeployTarget)
	if ok {
		x.call.Service, x.call.Operation = ServiceCodeDeploy, operation
	}
	return ok
}

// codedeployAPI answers a call of CodeDeploy, which speaks JSON 1.1.
func (x *exchange) codedeployAPI() answer {
	if a := x.needSignature(); a != nil {
		return *a
	}
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	c := x.e.codedeploy(x.call.Region)
	var in struct {
		DeploymentID        string   `json:"deploymentId"`
		DeploymentIDs       []string `json:"deploymentIds"`
		IncludeOnlyStatuses []string `json:"includeOnlyStatuses"`
		TargetIDs           []string `json:"targetIds"`
		AutoRollbackEnabled bool     `json:"autoRollbackEnabled"`
	}
	if err := json.Unmarshal(x.body, &in); err != nil {
		return x.fail(http.StatusBadRequest, "SerializationException", err.Error())
	}
	if x.call.Operation == "ListDeployments" {
		ids := []string{}
		for _, d := range c.deployments {
			if len(in.IncludeOnlyStatuses) == 0 || slices.Contains(in.IncludeOnlyStatuses, d.Status) {
				ids = append(ids, d.ID)
			}
		}
		return x.ok(http.StatusOK, map[string]any{"deployments": ids})
	}
	if x.call.Operation == "BatchGetDeployments" {
		infos := []any{}
		for _, id := range in.DeploymentIDs {
			if d := c.find(id); d != nil {
				c.progress(d)
				infos = append(infos, d.info())
				if d.Status == "Stopped" {
					d.UntoldReads--
				}
			}
		}
		return x.ok(http.StatusOK, map[string]any{"deploymentsInfo": infos})
	}
	d := c.find(in.DeploymentID)
	if d == nil {
		return x.fail(http.StatusBadRequest, "DeploymentDoesNotExistException", "The deployment "+in.DeploymentID+" could not be found")
	}
	switch x.call.Operation {
	case "ListDeploymentTargets":
		return x.ok(http.StatusOK, map[string]any{"targetIds": []string{d.targetID()}})
	case "BatchGetDeploymentTargets":
		return x.ok(http.StatusOK, map[string]any{"deploymentTargets": []any{d.target()}})
	case "StopDeployment":
		return x.stopDeployment(c, d, in.AutoRollbackEnabled)
	default:
		return x.fail(http.StatusBadRequest, "UnknownOperationException", "the emulator's CodeDeploy has no "+x.call.Operation)
	}
}

func (x *exchange) stopDeployment(c *CodeDeploy, d *LambdaDeployment, rollBack bool) answer {
	if slices.Contains([]string{"Succeeded", "Failed", "Stopped"}, d.Status) {
		return x.fail(http.StatusBadRequest, "DeploymentAlreadyCompletedException", "The deployment "+d.ID+" has already completed.")
	}
	d.Status = "Stopped"
	if rollBack {
		back := *d
		back.ID, back.Status, back.Creator, back.reads = d.ID+"R", "InProgress", "codeDeployRollback", 0
		d.rollback = back.ID
		c.deployments = append(c.deployments, &back)
	}
	return x.ok(http.StatusOK, map[string]any{"status": "Pending", "statusMessage": "Stopping"})
}

// progress lets a rollback end after it was read often enough.
func (c *CodeDeploy) progress(d *LambdaDeployment) {
	if d.Creator != "codeDeployRollback" || d.Status != "InProgress" {
		return
	}
	d.reads++
	if d.reads <= d.RollbackReads {
		return
	}
	d.Status = "Succeeded"
	if f := c.e.region(c.region).functions[d.Function]; f != nil {
		if a := f.aliases[d.Alias]; a != nil {
			a.set(AliasState{Version: strconv.FormatInt(d.Current, 10), Description: a.now.Description, At: c.e.now(), Cause: "CodeDeploy"})
		}
	}
}

func (d *LambdaDeployment) info() map[string]any {
	info := map[string]any{
		"deploymentId": d.ID, "applicationName": d.Application, "deploymentGroupName": d.Group,
		"status": d.Status, "creator": d.Creator, "computePlatform": d.Platform, "createTime": float64(time.Now().Unix()),
	}
	if d.rollback != "" && d.UntoldReads <= 0 {
		info["rollbackInfo"] = map[string]any{"rollbackDeploymentId": d.rollback}
	}
	return info
}

func (d *LambdaDeployment) targetID() string { return d.Function + ":" + d.Alias }

func (d *LambdaDeployment) target() map[string]any {
	return map[string]any{
		"deploymentTargetType": "LambdaTarget",
		"lambdaTarget": map[string]any{
			"deploymentId": d.ID, "targetId": d.targetID(), "status": "InProgress",
			"lambdaFunctionInfo": map[string]any{
				"functionName": d.Function, "functionAlias": d.Alias,
				"currentVersion": strconv.FormatInt(d.Current, 10), "targetVersion": strconv.FormatInt(d.Target, 10), "targetVersionWeight": 0.1,
			},
		},
	}
}
