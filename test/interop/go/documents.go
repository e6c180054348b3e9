package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"net/url"
	"os"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
)

// made is one document of each kind, issued by Go alone, and our bundle as go-spiffe writes it again.
type made struct {
	Bundle  string `json:"bundle"`
	Token   string `json:"token"`
	Chain   []byte `json:"chain"`
	Request []byte `json:"request"`
	List    []byte `json:"list"`
	Again   string `json:"again"`
	Subject string `json:"subject"`
}

// documents reads {bundle, token} of ours for north.test from standard input with go-spiffe, and makes
// documents of south.test for us to read.
func documents([]string) (any, error) {
	var ours struct{ Bundle, Token string }
	if err := json.NewDecoder(os.Stdin).Decode(&ours); err != nil {
		return nil, err
	}
	north := spiffeid.RequireTrustDomainFromString("north.test")
	bundle, err := spiffebundle.Parse(north, []byte(ours.Bundle))
	if err != nil {
		return nil, err
	}
	token, err := jwtsvid.ParseAndValidate(ours.Token, bundle, []string{"ledger"})
	if err != nil {
		return nil, err
	}
	again, err := bundle.Marshal()
	if err != nil {
		return nil, err
	}
	result, err := makeDocuments()
	if err != nil {
		return nil, err
	}
	result.Again, result.Subject = string(again), token.ID.String()
	return result, nil
}

func makeDocuments() (*made, error) {
	south := spiffeid.RequireTrustDomainFromString("south.test")
	now := time.Now()
	caKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{"South"}}, URIs: []*url.URL{south.ID().URL()},
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	caDer, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	if ca, err = x509.ParseCertificate(caDer); err != nil {
		return nil, err
	}
	id := spiffeid.RequireFromPath(south, "/db")
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(4711), URIs: []*url.URL{id.URL()}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	chain, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{URIs: []*url.URL{id.URL()}, DNSNames: []string{"db.south.test"}}, key)
	if err != nil {
		return nil, err
	}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(7), ThisUpdate: now, NextUpdate: now.Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: leaf.SerialNumber, RevocationTime: now, ReasonCode: 1}},
	}, ca, caKey)
	if err != nil {
		return nil, err
	}
	bundle := spiffebundle.New(south)
	bundle.AddX509Authority(ca)
	if err := bundle.AddJWTAuthority("south-1", &key.PublicKey); err != nil {
		return nil, err
	}
	bundle.SetSequenceNumber(42)
	bundle.SetRefreshHint(5 * time.Minute)
	document, err := bundle.Marshal()
	if err != nil {
		return nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "south-1"}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	token, err := jwt.Signed(signer).Claims(jwt.Claims{
		Subject: id.String(), Audience: jwt.Audience{"ledger"}, Expiry: jwt.NewNumericDate(now.Add(time.Minute)), IssuedAt: jwt.NewNumericDate(now),
	}).Serialize()
	if err != nil {
		return nil, err
	}
	if token == "" {
		return nil, errors.New("no token")
	}
	return &made{Bundle: string(document), Token: token, Chain: chain, Request: request, List: list}, nil
}
