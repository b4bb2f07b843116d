package github

import (
	"context"
	"time"
)

// Clock waits between tries. Sleep returns early with the context's error.
type Clock interface {
	Sleep(ctx context.Context, d time.Duration) error
}
