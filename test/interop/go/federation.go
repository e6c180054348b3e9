package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/federation"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

type bundleResult struct {
	X509     int    `json:"x509"`
	JWT      int    `json:"jwt"`
	Sequence uint64 `json:"sequence"`
	Hint     int    `json:"hint"`
}

// fetchBundle fetches a bundle with go-spiffe's client: with -id over https_spiffe, else over https_web.
func fetchBundle(args []string) (any, error) {
	fs := flag.NewFlagSet("fetch-bundle", flag.ExitOnError)
	domain := fs.String("domain", "", "the trust domain")
	url := fs.String("url", "", "its bundle endpoint")
	id := fs.String("id", "", "SPIFFE ID of the endpoint")
	known := fs.String("bundle", "", "a bundle that verifies it")
	roots := fs.String("roots", "", "PEM of web authorities")
	fs.Parse(args)
	td, err := spiffeid.TrustDomainFromString(*domain)
	if err != nil {
		return nil, err
	}
	var option federation.FetchOption
	if *id != "" {
		endpoint, err := spiffeid.FromString(*id)
		if err != nil {
			return nil, err
		}
		source, err := spiffebundle.Load(td, *known)
		if err != nil {
			return nil, err
		}
		option = federation.WithSPIFFEAuth(source, endpoint)
	} else {
		pem, err := os.ReadFile(*roots)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, errors.New("no web authorities")
		}
		option = federation.WithWebPKIRoots(pool)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	bundle, err := federation.FetchBundle(ctx, td, *url, option)
	if err != nil {
		return nil, err
	}
	out := bundleResult{X509: len(bundle.X509Authorities()), JWT: len(bundle.JWTAuthorities())}
	out.Sequence, _ = bundle.SequenceNumber()
	hint, _ := bundle.RefreshHint()
	out.Hint = int(hint.Seconds())
	return out, nil
}

// serveBundle serves a bundle with go-spiffe's handler, showing an X509-SVID, until its standard input ends.
func serveBundle(args []string) (any, error) {
	fs := flag.NewFlagSet("serve-bundle", flag.ExitOnError)
	domain := fs.String("domain", "", "the trust domain")
	file := fs.String("bundle", "", "its bundle")
	cert := fs.String("cert", "", "PEM of the SVID's chain")
	key := fs.String("key", "", "PEM of its key")
	fs.Parse(args)
	td, err := spiffeid.TrustDomainFromString(*domain)
	if err != nil {
		return nil, err
	}
	bundle, err := spiffebundle.Load(td, *file)
	if err != nil {
		return nil, err
	}
	svid, err := x509svid.Load(*cert, *key)
	if err != nil {
		return nil, err
	}
	handler, err := federation.NewHandler(td, bundle)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: handler, TLSConfig: tlsconfig.TLSServerConfig(svid)}
	go server.ServeTLS(listener, "", "")
	port := listener.Addr().(*net.TCPAddr).Port
	if err := json.NewEncoder(os.Stdout).Encode(map[string]int{"port": port}); err != nil {
		return nil, err
	}
	io.Copy(io.Discard, os.Stdin)
	return "ended", server.Close()
}
