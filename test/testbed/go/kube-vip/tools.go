//go:build tools

// Package tools names the programs that build.sh builds here, so that go.mod and go.sum pin them.
package tools

import _ "github.com/kube-vip/kube-vip"
