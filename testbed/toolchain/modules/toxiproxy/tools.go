//go:build tools

// Package tools names the program to build, so that go.mod and go.sum pin all of it.
package tools

import _ "github.com/Shopify/toxiproxy/v2/cmd/server"
