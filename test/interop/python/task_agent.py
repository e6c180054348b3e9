"""An AI agent in Python, which knows nothing of Signet: what its Workload API socket serves is its task.

usage: task_agent.py PORT AUDIENCE FORBIDDEN [wait]

Calls the mTLS server on PORT with the X509-SVID of the task, asks for tokens for both audiences, and prints
one JSON line. With `wait` it then holds its connection until the other side closes it, and says when.
"""

import json
import os
import socket
import ssl
import sys
import tempfile
import time

from cryptography.hazmat.primitives import serialization
from spiffe import JwtSource, WorkloadApiClient, X509Source


def say(**what):
    print(json.dumps(what), flush=True)


def context_of(svid, bundle):
    """A TLS context that shows the SVID; who is at the other end is checked by its SPIFFE ID, not by a name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    pem = serialization.Encoding.PEM
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        for certificate in svid.cert_chain:
            file.write(certificate.public_bytes(pem))
        file.write(
            svid.private_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        file.flush()
        context.load_cert_chain(file.name)
    authorities = "".join(one.public_bytes(pem).decode() for one in bundle.x509_authorities)
    context.load_verify_locations(cadata=authorities)
    return context


def ask(connection, path):
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: tool\r\n\r\n".encode())
    return connection.recv(65536).decode()


def refusal(audience):
    try:
        with JwtSource(timeout_in_seconds=10) as source:
            source.fetch_svid(audience={audience})
        return None
    except Exception as error:  # the kinds of errors are the library's own business
        return str(error.__cause__ or error)


def main():
    port, audience, forbidden = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    with X509Source(timeout_in_seconds=10) as source:
        svid = source.svid
        bundle = source.get_bundle_for_trust_domain(svid.spiffe_id.trust_domain)
    with WorkloadApiClient(default_timeout=10) as client:
        ids = [str(one.spiffe_id) for one in client.fetch_x509_context().x509_svids]
    with JwtSource(timeout_in_seconds=10) as source:
        token = source.fetch_svid(audience={audience})
    tls = context_of(svid, bundle)
    with tls.wrap_socket(socket.create_connection(("127.0.0.1", port))) as connection:
        answer = ask(connection, "/tickets/42").partition("\r\n\r\n")[2]
        say(
            event="used",
            ids=ids,
            environment=os.environ.get("SIGNET_TASK_SPIFFE_ID"),
            token=str(token.spiffe_id),
            answer=answer,
            refusal=refusal(forbidden),
        )
        if sys.argv[4:] == ["wait"]:
            try:
                left = connection.recv(1)
            except OSError:
                left = b""
            say(event="closed", by_peer=left == b"", at=time.time())
            sys.exit(7)


if __name__ == "__main__":
    main()
