// Interop reads what Signet serves with libraries that nobody here wrote: go-spiffe for the Workload
// API, go-oidc for OpenID discovery, zlint for certificates. Each command prints one JSON line and
// exits 1 on the first thing that a library refuses.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

var commands = map[string]func([]string) (any, error){
	"workload":     workload,       // fetch, parse and validate everything the socket serves
	"watch":        watch,          // wait on the X.509 stream until an identity appears
	"mtls":         mtls,           // serve and call over mTLS with go-spiffe's own TLS set-up
	"fetch-bundle": fetchBundle,    // go-spiffe's client of bundle endpoints
	"serve-bundle": serveBundle,    // go-spiffe's bundle endpoint
	"oidc":         oidc,           // discover an OpenID issuer and verify a token with its keys
	"lint":         lintFiles,      // zlint over DER files
	"documents":    documents,      // read ours with go-spiffe, make others for us to read
	"go":           judgeWithGo,    // crypto/x509 about the corpus
	"zlint":        judgeWithZlint, // zlint about the corpus
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: interop workload|watch|mtls|lint [flags]")
		os.Exit(2)
	}
	result, err := commands[os.Args[1]](os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		os.Exit(1)
	}
}
