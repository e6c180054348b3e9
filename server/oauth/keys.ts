// The keys that sign access tokens and status lists. They are made, rotated and dropped as the authorities
// of the CA are, by the same code (server/ca, kind "oauth"), and published here alone: from when they
// are prepared until what they signed has expired. No bundle ever holds one.

import { formatJwks, type VerificationKey } from "../../pki/token/jwks.ts";
import type { TokenIssuer } from "../ca/active.ts";
import type { Authorities } from "../ca/authority.ts";
import { type Document, documentOf } from "../documents/document.ts";

export interface OAuthKeysOptions {
  readonly authorities: Pick<Authorities, "oauth" | "records">;
  /** How long what was fetched may be used. A new key is public for longer before it signs. */
  readonly maxAgeSeconds: number;
}

export class OAuthKeys {
  readonly #options: OAuthKeysOptions;
  #ids = "";
  #published: readonly VerificationKey[] = [];
  #document: Document | undefined;

  constructor(options: OAuthKeysOptions) {
    this.#options = options;
  }

  /** The key that signs. @throws OAUTH_NOT_CONFIGURED, AUTHORITY_NOT_READY */
  active(): TokenIssuer {
    return this.#options.authorities.oauth();
  }

  /** The keys that verify. The same objects as long as they are the same keys. */
  published(): readonly VerificationKey[] {
    const records = this.#options.authorities.records("oauth");
    const ids = records.map(({ authorityId }) => authorityId).join(" ");
    if (ids !== this.#ids) {
      const before = new Map(this.#published.map((key) => [key.keyId, key]));
      this.#published = records.map(
        ({ authorityId: keyId, spki }) => before.get(keyId) ?? { keyId, spki },
      );
      this.#ids = ids;
      this.#document = undefined;
    }
    return this.#published;
  }

  /** The JWK Set. */
  document(): Document {
    const keys = this.published();
    this.#document ??= documentOf(
      Buffer.from(formatJwks(keys)),
      "application/jwk-set+json",
      `public, max-age=${this.#options.maxAgeSeconds}`,
    );
    return this.#document;
  }
}
