// Mandates on the wire and as JSON. What is read is written and read the same; comparisons of two of them agree
// with a judge that knows no comparison, and lists what each allows instead (test/policy/concrete.ts).

import { type JsonValue, parseJson } from "../../../pki/json.ts";
import {
  formatAuthorizationDetails,
  mandateFromJson,
  mandateRequestFromJson,
  mandateToJson,
  parseAuthorizationDetails,
  parseRequestedDetails,
} from "../../../policy/authorization-details.ts";
import {
  allows,
  excess,
  hasAny,
  leq,
  type Mandate,
  meet,
  normalize,
} from "../../../policy/mandate.ts";
import { complete, grant } from "../../../policy/mandate-request.ts";
import {
  mandateFromWire,
  mandateRequestFromWire,
  mandateRequestToWire,
  mandateToWire,
} from "../../../policy/mandate-wire.ts";
import { codecOf } from "../../../proto/schema.gen.ts";
import { allowedBits, isWithin, judgeOf, REQUESTS } from "../../policy/concrete.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused } from "../target.ts";

const WIRE = codecOf("signet.mandate.v1.Mandate");
const TASK = "spiffe://north.test/agent/researcher/task/01JD0000000000000000000000";

const whole: Mandate = {
  locations: ["https://one.test", "https://two.test/x"],
  actions: ["a/*", "b/**"],
  datatypes: ["personal", "public"],
  uses: 3,
  depth: 2,
  maxSensitivity: 5,
  untilUnixSeconds: 1500,
  environment: "prod",
};
const all: Mandate = {
  locations: "any",
  actions: "any",
  datatypes: "any",
  uses: undefined,
  depth: 32,
  maxSensitivity: 1000,
  untilUnixSeconds: undefined,
  environment: "*",
};
const nothing: Mandate = { ...all, locations: [], actions: [], datatypes: [], depth: 0 };
const GOOD = [whole, all, nothing, { ...whole, actions: ["*/b", "a"], uses: 1 }];

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export const mandateWire: FuzzTarget = {
  name: "mandate-wire",
  reads: "mandates in messages of workloads, node agents and administrators",
  maxBytes: 4096,
  seeds: () => GOOD.map((mandate) => WIRE.encode(mandateToWire(mandate))),
  run(data) {
    const wire = parsedOrRefused(() => WIRE.decode(data));
    if (wire === undefined) return;
    const mandate = parsedOrRefused(() => mandateFromWire(wire));
    if (mandate !== undefined) {
      const again = mandateFromWire(WIRE.decode(WIRE.encode(mandateToWire(mandate))));
      holds(same(again, mandate), "a mandate changes on the wire");
      holds(same(normalize(mandate), mandate), "it is not in normal form");
      holds(same(mandateFromJson(mandateToJson(mandate)), mandate), "a mandate changes as JSON");
    }
    const request = parsedOrRefused(() => mandateRequestFromWire(wire, { mayAny: false }));
    if (request === undefined) return;
    holds(!hasAny(complete(request, { ...nothing, environment: "prod" })), "any is asked for");
    const back = mandateRequestFromWire(WIRE.decode(WIRE.encode(mandateRequestToWire(request))), {
      mayAny: false,
    });
    holds(same(back, request), "a request changes on the wire");
    const granted = parsedOrRefused(() => grant(request, [{ name: "it", mandate: whole }]));
    holds(granted === undefined || leq(granted, whole), "more is granted than there is");
    const clipped = parsedOrRefused(() =>
      grant(request, [{ name: "it", mandate: whole }], { clip: true }),
    );
    holds(clipped === undefined || leq(clipped, whole), "more is granted than there is");
  },
};

const detailsOf = (mandate: Mandate) => formatAuthorizationDetails({ mandate, task: TASK });

export const mandateJson: FuzzTarget = {
  name: "mandate-json",
  reads: "mandates as authorization_details, in tokens and in token requests",
  maxBytes: 4096,
  seeds: () => [
    ...GOOD.map((mandate) => bytesOf(JSON.stringify(detailsOf(mandate)))),
    bytesOf('[{"type":"agent_task","actions":["tools/read/a"],"limits":{"uses":1}}]'),
    bytesOf(JSON.stringify(mandateToJson(whole))),
  ],
  run(data) {
    const json = parsedOrRefused(() => parseJson(data));
    if (json === undefined) return;
    const read = parsedOrRefused(() => parseAuthorizationDetails(json));
    if (read !== undefined) {
      const again = parseAuthorizationDetails(formatAuthorizationDetails(read) as JsonValue);
      holds(same(again, read), "a mandate changes when it is written and read");
      const wire = mandateFromWire(WIRE.decode(WIRE.encode(mandateToWire(read.mandate))));
      holds(same(wire, read.mandate), "a mandate changes on the wire");
    }
    const asked = parsedOrRefused(() => parseRequestedDetails(json));
    if (asked !== undefined) {
      const granted = parsedOrRefused(() => grant(asked.request, [{ name: "it", mandate: whole }]));
      holds(granted === undefined || leq(granted, whole), "more is granted than there is");
    }
    parsedOrRefused(() => mandateRequestFromJson(json, { mayAny: true }));
  },
};

export const mandateOrder: FuzzTarget = {
  name: "mandate-order",
  reads: "two mandates, one of which is to be within the other",
  maxBytes: 512,
  seeds: () => [
    Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    Uint8Array.of(255, 0, 255, 0, 7, 7, 7, 7, 1, 1, 1, 1),
    bytesOf("The bytes choose from small alphabets, once for each of the two mandates."),
  ],
  run(data) {
    const choices = new Choices(data);
    const [child, parent] = [choices.mandate(), choices.mandate()];
    const [childBits, parentBits] = [allowedBits(child), allowedBits(parent)];
    const isBelow = leq(child, parent);
    holds(isBelow === (excess(child, parent).length === 0), "it is below, and has more");
    if (isBelow) holds(isWithin(childBits, parentBits), "what is below allows more");
    const both = meet(child, parent);
    if (both !== undefined) {
      holds(leq(both, child) && leq(both, parent), "what both allow is not below both");
      const bits = allowedBits(both);
      const isExact = bits.every(
        (word, i) => word === ((childBits[i] ?? 0) & (parentBits[i] ?? 0)),
      );
      holds(isExact, "what both allow is not what each of them does");
    }
    agreesWithJudge(child, choices.byte());
  },
};

/** One use in so many is asked about: whether it is allowed, and what was taken of a budget is known elsewhere. */
function agreesWithJudge(mandate: Mandate, offset: number): void {
  const judge = judgeOf({ ...mandate, depth: 32, uses: mandate.uses === 0 ? 0 : undefined });
  for (let i = offset; i < REQUESTS.length; i += 97) {
    const request = REQUESTS[i];
    if (request === undefined) continue;
    holds(allows(mandate, request) === judge(request), "a use is allowed that the judge refuses");
  }
}

/** Takes mandates out of bytes: every input is two of them. */
class Choices {
  readonly #data: Uint8Array;
  #at = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  byte(): number {
    return this.#data[this.#at++] ?? 0;
  }

  mandate(): Mandate {
    return normalize({
      locations: this.#set(["https://one.test", "https://two.test/x", "https://third.test"]),
      actions: this.#actions(),
      datatypes: this.#set(["public", "personal", "more"]),
      uses: [undefined, 0, 1, 2, 3, 9][this.byte() % 6],
      depth: this.byte() % 4,
      maxSensitivity: this.byte() % 6,
      untilUnixSeconds: [undefined, 900, 1000, 1001, 2001][this.byte() % 5],
      environment: ["prod", "lab", "*"][this.byte() % 3] ?? "*",
    });
  }

  #set(values: readonly string[]): Mandate["locations"] {
    const bits = this.byte();
    return bits % 16 === 15 ? "any" : values.filter((_, i) => (bits >> i) & 1);
  }

  #actions(): Mandate["actions"] {
    const count = this.byte() % 5;
    return count === 4 ? "any" : Array.from({ length: count }, () => this.#pattern());
  }

  #pattern(): string {
    const bits = this.byte();
    const words = Array.from({ length: (bits & 3) % 3 }, () => ["a", "b", "*"][this.byte() % 3]);
    return [...words, bits & 4 ? "**" : (["a", "b", "*"][(bits >> 3) % 3] ?? "a")].join("/");
  }
}
