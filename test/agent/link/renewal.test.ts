import t from "tap";
import type { AgentIdentity } from "../../../agent/identity.ts";
import type { Connection } from "../../../agent/link/dial.ts";
import { Renewal } from "../../../agent/link/renewal.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../../../pki/spiffe-id.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { createCsr, parseCsr } from "../../../pki/x509/csr.ts";
import { issueX509Svid } from "../../../pki/x509/issue.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { settle, TestClock } from "../../support/clock.ts";
import { createSigner } from "../../support/test-signing.ts";

const NORTH = TrustDomain.parse("north.test");
const ID = SpiffeId.of(NORTH, "/spire/agent/join_token/abc");

t.test("an agent's SVID of seconds is not renewed again as soon as it came", async (t) => {
  const clock = new TestClock();
  const authority = await createSigner(NORTH, clock.now());
  const issue = async (csr: Uint8Array): Promise<Uint8Array> =>
    issueX509Svid(authority.x509, {
      spki: parseCsr(csr).spki,
      spiffeId: ID,
      dnsNames: [],
      notBefore: new Date(clock.now().getTime() - 10_000),
      notAfter: new Date(clock.now().getTime() + 8_000),
    });
  let renewals = 0;
  const renewAgent = async ({ params }: { params: { csr: Uint8Array } }) => {
    renewals++;
    return {
      svid: {
        certChain: [await issue(params.csr)],
        id: { trustDomain: NORTH.name, path: ID.path },
      },
    };
  };
  const connection = { channel: { client: () => ({ renewAgent }) } } as unknown as Connection;
  let leaf = parseCertificate(await issue(createCsr(generateP256KeyPair())));
  const identity = {
    svid: () => ({ id: ID, leaf, canReattest: false }),
    adopt: async ({ chain }: { chain: readonly Uint8Array[] }) => {
      leaf = parseCertificate(chain[0] ?? new Uint8Array());
      return { id: ID, leaf };
    },
  } as unknown as AgentIdentity;
  const options = { trustDomain: NORTH, clock, random: () => 0.5, log: silentLogger };
  const renewal = new Renewal({ identity, ...options });
  const run = (): Promise<void> => renewal.run(connection, new AbortController().signal);

  // Past half its life since its backdated start, and nobody here knows when it was issued.
  const first = run();
  await clock.advance(0);
  await first;
  t.equal(renewals, 1);
  const second = run();
  await clock.advance(3_000);
  await settle();
  t.equal(renewals, 1);
  await clock.advance(2_000);
  await second;
  t.equal(renewals, 2);

  const third = run();
  clock.step(-60_000);
  await clock.advance(5_000);
  await third;
  t.equal(renewals, 3, "the clock was set back to before it begins");
});
