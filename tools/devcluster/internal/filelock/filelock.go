// Package filelock keeps two runs of devcluster from changing the same thing at the same time.
package filelock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Acquire takes an exclusive lock on the file, which it creates, and returns what gives it back.
// The kernel gives it back too when the process ends in whatever way. waiting is called once if
// somebody else holds the lock; it may be nil.
func Acquire(path string, waiting func()) (release func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		if waiting != nil {
			waiting()
		}
		err = flockPatiently(file)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { file.Close() }, nil
}

func flockPatiently(file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
