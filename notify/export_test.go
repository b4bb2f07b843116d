package notify

// Sign is sign, for the values of GitHub's documentation.
var Sign = sign

// EmailHTML is emailHTML, for alerts that were not looked at before.
var EmailHTML = emailHTML
