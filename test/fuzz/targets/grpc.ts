// Requests and messages of every gRPC service, the stream of frames they come in, and the header that
// limits a call's time. The first byte of an input chooses the method.
import { FrameReader, frame } from "../../../proto/rpc/frames.ts";
import type { AnyMethod } from "../../../proto/rpc/service.ts";
import { parseTimeout } from "../../../proto/rpc/timeout.ts";
import * as schema from "../../../proto/schema.gen.ts";
import { bundleFromWire, bundleToWire } from "../../../proto/types/bundle.ts";
import { entryFromWire, entryToWire } from "../../../proto/types/entry.ts";
import { type FuzzTarget, holds, parsedOrRefused, textOf } from "../target.ts";
import { wholeBundle } from "./bundle.ts";

const METHODS: readonly AnyMethod[] = Object.values(schema)
  .flatMap((value) => (isService(value) ? Object.values(value.methods) : []))
  .sort((a, b) => (a.path < b.path ? -1 : 1));

function isService(value: unknown): value is { readonly methods: Record<string, AnyMethod> } {
  return typeof value === "object" && value !== null && "methods" in value;
}

const ENTRY = schema.codecOf("spire.api.types.Entry");
const BUNDLE = schema.codecOf("spire.api.types.Bundle");

const entryWire = {
  id: "e1",
  spiffeId: { trustDomain: "north.test", path: "/db" },
  parentId: { trustDomain: "north.test", path: "/node" },
  selectors: [{ type: "unix", value: "uid:1000" }],
  dnsNames: ["db.north.test"],
  federatesWith: ["south.test"],
  hint: "main",
};

export const grpcRequest: FuzzTarget = {
  name: "grpc-request",
  reads: "messages of every gRPC service, from workloads, node agents and administrators",
  maxBytes: 8192,
  seeds: () => [
    ...METHODS.map((_, i) => Uint8Array.of(i)),
    Buffer.concat([Uint8Array.of(0), frame(ENTRY.encode(entryWire))]),
    ENTRY.encode(entryWire),
    BUNDLE.encode(bundleToWire(wholeBundle())),
  ],
  run(data) {
    const method = METHODS[(data[0] ?? 0) % METHODS.length];
    if (method === undefined) return;
    const body = data.subarray(1);
    for (const codec of [method.request, method.response]) {
      const message = parsedOrRefused(() => codec.decode(body));
      if (message === undefined) continue;
      const bytes = codec.encode(message);
      holds(codec.encode(codec.decode(bytes)).equals(bytes), `${codec.name} is not stable`);
    }
    parsedOrRefused(() => parseTimeout(textOf(data.subarray(0, 32))));
    readFrames(data);
  },
};

/** However a stream is cut into pieces, the same messages come out. */
function readFrames(data: Uint8Array): void {
  const bytes = Buffer.from(data);
  const read = (pieces: readonly Buffer[]): string[] | undefined =>
    parsedOrRefused(() => {
      const reader = new FrameReader(4096);
      const messages: string[] = [];
      for (const piece of pieces) {
        reader.push(piece);
        for (let one = reader.next(); one !== undefined; one = reader.next()) {
          messages.push(one.toString("hex"));
        }
      }
      return messages;
    });
  const cut = Math.min(bytes.length, data[0] ?? 0);
  const whole = read([bytes]);
  const pieces = read([bytes.subarray(0, cut), bytes.subarray(cut)]);
  holds(whole?.join() === pieces?.join(), "the pieces of a stream change its messages");
}

export const apiTypes: FuzzTarget = {
  name: "api-types",
  reads: "registration entries and bundles on the wire of the server's API",
  maxBytes: 8192,
  seeds: () => [ENTRY.encode(entryWire), BUNDLE.encode(bundleToWire(wholeBundle()))],
  run(data) {
    const wire = parsedOrRefused(() => ENTRY.decode(data));
    const entry = wire && parsedOrRefused(() => entryFromWire(wire));
    if (entry !== undefined) {
      const again = entryFromWire(ENTRY.decode(ENTRY.encode(entryToWire(entry))));
      holds(JSON.stringify(again) === JSON.stringify(entry), "an entry changes on the wire");
    }
    const bundle = parsedOrRefused(() => BUNDLE.decode(data));
    if (bundle !== undefined) parsedOrRefused(() => bundleFromWire(bundle));
  },
};
