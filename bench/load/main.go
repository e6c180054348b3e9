// Load measures a SPIFFE issuer and its node agent from outside, over the Workload API and
// spire.api.server.*, which any implementation serves: the client's cost is not the server's, and
// two implementations can be measured in one run. Each command prints one JSON line.
package main

import (
	"fmt"
	"os"
)

var commands = map[string]func([]string) error{
	"fetch":     fetch,     // Workload API: latency of a first FetchX509SVID answer
	"jwt":       jwt,       // Workload API: JWT-SVIDs a second
	"issue":     issue,     // server: X.509-SVIDs a second through BatchNewX509SVID
	"propagate": propagate, // entry written -> SVID in a waiting workload
	"populate":  populate,  // server: write N entries through the admin socket
	"agents":    agents,    // server: SPIFFE IDs of the attested node agents, one a line
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: load fetch|jwt|issue|propagate|populate|agents [flags]")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}
