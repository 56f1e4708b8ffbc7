//go:build tools

// Package tools has no program: of this module only the kustomization of its CRDs is used, so that nothing of it is built.
package tools
