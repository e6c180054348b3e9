package main

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

// judged is a case of the corpus, as its files.
type judged struct {
	Name          string
	LeafDer       string
	Intermediates string
	Anchors       string
	Authority     string
	CrlDer        string
	Unlisted      bool
	RequestDer    string
}

type verdict struct {
	Name     string `json:"name"`
	Accepted bool   `json:"accepted"`
	Says     string `json:"says"`
}

// judgeWithGo answers, for each case on standard input, what crypto/x509 says of it, as JSON lines.
func judgeWithGo(args []string) (any, error) {
	return judge(args, map[string]func(judged) error{
		"chains": verifyChain, "crls": verifyCrl, "requests": verifyRequest,
	}, runtime.Version())
}

// judgeWithZlint lints the leaf of each chain, or the list.
func judgeWithZlint(args []string) (any, error) {
	return judge(args, map[string]func(judged) error{
		"chains": lintChain, "crls": lintCrl,
	}, fmt.Sprintf("zlint, %d lints", len(zlintRegistry().Names())))
}

func judge(args []string, about map[string]func(judged) error, version string) (any, error) {
	if len(args) != 1 {
		return nil, errors.New("one kind of document")
	}
	if args[0] == "version" {
		return verdict{Name: "version", Accepted: true, Says: version}, nil
	}
	ask := about[args[0]]
	if ask == nil {
		return nil, fmt.Errorf("cannot judge %s", args[0])
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	var last *verdict
	for lines.Scan() {
		var one judged
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, err
		}
		if last != nil {
			if err := out.Encode(last); err != nil {
				return nil, err
			}
		}
		last = &verdict{Name: one.Name, Accepted: true}
		if err := ask(one); err != nil {
			last.Accepted, last.Says = false, err.Error()
		}
	}
	if last == nil {
		return nil, errors.New("no case")
	}
	return last, lines.Err()
}

func pool(path string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	rest, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return pool, nil
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		pool.AddCert(certificate)
	}
}

func certificate(path string) (*x509.Certificate, error) {
	der, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func verifyChain(one judged) error {
	leaf, err := certificate(one.LeafDer)
	if err != nil {
		return err
	}
	roots, err := pool(one.Anchors)
	if err != nil {
		return err
	}
	intermediates, err := pool(one.Intermediates)
	if err != nil {
		return err
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: time.Now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

func verifyCrl(one judged) error {
	der, err := os.ReadFile(one.CrlDer)
	if err != nil {
		return err
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	rest, err := os.ReadFile(one.Authority)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(rest)
	authority, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	if err := list.CheckSignatureFrom(authority); err != nil {
		return err
	}
	leaf, err := certificate(one.LeafDer)
	if err != nil {
		return err
	}
	listed := false
	for _, entry := range list.RevokedCertificateEntries {
		listed = listed || entry.SerialNumber.Cmp(leaf.SerialNumber) == 0
	}
	if listed == one.Unlisted {
		return fmt.Errorf("listed: %v", listed)
	}
	return nil
}

func verifyRequest(one judged) error {
	der, err := os.ReadFile(one.RequestDer)
	if err != nil {
		return err
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return err
	}
	return request.CheckSignature()
}

func zlintRegistry() lint.Registry {
	registry, err := lint.GlobalRegistry().Filter(ietfLints)
	if err != nil {
		panic(err)
	}
	return registry
}

func lintChain(one judged) error {
	der, err := os.ReadFile(one.LeafDer)
	if err != nil {
		return err
	}
	certificate, err := zx509.ParseCertificate(der)
	if err != nil {
		return err
	}
	return findings(zlint.LintCertificateEx(certificate, zlintRegistry()))
}

func lintCrl(one judged) error {
	der, err := os.ReadFile(one.CrlDer)
	if err != nil {
		return err
	}
	list, err := zx509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	return findings(zlint.LintRevocationListEx(list, zlintRegistry()))
}

func findings(results *zlint.ResultSet) error {
	var found []string
	for name, result := range results.Results {
		if result.Status >= lint.Error {
			found = append(found, name)
		}
	}
	if len(found) > 0 {
		return fmt.Errorf("%v", found)
	}
	return nil
}
