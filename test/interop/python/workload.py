"""Reads what a Workload API socket serves with py-spiffe, and prints one JSON line.

usage: workload.py SOCKET AUDIENCE
"""

import json
import sys

from spiffe import JwtSource, WorkloadApiClient, X509Source


def main() -> None:
    socket, audience = f"unix://{sys.argv[1]}", sys.argv[2]
    with WorkloadApiClient(socket, default_timeout=10) as client:
        context = client.fetch_x509_context()
        tokens = client.fetch_jwt_svids(audience={audience})
        bundles = client.fetch_jwt_bundles()
        validated = client.validate_jwt_svid(token=tokens[0].token, audience=audience)
        trust_domain = tokens[0].spiffe_id.trust_domain
        bundle = bundles.get_bundle_for_trust_domain(trust_domain)

    with X509Source(socket_path=socket, timeout_in_seconds=10) as source:
        source_id = str(source.svid.spiffe_id)
        authorities = len(source.get_bundle_for_trust_domain(trust_domain).x509_authorities)
    with JwtSource(socket_path=socket, timeout_in_seconds=10) as source:
        source_token = source.fetch_svid(audience={audience})

    json.dump(
        {
            "ids": [str(svid.spiffe_id) for svid in context.x509_svids],
            "chain": len(context.default_svid.cert_chain),
            "jwtIds": [str(token.spiffe_id) for token in tokens],
            "validated": str(validated.spiffe_id),
            "jwtKeys": len(bundle.jwt_authorities),
            "sourceId": source_id,
            "authorities": authorities,
            "sourceTokenId": str(source_token.spiffe_id),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
