package report_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// withSite is a result with a site beside its functions, concluded.
func withSite(s report.Site, functions ...report.Function) report.Result {
	r := result(functions...)
	s.Bucket, s.Prefix, s.Region = "www.example.com", "www/", "eu-west-1"
	r.Site = &s
	report.Conclude(&r)
	return r
}

func restoredSite() report.Site {
	return report.Site{
		Status: report.Restored, Evidence: report.ByTime, Cut: "2026-03-07T03:05:00Z", RestoredAt: "2026-03-07T03:14:06Z", DurationMS: 2210,
		Restored: 12, Removed: 3, Unchanged: 480, Bytes: 1_204_311,
		Message: "12 objects (1.2 MB) restored and 3 removed in s3://www.example.com/www/: the site is as it was at 2026-03-07T03:05:00Z.",
		Keys: []report.SiteKey{
			{Key: "www/index.html", Action: report.KeyRestored}, {Key: "www/app.8f2c.js", Action: report.KeyRemoved},
		},
		Invalidation: &report.Invalidation{DistributionID: "E1ABCDEF234567", ID: "I2J0I21PCUYOIK", Status: "InProgress", Paths: []string{"/*"}},
		Notes:        []report.Note{{Text: "The state was chosen by time, which cannot see versions that have expired since. A manifest, which `command: snapshot` writes before the deploy, is exact."}},
	}
}

func deniedSite() report.Site {
	return report.Site{
		Status: report.Failed, Reason: report.AccessDenied, Evidence: report.ByTime, Cut: "2026-03-07T03:05:00Z", Failed: 12, Unchanged: 480,
		Message: "AWS denied s3:PutObject on arn:aws:s3:::www.example.com/www/index.html: allow that action for the role that this job uses",
		Keys:    []report.SiteKey{{Key: "www/index.html", Action: report.KeyFailed, Detail: "AWS denied s3:PutObject on arn:aws:s3:::www.example.com/www/index.html"}},
	}
}

func supersededSite() report.Site {
	s := restoredSite()
	s.Removed, s.Superseded, s.Invalidation = 0, 1, nil
	s.Message = "12 objects (1.2 MB) restored and 0 removed in s3://www.example.com/www/: the site is as it was at 2026-03-07T03:05:00Z, but for 1 object that a newer deploy wrote."
	s.Keys = append(s.Keys[:1:1], report.SiteKey{Key: "www/about.html", Action: report.KeySuperseded, Detail: "written after this run's deploy had ended"})
	s.Notes = []report.Note{
		{Warning: true, Text: "Kept 1 object that somebody else wrote after this run's deploy: the restored objects may not match."},
		{Warning: true, Text: "Kept 3 objects that this run added, because a newer deploy wrote other objects since and may need them. Where it does not, remove them by hand."},
	}
	return s
}

func plannedSite() report.Site {
	s := restoredSite()
	s.Status, s.RestoredAt, s.Invalidation, s.Requests = report.Planned, "", nil, 37
	s.Message = "12 objects (1.2 MB) would be restored and 3 removed in s3://www.example.com/www/, so that the site is as it was at 2026-03-07T03:05:00Z."
	return s
}

func partlyRestoredSite() report.Site {
	s := restoredSite()
	s.Status, s.Reason = report.Failed, report.PartlyRestored
	s.Message = "The objects in s3://www.example.com/www/ are as they were at 2026-03-07T03:05:00Z, but CloudFront may still serve the bad ones: " +
		"AWS denied cloudfront:CreateInvalidation on arn:aws:cloudfront::*:distribution/E1ABCDEF234567: allow that action for the role that this job uses. " +
		"Run this again, or `aws cloudfront create-invalidation --distribution-id E1ABCDEF234567 --paths '/*'`."
	s.Invalidation.ID, s.Invalidation.Status, s.Invalidation.Message = "", "", "AWS denied cloudfront:CreateInvalidation"
	return s
}

func siteResults() map[string]report.Result {
	worker := api()
	worker.Function, worker.From, worker.To, worker.Changes, worker.Checks = "worker", "7", "6", nil, nil
	worker.Healthy = report.HealthUnknown
	dry := planned()
	dryRun := func(s report.Site, f report.Function) report.Result {
		r := withSite(s, f)
		r.DryRun = true
		return r
	}
	byHand := api()
	byHand.Reason = report.Chosen
	return map[string]report.Result{
		"restored":               withSite(restoredSite(), api()),
		"denied":                 withSite(deniedSite(), api()),
		"alone":                  withSite(restoredSite(), skipped().Functions[0]),
		"denied-alone":           withSite(deniedSite(), skipped().Functions[0]),
		"superseded":             withSite(supersededSite(), api()),
		"planned":                dryRun(plannedSite(), dry.Functions[0]),
		"planned-alone":          dryRun(plannedSite(), skipped().Functions[0]),
		"several-and-cloudfront": withSite(partlyRestoredSite(), api(), worker),
		"function-failed":        withSite(restoredSite(), failed().Functions[0]),
		"state-not-given": withSite(report.Site{
			Status: report.Skipped, Reason: report.StateNotGiven,
			Message: "the static site was not restored: the rollback was started by hand, so no failed run shows when the site was last good; set site-restore-to (`command: list` shows the times) or site-manifest",
		}, byHand),
	}
}

func TestSummariesOfASite(t *testing.T) {
	t.Parallel()
	for name, r := range siteResults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, filepath.Join("testdata", "summary", "site-"+name+".md"), report.Summary(r))
		})
	}
}

func TestHeadlinesOfASite(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"restored":               "Rolled back: api is on version 41 again",
		"denied":                 "The alias was moved back, but the static site was NOT restored: AWS denied access",
		"alone":                  "Rolled back: the static site is as it was before the deploy",
		"denied-alone":           "The static site was NOT restored: AWS denied access",
		"superseded":             "Rolled back: api is on version 41 again",
		"planned":                "Dry run: api would go back to version 41",
		"planned-alone":          "Dry run: the static site would be restored",
		"several-and-cloudfront": "The aliases were moved back, but the static site was NOT restored completely",
		"function-failed":        "Production is STILL on failing version 42. Rollback of api failed: AWS denied access",
		"state-not-given":        "Rolled back: api is on version 41, as chosen",
	}
	for name, r := range siteResults() {
		a := report.NewAlert(r)
		headline := want[name]
		if name != "function-failed" { // which names production already
			headline += " · production"
		}
		assert.Equal(t, headline, a.Headline, name)
		assert.Contains(t, a.Facts, siteFactOf(a), name)
		t.Logf("%s\n  %s\n  %s\n  %v\n  %v\n  next: %q\n", name, a.Title(), a.Message, siteFactOf(a), a.Notes, a.Next)
	}
}

func siteFactOf(a report.Alert) report.Fact {
	for _, f := range a.Facts {
		if f.Name == "Static site" {
			return f
		}
	}
	return report.Fact{Name: "no fact about the site"}
}
