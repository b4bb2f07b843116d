package report

// What only tests call from outside.

func EscapeMarkdown(text string, limit int) string { return escapeMarkdown(text, limit) }

func InlineCode(text string, limit int) string { return inlineCode(text, limit) }

func MarkdownLink(markdown, url string) string { return markdownLink(markdown, url) }

func AliasURL(f Function) string { return aliasURL(f) }

func LogsURL(f Function) string { return logsURL(f) }

func CommitURL(run Run) string { return commitURL(run) }

func ReasonHeading(reason Reason) string { return reasonHeading(reason) }

func MessageOf(command string, all []Function, environment string) string {
	return messageOf(command, all, environment)
}

func (w Watched) Markdown() string { return w.markdown() }
