"""Answers, for each case of the corpus on standard input, what python-cryptography says of it (JSON lines)."""

import json
import sys

import cryptography
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import verification


def read(path):
    with open(path, "rb") as file:
        return file.read()


def certificates(path):
    text = read(path)
    return x509.load_pem_x509_certificates(text) if text else []


def chain(case):
    leaf = x509.load_der_x509_certificate(read(case["leafDer"]))
    store = verification.Store(certificates(case["anchors"]))
    # The policy of the web without what binds public authorities alone: names are URIs here.
    builder = verification.PolicyBuilder().store(store).extension_policies(
        ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(),
        ee_policy=verification.ExtensionPolicy.webpki_defaults_ee(),
    )
    verifier = builder.build_server_verifier(x509.DNSName("db.north.test"))
    verifier.verify(leaf, certificates(case["intermediates"]))


def crl(case):
    crl = x509.load_der_x509_crl(read(case["crlDer"]))
    authority = x509.load_pem_x509_certificate(read(case["authority"]))
    leaf = x509.load_der_x509_certificate(read(case["leafDer"]))
    if crl.issuer != authority.subject or not crl.is_signature_valid(authority.public_key()):
        raise ValueError("not signed by the authority")
    for extension in crl.extensions:
        if extension.critical:
            raise ValueError(f"critical {extension.oid.dotted_string}")
    listed = False
    for entry in crl:
        if any(extension.critical for extension in entry.extensions):
            raise ValueError("a critical extension of an entry")
        listed = listed or entry.serial_number == leaf.serial_number
    if listed == case["unlisted"]:
        raise ValueError(f"listed: {listed}")


def request(case):
    request = x509.load_der_x509_csr(read(case["requestDer"]))
    if not request.is_signature_valid:
        raise ValueError("the signature is not valid")
    request.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def main():
    kind = sys.argv[1]
    if kind == "version":
        print(json.dumps({"name": "version", "accepted": True, "says": cryptography.__version__}))
        return
    ask = {"chains": chain, "crls": crl, "requests": request}[kind]
    for line in sys.stdin:
        case = json.loads(line)
        says = ""
        try:
            ask(case)
        except Exception as error:  # whatever it says, it did not accept
            says = f"{type(error).__name__}: {error}"
        print(json.dumps({"name": case["name"], "accepted": says == "", "says": says}))


main()
