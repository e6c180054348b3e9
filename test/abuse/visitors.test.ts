// The public listeners under clients that keep no rules: requests that two readers would read in two ways,
// requests that never end, answers that nobody reads, connections by the thousand. Documents go to who asks
// properly, also meanwhile, and the agents of the server notice nothing.
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { Abused } from "../support/abused.ts";
import { freePort } from "../support/listening.ts";
import {
  closing,
  dialFrom,
  enterFrom,
  exchange,
  type PublicDoor,
  whileVisited,
} from "../support/visitors.ts";

const MAX_MORE_MEBIBYTES = 128;
const ISSUER = "https://oidc.north.test";
const [bundlePort, oidcPort, crlPort] = [await freePort(), await freePort(), await freePort()];
const here = { address: "127.0.0.1" };
const abused = await Abused.start(
  t,
  {},
  {
    jwt_issuer: ISSUER,
    federation: { bundle_endpoint: { ...here, port: bundlePort, profile: "https_spiffe" } },
    oidc: { ...here, port: oidcPort, http: true },
    crl: { ...here, port: crlPort },
  },
);
const bundle: PublicDoor = { name: "bundle", port: bundlePort, path: "/", isTls: true };
const keys: PublicDoor = { name: "keys", port: oidcPort, path: "/keys", isTls: false };
const authorityId = await authorityOf();
const crl: PublicDoor = {
  ...{ name: "list", port: crlPort, isTls: false },
  path: `/crl/${authorityId}.crl`,
};
const doors = [bundle, keys, crl];

async function authorityOf(): Promise<string> {
  const { svid } = await abused.attest();
  return Buffer.from(svid.leaf.authorityKeyId ?? []).toString("hex");
}

const HOST = "Host: any\r\n";
const get = (target: string, more = ""): string => `GET ${target} HTTP/1.1\r\n${HOST}${more}\r\n`;
const smuggled = get("/keys");

/** Each is answered with an error or by closing: no document, and nothing for what hides behind it. */
const BROKEN: readonly { readonly name: string; readonly bytes: string }[] = [
  {
    name: "a length and chunks",
    bytes: `${get("/keys", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")}0\r\n\r\n${smuggled}`,
  },
  {
    name: "two lengths",
    bytes: get("/keys", "Content-Length: 0\r\nContent-Length: 9\r\n") + smuggled,
  },
  { name: "a length with a sign", bytes: get("/keys", "Content-Length: +3\r\n") + smuggled },
  { name: "a length and its body", bytes: get("/keys", "Content-Length: 60\r\n") + smuggled },
  {
    name: "chunks under another name",
    bytes: get("/keys", "Transfer-Encoding: xchunked\r\n") + smuggled,
  },
  { name: "a space before the colon", bytes: get("/keys", "Content-Length : 60\r\n") + smuggled },
  { name: "a folded line", bytes: get("/keys", "X: a\r\n b\r\n") + smuggled },
  { name: "a zero byte", bytes: get("/keys", "X: a\0b\r\n") + smuggled },
  { name: "no host", bytes: `GET /keys HTTP/1.1\r\n\r\n${smuggled}` },
  { name: "HTTP/0.9", bytes: "GET /keys\r\n\r\n" },
  { name: "HTTP/2 in plain text", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
  { name: "a version of the future", bytes: `GET /keys HTTP/3.1\r\n${HOST}\r\n` },
  { name: "a tunnel", bytes: `CONNECT 169.254.169.254:80 HTTP/1.1\r\n${HOST}\r\n${smuggled}` },
  { name: "a path of a megabyte", bytes: get(`/${"a".repeat(1 << 20)}`) + smuggled },
  { name: "50,000 fields", bytes: get("/keys", "x: y\r\n".repeat(50_000)) + smuggled },
  {
    name: "a tag of a megabyte",
    bytes: get("/keys", `If-None-Match: "${"e".repeat(1 << 20)}"\r\n`),
  },
  { name: "an expectation", bytes: get("/keys", "Expect: the-unexpected\r\n") + smuggled },
  {
    name: "a body that is waited for",
    bytes: get("/keys", "Expect: 100-continue\r\nContent-Length: 9\r\n") + smuggled,
  },
];

t.test("requests that could be read in two ways get no document", async (t) => {
  await whileVisited(doors, async () => {
    for (const [i, { name, bytes }] of BROKEN.entries()) {
      const { text, isClosed } = await exchange(await dialFrom(10 + i, keys), bytes);
      t.ok(isClosed, `${name}: closed`);
      t.notMatch(text, /HTTP\/1.1 200|"kty"/, name);
    }
  });
});

t.test("nothing is at a path but for the one that is it to the letter", async (t) => {
  const targets = [
    "*",
    "/KEYS",
    "//keys",
    "/keys/",
    "/./keys",
    "/x/../keys",
    "/%6beys",
    "/keys%00",
  ];
  targets.push("/keys;x", "/keys\\", "/.well-known/../keys", "keys", "any:80", "ftp://any/keys");
  for (const target of targets) {
    const { text } = await exchange(await dialFrom(50, keys), get(target, "Connection: close\r\n"));
    t.match(text, /^HTTP\/1.1 40[04] /, target);
    await sleep(25); // within the rate of one address
  }
});

t.test("one connection is not a way around the rate of requests", async (t) => {
  await whileVisited(doors, async () => {
    for (const [i, door] of doors.entries()) {
      const socket = await enterFrom(60 + i, door);
      const { text, isClosed } = await exchange(socket, get(door.path).repeat(5000));
      t.ok(isClosed, door.name);
      const answers = text.split("HTTP/1.1 ").length - 1;
      // A second's worth and a little; behind a proxy, whose clients have one address, what a connection gets.
      t.ok(answers <= (door === keys ? 101 : 60), `${answers} answers`);
    }
  });
});

t.test("1,500 connections that ask for nothing, or never to the end", async (t) => {
  const before = abused.server.residentMebibytes;
  const descriptors = abused.server.descriptors;
  const begun = [get("/keys").slice(0, -2), "G", "", "\x16\x03\x01\x02\x00\x01"];
  const sockets = await whileVisited(doors, async () => {
    const opened = await Promise.all(
      Array.from({ length: 1500 }, async (_, i) => {
        const socket = await dialFrom(70 + (i % 60), doors[i % doors.length] ?? keys);
        socket.write(begun[i % begun.length] ?? "");
        return socket;
      }),
    );
    const drip = setInterval(() => {
      for (const socket of opened) if (!socket.destroyed) socket.write("x");
    }, 100);
    await sleep(1500);
    clearInterval(drip);
    return opened;
  });
  const more = abused.server.residentMebibytes - before;
  t.ok(more <= MAX_MORE_MEBIBYTES, `${Math.round(more)} MiB more`);
  for (const socket of sockets) socket.destroy();
  for (let i = 0; i < 100 && abused.server.descriptors > descriptors + 10; i++) await sleep(200);
  t.ok(abused.server.descriptors <= descriptors + 10, "all are gone again");
});

t.test("clients that ask and do not read", async (t) => {
  const before = abused.server.residentMebibytes;
  await whileVisited(doors, async () => {
    const sockets = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const door = doors[i % doors.length] ?? keys;
        const socket = await enterFrom(140 + (i % 20), door);
        socket.pause();
        socket.write(get(door.path).repeat(50));
        return socket;
      }),
    );
    await sleep(500);
    for (const socket of sockets) socket.destroy();
  });
  const more = abused.server.residentMebibytes - before;
  t.ok(more <= MAX_MORE_MEBIBYTES, `${Math.round(more)} MiB more`);
});

t.test("handshakes without end from three addresses, while agents are served too", async (t) => {
  let isOver = false;
  let count = 0;
  const hammer = async (host: number): Promise<void> => {
    while (!isOver) {
      const socket = await dialFrom(host, bundle);
      socket.write(
        Buffer.concat([Buffer.from("1603010200010001fc0303", "hex"), Buffer.alloc(505)]),
      );
      count++;
      await Promise.race([closing(socket), sleep(20)]);
      socket.destroy();
    }
  };
  const hammering = [1, 2, 3, 4, 5, 6].map((i) => hammer(170 + (i % 3)));
  const enough = async (): Promise<void> => {
    await sleep(1500);
    for (let i = 0; i < 300 && count <= 200; i++) await sleep(100); // on a slow machine it takes longer
  };
  await whileVisited(doors, () => abused.whileServing(enough));
  isOver = true;
  await Promise.all(hammering);
  t.ok(count > 200, `${count} handshakes`);
  t.equal(abused.server.end, undefined);
});
