package notify

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Teams accepts 28 KB; some is left for what is counted in between.
var teamsLimit = Limit{
	Max: 24_000, Unit: "bytes of the body",
	Source: "https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook",
}

var teamsDefinition = Definition{
	Name:     "teams",
	Required: []string{"teams-webhook-url"},
	Limit:    teamsLimit,
	open: func(c Config, d Deps) Channel {
		if c.Teams.URL == "" {
			return nil
		}
		return NewTeams(c.Teams, d)
	},
}

// TeamsConfig configures a Teams.
type TeamsConfig struct {
	URL string // holds a signature and is the secret
}

// Teams posts an Adaptive Card to a Workflows webhook, the successor of the
// connectors of Office 365:
// https://support.microsoft.com/en-us/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498
type Teams struct {
	config TeamsConfig
	poster poster
}

// NewTeams makes the channel.
func NewTeams(c TeamsConfig, d Deps) *Teams {
	return &Teams{config: c, poster: newPoster(d)}
}

// Name is the channel's key in the output `notifications`.
func (*Teams) Name() string { return teamsDefinition.Name }

// errTeamsConnector is said of addresses that may take a card and show it to nobody.
var errTeamsConnector = errors.New("the URL is that of an Office 365 connector, which Microsoft has retired: it may accept messages without delivering them; " + teamsNewWebhook)

const teamsNewWebhook = "in Teams, create a workflow from the template for webhook alerts to a channel, and store its URL in the secret for `teams-webhook-url`"

// teamsRemedies are for the codes of Power Automate.
var teamsRemedies = map[string]string{
	"DirectApiAuthorizationRequired":      teamsAllowAnyone,
	"AuthorizationFailed":                 teamsAllowAnyone,
	"AuthenticationFailed":                teamsAllowAnyone,
	"WorkflowTriggerIsNotEnabled":         "turn the workflow on again in Power Automate",
	"WorkflowNotFound":                    "the workflow no longer exists: " + teamsNewWebhook,
	"WorkflowTriggerNotFound":             "the workflow no longer exists: " + teamsNewWebhook,
	"TriggerInputSchemaMismatch":          "the workflow has a different trigger: " + teamsNewWebhook,
	"TriggerRequestMethodNotValid":        "the workflow has a different trigger: " + teamsNewWebhook,
	"DirectApiInvalidAuthorizationScheme": teamsAllowAnyone,
}

const teamsAllowAnyone = "in the workflow's first step, allow anyone to trigger it, then copy its URL again (the signature in it may have changed)"

// Send posts the card. A workflow answers 202 as soon as it has begun, and
// nobody reports whether it then posts; one with a response of its own may answer
// any 2xx. Neither is a web page, which a proxy or a login would answer.
func (t *Teams) Send(ctx context.Context, n Notification) error {
	got, err := t.poster.postJSON(ctx, t.config.URL, newTeamsMessage(n.Alert))
	switch {
	case err != nil:
		return err
	case !got.ok():
		return teamsRefusal(got, isConnector(t.config.URL))
	case isConnector(t.config.URL), strings.Contains(got.body, "Webhook message delivery failed"):
		return errTeamsConnector
	case got.status != http.StatusAccepted && isHTML(got.body):
		return got.unconfirmed("a workflow's response")
	default:
		return nil
	}
}

// isConnector knows the hosts of the retired connectors.
func isConnector(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return host == "webhook.office.com" || strings.HasSuffix(host, ".webhook.office.com") ||
		strings.HasPrefix(host, "outlook.office") && strings.HasPrefix(u.Path, "/webhook")
}

func isHTML(body string) bool {
	start := strings.ToLower(strings.TrimLeft(body, "\ufeff \t\r\n"))
	return strings.HasPrefix(start, "<!doctype") || strings.HasPrefix(start, "<html")
}

// teamsRefusal says Power Automate's own code, which is short where its message
// is long and names the workflow.
func teamsRefusal(got response, connector bool) error {
	var said struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	code := ""
	if json.Unmarshal([]byte(got.body), &said) == nil {
		code = said.Error.Code
	}
	remedy := teamsRemedies[code]
	switch {
	case connector:
		remedy = "connectors are retired; " + teamsNewWebhook
	case remedy == "" && got.status == http.StatusUnauthorized, remedy == "" && got.status == http.StatusForbidden:
		remedy = teamsAllowAnyone
	}
	if code != "" {
		got.body = code
	}
	return withRemedy("Teams answered "+got.text(), remedy)
}
