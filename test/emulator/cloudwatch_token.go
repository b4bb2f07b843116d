package emulator

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// tokenMark tells the tokens of this emulator from anything else.
const tokenMark = "emulator:"

// sealToken makes an opaque NextToken of where the next page starts.
func sealToken(position string) string {
	return base64.URLEncoding.EncodeToString([]byte(tokenMark + position))
}

// openToken gives the position in a NextToken, empty for none.
func openToken(token string) (string, *refusal) {
	if token == "" {
		return "", nil
	}
	plain, err := base64.URLEncoding.DecodeString(token)
	position, ok := strings.CutPrefix(string(plain), tokenMark)
	if err != nil || !ok {
		return "", invalidToken()
	}
	return position, nil
}

func invalidToken() *refusal {
	return &refusal{status: http.StatusBadRequest, code: "InvalidNextToken", message: "Invalid nextToken"}
}
