package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	oidclib "github.com/coreos/go-oidc/v3/oidc"
)

// oidc finds the keys of an issuer as a relying party does, and verifies one token with them.
func oidc(args []string) (any, error) {
	fs := flag.NewFlagSet("oidc", flag.ExitOnError)
	issuer := fs.String("issuer", "", "the issuer, to the letter")
	audience := fs.String("audience", "", "who the token must be for")
	token := fs.String("token", "", "a JWT-SVID")
	ca := fs.String("ca", "", "PEM file of the authority of the issuer's certificate")
	fs.Parse(args)
	pem, err := os.ReadFile(*ca)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", *ca)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ctx = oidclib.ClientContext(ctx, &http.Client{Transport: transport})
	provider, err := oidclib.NewProvider(ctx, *issuer)
	if err != nil {
		return nil, fmt.Errorf("NewProvider: %w", err)
	}
	verified, err := provider.Verifier(&oidclib.Config{ClientID: *audience}).Verify(ctx, *token)
	if err != nil {
		return nil, fmt.Errorf("Verify: %w", err)
	}
	return map[string]any{"subject": verified.Subject, "issuer": verified.Issuer}, nil
}
