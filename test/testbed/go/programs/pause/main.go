// Pause holds a pod's namespaces: it waits for a signal, and reaps what it inherits as the pod's first process.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

var version = "testbed"

func main() {
	// kubeadm upgrade runs the image with -v in its health-check job and waits for exit 0
	if len(os.Args) > 1 && os.Args[1] == "-v" {
		fmt.Println("pause", version)
		return
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for s := range signals {
		if s != syscall.SIGCHLD {
			return
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}
