// What the CA refuses to do with an authority, and what the operator can do instead.

import type { IdentityError } from "../../pki/errors.ts";
import { serverError } from "../errors.ts";
import type { AuthorityKindName, AuthorityRecord } from "../store/journal.ts";

export function notReady(kind: string): IdentityError {
  return serverError("AUTHORITY_NOT_READY", `the server has no ${kind} authority that can sign`, {
    hint: "look at the server's log: its authority has expired and no new one could be made",
  });
}

export function notYetValid(kind: string): IdentityError {
  return serverError(
    "AUTHORITY_NOT_READY",
    `the server's ${kind} authority is not valid yet: it was made while the clock was ahead`,
    { hint: "another one takes its place by itself; look at the server's clock" },
  );
}

export function witNotIssued(): IdentityError {
  return serverError("NOT_SUPPORTED", "this server issues no WIT-SVIDs", {
    hint: "the standard may still change: its operator can name it under feature_flags (wit-svid)",
  });
}

export function oauthNotConfigured(): IdentityError {
  return serverError("OAUTH_NOT_CONFIGURED", "this server issues no access tokens", {
    hint: "its operator sets 'oauth' in the server's configuration, with the issuer's address; SVIDs of tasks need none of it",
  });
}

export function notPublished(
  { kind, authorityId }: AuthorityRecord,
  missing: "node agents" | "those who poll the bundle",
): IdentityError {
  return serverError(
    "AUTHORITY_NOT_READY",
    missing === "node agents"
      ? `not every node agent has acknowledged the ${kind} authority "${authorityId}"`
      : `the ${kind} authority "${authorityId}" has not been public for three refresh hints`,
  );
}

export function unknownAuthority(kind: AuthorityKindName, authorityId: string): IdentityError {
  const quoted = JSON.stringify(authorityId.slice(0, 100));
  return serverError("AUTHORITY_ID_UNKNOWN", `this server has no ${kind} authority ${quoted}`, {
    hint: `list them with 'signet localauthority ${kind} show'`,
  });
}

export function wrongState(
  { kind, authorityId, status }: AuthorityRecord,
  needed: "prepared" | "old",
): IdentityError {
  return serverError(
    "AUTHORITY_STATE_WRONG",
    `the ${kind} authority "${authorityId}" is ${status}, not ${needed}`,
    {
      hint:
        needed === "old"
          ? "prepare and activate another authority first: only an old one can be tainted or revoked"
          : "prepare a new authority: only a prepared one can be activated",
    },
  );
}

export function notTainted({ kind, authorityId }: AuthorityRecord): IdentityError {
  return serverError(
    "AUTHORITY_STATE_WRONG",
    `the ${kind} authority "${authorityId}" is not tainted`,
    { hint: "taint it first, so that node agents replace what it signed before it becomes void" },
  );
}
