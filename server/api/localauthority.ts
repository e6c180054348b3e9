// The service spire.api.server.localauthority.v1.LocalAuthority: rotation by an operator. Prepare,
// activate, taint, revoke, in this order, for each kind; what each does is ca/authority.ts.

import type { IdentityError } from "../../pki/errors.ts";
import type { Init } from "../../proto/codec.ts";
import type { Handlers } from "../../proto/rpc/service.ts";
import type {
  LocalAuthorityService,
  OAuthAuthorityService,
  spire,
} from "../../proto/schema.gen.ts";
import type { Authorities } from "../ca/authority.ts";
import { oauthNotConfigured, witNotIssued } from "../ca/refusals.ts";
import { serverError } from "../errors.ts";
import type { AuthorityKindName, AuthorityRecord } from "../store/journal.ts";

type AuthorityState = Init<spire.api.server.localauthority.v1.AuthorityState>;

/** What the service needs of the CA. */
export type LocalAuthorities = Pick<
  Authorities,
  "makes" | "slots" | "prepare" | "activate" | "taint" | "revoke"
>;

/** The handlers of the LocalAuthority service. */
export function localAuthorityHandlers(
  authorities: LocalAuthorities,
): Handlers<typeof LocalAuthorityService> {
  const x509 = stepsOf(authorities, "x509");
  const jwt = stepsOf(authorities, "jwt");
  const wit = stepsOf(authorities, "wit");
  return {
    getX509AuthorityState: async () => x509.show(),
    prepareX509Authority: async () => ({ preparedAuthority: await x509.prepare() }),
    activateX509Authority: async (request) => ({
      activatedAuthority: await x509.activate(request),
    }),
    taintX509Authority: async (request) => ({ taintedAuthority: await x509.taint(request) }),
    revokeX509Authority: async (request) => ({ revokedAuthority: await x509.revoke(request) }),

    getJWTAuthorityState: async () => jwt.show(),
    prepareJWTAuthority: async () => ({ preparedAuthority: await jwt.prepare() }),
    activateJWTAuthority: async (request) => ({ activatedAuthority: await jwt.activate(request) }),
    taintJWTAuthority: async (request) => ({ taintedAuthority: await jwt.taint(request) }),
    revokeJWTAuthority: async (request) => ({ revokedAuthority: await jwt.revoke(request) }),

    taintX509UpstreamAuthority: () => Promise.reject(noUpstream()),
    revokeX509UpstreamAuthority: () => Promise.reject(noUpstream()),

    getWITAuthorityState: async () => wit.show(),
    prepareWITAuthority: async () => ({ preparedAuthority: await wit.prepare() }),
    activateWITAuthority: async (request) => ({ activatedAuthority: await wit.activate(request) }),
    taintWITAuthority: async (request) => ({ taintedAuthority: await wit.taint(request) }),
    revokeWITAuthority: async (request) => ({ revokedAuthority: await wit.revoke(request) }),
  };
}

/** The handlers of the OAuthAuthority service: the same steps for the keys of the token issuer. */
export function oauthAuthorityHandlers(
  authorities: LocalAuthorities,
): Handlers<typeof OAuthAuthorityService> {
  const oauth = stepsOf(authorities, "oauth", oauthNotConfigured);
  return {
    getOAuthAuthorityState: async () => oauth.show(),
    prepareOAuthAuthority: async () => ({ preparedAuthority: await oauth.prepare() }),
    activateOAuthAuthority: async (request) => ({
      activatedAuthority: await oauth.activate(request),
    }),
    taintOAuthAuthority: async (request) => ({ taintedAuthority: await oauth.taint(request) }),
    revokeOAuthAuthority: async (request) => ({ revokedAuthority: await oauth.revoke(request) }),
  };
}

interface NamesAuthority {
  readonly authorityId: string;
}

/**
 * The steps of one kind of authority, in wire values.
 * @throws NOT_SUPPORTED, OAUTH_NOT_CONFIGURED for a kind that this server does not make
 */
function stepsOf(
  authorities: LocalAuthorities,
  kind: AuthorityKindName,
  notMade: () => IdentityError = witNotIssued,
) {
  const made = (): LocalAuthorities => {
    if (!authorities.makes(kind)) throw notMade();
    return authorities;
  };
  return {
    show: () => {
      const { active, prepared, old } = made().slots(kind);
      return { active: toWire(active), prepared: toWire(prepared), old: toWire(old[0]) };
    },
    prepare: async () => toWire(await made().prepare(kind)),
    activate: async (request: NamesAuthority) =>
      toWire(await made().activate(kind, named(request), { forced: true })),
    taint: async (request: NamesAuthority) => toWire(await made().taint(kind, named(request))),
    revoke: async (request: NamesAuthority) => toWire(await made().revoke(kind, named(request))),
  };
}

function named({ authorityId }: NamesAuthority): string {
  if (authorityId === "") {
    throw serverError("AUTHORITY_ID_UNKNOWN", "no authority ID was given", {
      hint: "name the authority: 'signet localauthority x509 show' lists them",
    });
  }
  return authorityId;
}

function toWire(authority: AuthorityRecord): AuthorityState;
function toWire(authority: AuthorityRecord | undefined): AuthorityState | undefined;
function toWire(authority: AuthorityRecord | undefined): AuthorityState | undefined {
  if (authority === undefined) return undefined;
  const { authorityId, notAfter } = authority;
  return { authorityId, expiresAt: Math.floor(notAfter.getTime() / 1000) };
}

function noUpstream(): IdentityError {
  return serverError(
    "AUTHORITY_STATE_WRONG",
    "this server has no upstream authority: its X.509 authorities sign themselves",
    { hint: "taint or revoke the local authority instead" },
  );
}
