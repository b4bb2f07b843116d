package notify

// Sign is sign, for the values of GitHub's documentation.
var Sign = sign
