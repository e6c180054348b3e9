// Status lists: what is compressed in them, and the tokens they come in. No input becomes more than a list may
// be, and zlib by itself reads the same.
import { constants, deflateSync, inflateSync } from "node:zlib";
import { signerOf } from "../../../pki/keys.ts";
import {
  decodeStatusList,
  encodeStatusList,
  type StatusBits,
  StatusList,
} from "../../../pki/token/status-list.ts";
import {
  issueStatusListToken,
  validateStatusListToken,
} from "../../../pki/token/status-list-token.ts";
import { doneOrRefused, fixedKey, partsOf, signedParts } from "../signed-token.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused, textOf } from "../target.ts";

const key = fixedKey("issuer");
const now = new Date("2030-01-01T00:00:00Z");
const NOW_SECONDS = now.getTime() / 1000;
const URI = "https://id.north.test/status/2030-01-01T00";
const HEADER = { alg: "ES256", kid: "k", typ: "statuslist+jwt" };
const BITS: readonly StatusBits[] = [1, 2, 4, 8];
/** Of what a list is inflated to here: enough to tell, and soon reached by a bomb. */
const MAX_BYTES = 4096;

function listOf(bits: StatusBits, size: number): StatusList {
  const list = StatusList.ofSize(bits, size);
  for (let i = 0; i < size; i += 7) list.set(i, i % 2 ** bits);
  return list;
}

const tokens = await Promise.all(
  BITS.map((bits) =>
    issueStatusListToken({
      signer: signerOf("k", key),
      keyId: "k",
      uri: URI,
      list: encodeStatusList(listOf(bits, 64)),
      issuedAt: now,
      expiresAt: new Date(now.getTime() + 60_000),
      ttlSeconds: 15,
    }),
  ),
);

export const statusList: FuzzTarget = {
  name: "status-list",
  reads: "the compressed data of status lists",
  maxBytes: 8192,
  seeds: () => [
    ...BITS.map((bits) => Buffer.from(encodeStatusList(listOf(bits, 200)).lst, "base64url")),
    deflateSync(new Uint8Array(MAX_BYTES)),
    deflateSync(Buffer.from("abcabcabc"), { strategy: constants.Z_HUFFMAN_ONLY }),
    deflateSync(new Uint8Array(4_000_000), { level: 9 }),
    Buffer.concat([deflateSync(Buffer.from("ab")), deflateSync(Buffer.from("cd"))]),
  ],
  run(data) {
    const lst = Buffer.from(data).toString("base64url");
    const list = parsedOrRefused(() => decodeStatusList({ bits: 2, lst }, MAX_BYTES));
    parsedOrRefused(() => decodeStatusList({ bits: 1, lst: textOf(data) }, MAX_BYTES));
    if (list === undefined) return;
    holds(list.bytes.length <= MAX_BYTES, "a list that is larger than allowed");
    holds(list.size === list.bytes.length * 4, "a list with more places than bytes");
    const theirs = inflateSync(data, { chunkSize: 64, maxOutputLength: MAX_BYTES });
    holds(theirs.equals(list.bytes), "zlib reads something else");
    for (const index of [0, list.size - 1, list.size >> 1]) {
      const byte = theirs[index >> 2] ?? 0;
      holds(list.get(index) === ((byte >> ((index & 3) * 2)) & 3), "another status");
    }
    for (const index of [-1, list.size, 0.5, Number.NaN, 2 ** 53]) {
      holds(parsedOrRefused(() => list.get(index)) === undefined, "a status of no token");
    }
    const again = decodeStatusList(encodeStatusList(list), MAX_BYTES);
    holds(Buffer.from(again.bytes).equals(list.bytes), "a list changes when it is written");
  },
};

export const statusListToken: FuzzTarget = {
  name: "status-list-token",
  reads: "status lists as their issuer signs them",
  maxBytes: 4096,
  seeds: () => [...tokens.map(partsOf), ...tokens.slice(0, 1).map(bytesOf)],
  async run(data) {
    const keys = [{ keyId: "k", spki: key.spki }];
    await doneOrRefused(validateStatusListToken(textOf(data), { uri: URI, keys, now }));
    const token = signedParts(data, HEADER, key);
    const read = await doneOrRefused(validateStatusListToken(token, { uri: URI, keys, now }));
    if (read === undefined) return;
    const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
    const { sub, exp, iat, ttl, status_list } = JSON.parse(payload) as {
      [name in "sub" | "exp" | "iat" | "ttl"]: unknown;
    } & { status_list: { bits: number; lst: string } };
    holds(sub === URI, "the list at another address");
    holds(Number(exp) > NOW_SECONDS - 31 && Number(iat) < NOW_SECONDS + 31, "of another time");
    holds(ttl === undefined || Number(ttl) > 0, "a list that is good for no time");
    holds(read.list.bits === status_list.bits, "a list with other bits");
    const theirs = inflateSync(Buffer.from(status_list.lst, "base64url"));
    holds(theirs.equals(read.list.bytes), "zlib reads something else");
  },
};
