package main

import (
	"fmt"
	"os"

	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

// Those of the IETF's own documents.
var ietfLints = lint.FilterOptions{
	IncludeSources: lint.SourceList{lint.RFC3279, lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC8813, lint.Community},
}

// lint runs every lint of the IETF's own documents; those of the web's public CAs do not bind a
// private trust domain. A finding of level error or fatal fails the command.
func lintFiles(paths []string) (any, error) {
	registry := zlintRegistry()
	ran := 0
	var findings []string
	for _, path := range paths {
		der, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for name, result := range zlint.LintCertificateEx(certificate, registry).Results {
			ran++
			if result.Status >= lint.Error {
				findings = append(findings, fmt.Sprintf("%s: %s %s", path, name, result.Details))
			}
		}
	}
	if len(findings) > 0 {
		return nil, fmt.Errorf("%d findings: %v", len(findings), findings)
	}
	return map[string]any{"certificates": len(paths), "lints": ran}, nil
}
