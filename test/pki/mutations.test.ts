import { randomBytes } from "node:crypto";
import t from "tap";
import { addJwt, addX509 } from "../../pki/bundle/authorities.ts";
import { emptyBundle } from "../../pki/bundle/bundle.ts";
import { formatBundle } from "../../pki/bundle/format.ts";
import { parseBundle, parseJwks } from "../../pki/bundle/parse.ts";
import { IdentityError } from "../../pki/errors.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { validateJwtSvid } from "../../pki/jwt/svid.ts";
import { generateP256KeyPair, signerOf } from "../../pki/keys.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { TestAuthority } from "../support/test-authority.ts";

// Documents of others, damaged at random: whatever comes in, the answer is a value or an error of ours.
const ROUNDS = 2000;
const { root, trustDomain } = await TestAuthority.create();
const signer = signerOf("k1", generateP256KeyPair());
const authority = { keyId: "k1", spki: signer.spki, expiresAt: undefined, tainted: false };
const bundle = formatBundle(addJwt(addX509(emptyBundle(trustDomain), root.der), authority));
const now = new Date();
const token = await issueJwtSvid({
  signer,
  keyId: "k1",
  spiffeId: SpiffeId.of(trustDomain, "/db"),
  audience: ["ledger"],
  issuedAt: now,
  expiresAt: new Date(now.getTime() + 300_000),
});

/** The text with some bytes replaced, cut out or repeated. */
function damage(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const [kind = 0, count = 0] = randomBytes(2);
  for (let i = 0; i <= count % 4; i++) {
    bytes[randomBytes(4).readUInt32BE() % bytes.length] = randomBytes(1)[0] ?? 0;
  }
  const at = randomBytes(4).readUInt32BE() % bytes.length;
  if (kind % 4 === 1) return bytes.subarray(0, at);
  if (kind % 4 === 2) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at >> 1)]);
  return bytes;
}

async function isOurs(work: () => unknown): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof IdentityError ? undefined : error;
  }
}

t.test("a damaged bundle is read in part or refused with a reason", async (t) => {
  for (let i = 0; i < ROUNDS; i++) {
    const bytes = damage(bundle);
    const fault =
      (await isOurs(() => parseBundle(trustDomain, bytes))) ??
      (await isOurs(() => parseJwks(bytes)));
    if (fault !== undefined) t.fail(`${fault} for ${Buffer.from(bytes).toString("base64")}`);
  }
});

t.test("a damaged token is refused with a reason", async (t) => {
  const expectation = { audience: ["ledger"], authoritiesOf: () => [authority], now };
  let accepted = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const text = Buffer.from(damage(token)).toString("latin1");
    const fault = await isOurs(async () => {
      await validateJwtSvid(text, expectation);
      if (text !== token) accepted++;
    });
    if (fault !== undefined) t.fail(`${fault} for ${JSON.stringify(text)}`);
  }
  t.equal(accepted, 0, "no damaged token is accepted");
});
