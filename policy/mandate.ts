// What a task may do, and the one comparison of two mandates. Pure. Carried in tokens as an element of
// authorization_details (RFC 9396); on our own wire as signet.mandate.v1.Mandate (proto/types/mandate.ts).

/** A set of strings. Without values it is empty, and means nothing; only `"any"` means everything. */
export type MandateSet = "any" | readonly string[];

/** A mandate. Every limit is an upper bound. */
export interface Mandate {
  /** Canonical URIs of services. */
  readonly locations: MandateSet;
  /** Patterns of segments: `*` is one segment, a final `**` one or more. */
  readonly actions: MandateSet;
  readonly datatypes: MandateSet;
  /** Undefined: no limit of its own. */
  readonly uses: number | undefined;
  /** How many times it may be handed on. */
  readonly depth: number;
  readonly maxSensitivity: number;
  /** Undefined: no end of its own. */
  readonly untilUnixSeconds: number | undefined;
  /** One name, or any. */
  readonly environment: string;
}
