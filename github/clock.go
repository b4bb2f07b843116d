package github

import (
	"context"
	"time"
)

// Clock waits between attempts. Sleep returns early if the context ends, with its
// error.
type Clock interface {
	Sleep(ctx context.Context, d time.Duration) error
}
