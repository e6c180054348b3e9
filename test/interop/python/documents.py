"""Reads our bundle and token with py-spiffe, and makes documents of south.test for us to read (one JSON line)."""

import base64
import datetime
import json
import sys

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from spiffe import JwtBundle, JwtSvid, TrustDomain, X509Bundle, X509Svid

NOW = datetime.datetime.now(datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)
SPIFFE_ID = "spiffe://south.test/db"


def base64_of(content):
    return base64.b64encode(content).decode()


def der(thing):
    return base64_of(thing.public_bytes(serialization.Encoding.DER))


def builder(subject, key, issuer):
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .not_valid_before(NOW - HOUR)
        .not_valid_after(NOW + HOUR)
    )


def usage(**used):
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign"
    every = dict.fromkeys(f"{names} crl_sign encipher_only decipher_only".split(), False)
    return x509.KeyUsage(**{**every, **used})


def uri(value):
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(value)])


def main():
    ours = json.load(sys.stdin)
    north = TrustDomain("north.test")
    jwt_bundle = JwtBundle.parse(north, ours["jwks"].encode())
    token = JwtSvid.parse_and_validate(ours["token"], jwt_bundle, {"ledger"})
    x509_bundle = X509Bundle.parse_raw(north, base64.b64decode(ours["x509"]))
    svid = X509Svid.parse_raw(base64.b64decode(ours["chain"]), base64.b64decode(ours["key"]))

    ca_key, key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "South")])
    ca = (
        builder(name, ca_key, name)
        .serial_number(1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(uri("spiffe://south.test"), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA384())
    )
    leaf = (
        builder(x509.Name([]), key, name)
        .serial_number(4711)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(digital_signature=True), critical=True)
        .add_extension(uri(SPIFFE_ID), critical=True)
        .sign(ca_key, hashes.SHA384())
    )
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(uri(SPIFFE_ID), critical=True)
        .sign(key, hashes.SHA256())
    )
    revoked = (
        x509.RevokedCertificateBuilder()
        .serial_number(4711)
        .revocation_date(NOW)
        .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        .build()
    )
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name)
        .last_update(NOW)
        .next_update(NOW + HOUR)
        .add_revoked_certificate(revoked)
        .add_extension(x509.CRLNumber(7), critical=False)
        .sign(ca_key, hashes.SHA384())
    )
    south = JwtBundle(TrustDomain("south.test"), {"south-1": key.public_key()})
    claims = {"sub": SPIFFE_ID, "aud": ["ledger"], "exp": NOW + HOUR, "iat": NOW}
    print(
        json.dumps(
            {
                "subject": str(token.spiffe_id),
                "holder": str(svid.spiffe_id),
                "authorities": len(x509_bundle.x509_authorities),
                "authority": der(ca),
                "chain": der(leaf),
                "request": der(request),
                "list": der(crl),
                "key": base64_of(
                    south.get_jwt_authority("south-1").public_bytes(
                        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
                    )
                ),
                "token": jwt.encode(claims, key, algorithm="ES256", headers={"kid": "south-1"}),
            }
        )
    )


main()
