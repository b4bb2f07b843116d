package aws

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
)

// accessKeyLength is the length of an access key ID: a prefix for its kind and 80 bits
// in base 32.
const (
	accessKeyLength = 20
	accessKeyPrefix = 4
)

// AccountOf returns the account that an access key ID was issued for, as 12 digits,
// or an empty string if the ID does not contain it. AWS does not document that, so the
// account is a guess: use it only where a wrong guess does no harm. See
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
