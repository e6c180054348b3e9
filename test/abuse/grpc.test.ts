// gRPC as no library sends it, at every door: a status or a clean refusal, and nobody else notices.
import { connect as connectHttp2 } from "node:http2";
import type { Duplex } from "node:stream";
import t from "tap";
import type { Channel } from "../../proto/rpc/client.ts";
import type { AnyMethod } from "../../proto/rpc/service.ts";
import {
  BundleService,
  codecOf,
  EntryService,
  SpiffeWorkloadApi,
  SvidService,
} from "../../proto/schema.gen.ts";
import { Abused } from "../support/abused.ts";

const MIB = 1024 * 1024;

const abused = await Abused.start(t);

/** Calls a method with these bytes as its request. */
function callRaw(channel: Channel, method: AnyMethod, request: Uint8Array): Promise<unknown> {
  const raw = {
    ...method,
    request: { name: "raw", encode: () => request },
  } as unknown as AnyMethod;
  const { call } = channel.client({ name: "raw", methods: { call: raw } }) as {
    call: (request: object) => Promise<unknown>;
  };
  return call({});
}

t.test(
  "two million empty entries in one message are one refusal, decoded for nobody else",
  async (t) => {
    const { batchCreateEntry } = EntryService.methods;
    const bytes = Buffer.alloc(4 * MIB - 16, Buffer.from([10, 0]));
    const stranger = await abused.channel();
    await t.rejects(callRaw(stranger, batchCreateEntry, bytes), {
      reason: "MESSAGE_TOO_LARGE",
      code: 8,
    });
    const agent = await abused.channel((await abused.attest()).svid);
    await t.rejects(callRaw(agent, batchCreateEntry, bytes), {
      reason: "CALLER_NOT_AUTHORIZED",
      code: 7,
    });
    // Even those who may call are not read to the end.
    const tooMany = { reason: "MESSAGE_TOO_LARGE", code: 8, message: /300000 parts/ };
    await t.rejects(callRaw(agent, SvidService.methods.batchNewX509SVID, bytes), tooMany);
    await t.rejects(callRaw(abused.admin, batchCreateEntry, bytes), tooMany);
    await abused.whileServing(async () => undefined);
    t.equal(abused.server.end, undefined);
  },
);

t.test("fields that nobody knows are passed over, wrong ones are refused", async (t) => {
  const { getBundle } = BundleService.methods;
  const { fetchJWTSVID } = SpiffeWorkloadApi.methods;
  // Field 1000 as varint, 64 bits, bytes and group; then field 15,000 of 100 kB.
  const unknown = Buffer.concat([
    Buffer.from("c03e01c13e0102030405060708c23e03616263c33ec43e", "hex"),
    Buffer.from("c2a907a08d06", "hex"),
    Buffer.alloc(100_000),
  ]);
  const { workload } = abused;
  t.ok(await callRaw(abused.admin, getBundle, unknown));
  t.ok(await callRaw(await abused.channel(), getBundle, unknown));
  const request = codecOf("JWTSVIDRequest").encode({ audience: ["a"] });
  t.ok(await callRaw(workload, fetchJWTSVID, Buffer.concat([unknown, request])));
  const bad = { reason: "MESSAGE_MALFORMED", code: 3 };
  for (const [name, hex] of [
    ["a length beyond the end", "0aff"],
    ["a varint that does not end", "08ffffffffffffffffffffffffffff"],
    ["text that is no UTF-8", "0a02c328"],
    ["nested groups", "0b".repeat(20_000)],
    ["a tag of zero", "00"],
  ] as const) {
    const bytes = Buffer.from(hex, "hex");
    await t.rejects(callRaw(workload, fetchJWTSVID, bytes), bad, `${name}, to the agent`);
    await t.rejects(
      callRaw(abused.admin, EntryService.methods.getEntry, bytes),
      bad,
      `${name}, to the server`,
    );
  }
  workload.close();
  await abused.whileServing(async () => undefined);
});

/** What a request gets that is not quite gRPC: the HTTP status, and gRPC's. */
function request(
  socket: Duplex,
  headers: object,
  body: Uint8Array,
): Promise<{ http: unknown; grpc: unknown }> {
  const session = connectHttp2("http://localhost", { createConnection: () => socket });
  session.on("error", () => undefined);
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      te: "trailers",
      "workload.spiffe.io": "true",
      ...headers,
    });
    let http: unknown;
    let grpc: unknown;
    stream.on("response", (answer) => {
      http = answer[":status"];
      grpc = answer["grpc-status"];
    });
    stream.on("trailers", (trailers) => {
      grpc = trailers["grpc-status"];
    });
    stream.on("error", reject);
    stream.on("close", () => {
      session.destroy();
      resolve({ http, grpc });
    });
    stream.resume();
    if (!stream.writableEnded) stream.end(body);
  });
}

t.test("what is not quite gRPC, at every door", async (t) => {
  const type = { "content-type": "application/grpc" };
  const empty = Buffer.alloc(5);
  for (const door of await abused.doors()) {
    const path = { ":path": door.path };
    const cases: readonly [string, object, Uint8Array, object][] = [
      ["no content type", path, empty, { http: 415 }],
      ["another one", { ...path, "content-type": "application/json" }, empty, { http: 415 }],
      ["a GET", { ...path, ...type, ":method": "GET" }, Buffer.alloc(0), { http: 415 }],
      [
        "an unknown method",
        { ...type, ":path": "/no.such.Service/Method" },
        empty,
        { http: 200, grpc: "12" },
      ],
      [
        "a path to climb",
        { ...type, ":path": "/../../etc/passwd" },
        empty,
        { http: 200, grpc: "12" },
      ],
      [
        "compression",
        { ...path, ...type, "grpc-encoding": "gzip" },
        Buffer.from([1, 0, 0, 0, 0]),
        { grpc: "12" },
      ],
      ["4 GiB", { ...path, ...type }, Buffer.from([0, 255, 255, 255, 255]), { grpc: "8" }],
      ["half a message", { ...path, ...type }, Buffer.from([0, 0, 0, 0, 9, 1, 2]), { grpc: "3" }],
      ["no message", { ...path, ...type }, Buffer.alloc(0), { grpc: "3" }],
      ["a timeout of words", { ...path, ...type, "grpc-timeout": "soon" }, empty, { grpc: "3" }],
    ];
    for (const [name, headers, body, answer] of cases) {
      t.match(await request(await door.dial(), headers, body), answer, `${name}: ${door.name}`);
    }
    t.equal(door.process.end, undefined);
  }
  await abused.whileServing(async () => undefined);
});

t.test("the Workload API without its header", async (t) => {
  const [door] = await abused.doors();
  for (const value of [undefined, "false", "TRUE", "true, true", ""]) {
    const headers = {
      ":path": "/SpiffeWorkloadAPI/FetchX509SVID",
      "content-type": "application/grpc",
      "workload.spiffe.io": value,
    };
    const socket = (await door?.dial()) as Duplex;
    t.match(await request(socket, headers, Buffer.alloc(5)), { grpc: "3" }, String(value));
  }
});
