package aws

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
)

// accessKeyLength is how long the id of an access key is: a prefix for its kind and
// 80 bits in base 32.
const (
	accessKeyLength = 20
	accessKeyPrefix = 4
)

// AccountOf is the account that the id of an access key was issued for, as 12
// digits; empty where it does not tell. AWS does not document that, so it is a guess
// and may only save time where a wrong one does no harm. What is known of it:
// https://awsteele.com/blog/2020/09/26/aws-access-key-format.html
func AccountOf(accessKeyID string) string {
	if len(accessKeyID) != accessKeyLength {
		return ""
	}
	raw, err := base32.StdEncoding.DecodeString(accessKeyID[accessKeyPrefix:])
	if err != nil {
		return ""
	}
	const before, digits = 7, 999_999_999_999 // bits behind the account's 40, and the highest account
	account := binary.BigEndian.Uint64(raw) << 1 >> (1 + 16 + before)
	if account == 0 || account > digits {
		return ""
	}
	return fmt.Sprintf("%012d", account)
}
