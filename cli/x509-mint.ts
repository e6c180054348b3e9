// `signet x509 mint`: an X509-SVID with its key and the bundle, as files.

import { exportPkcs8, generateKeyPair } from "../pki/keys.ts";
import { parseCertificate } from "../pki/x509/certificate.ts";
import { createCsr } from "../pki/x509/csr.ts";
import { formatPem } from "../pki/x509/pem.ts";
import { BundleService, SvidService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";
import { KEY_TYPE, readKeyType, readMintFlags, requireFolder, SPIFFE_ID, TTL } from "./mint.ts";
import { formatMoment } from "./output.ts";
import { formatWritten, writeFiles } from "./write-files.ts";

export const command: Command = {
  description: "Makes a key here and has the server make an X509-SVID for it.",
  flags: [
    SPIFFE_ID,
    {
      name: "dns",
      value: "<name>",
      description: "a DNS name in the certificate",
      isRepeated: true,
    },
    TTL,
    KEY_TYPE,
    {
      name: "write",
      value: "<folder>",
      description: "where svid.pem, key.pem (0600) and bundle.pem go",
    },
    ADMIN_SOCKET,
  ],
  examples: [
    [
      "signet x509 mint --spiffe-id spiffe://example.test/tool --write /tmp/tool",
      "for a tool that no agent serves",
    ],
  ],
  async run(input, output) {
    const { id, ttl } = readMintFlags(input);
    const folder = requireFolder(input);
    const pair = await generateKeyPair(readKeyType(input));
    const csr = createCsr(pair, { uris: [id.toString()], dnsNames: input.list("dns") });
    const { svid, bundle } = await withServer(input, async (channel) => ({
      svid: (await channel.client(SvidService).mintX509SVID({ csr, ttl })).svid,
      bundle: await channel.client(BundleService).getBundle({}),
    }));
    const pem = (ders: readonly Uint8Array[]): string =>
      ders.map((der) => formatPem("CERTIFICATE", der)).join("");
    const authorities = bundle.x509Authorities.map(({ asn1 }) => asn1);
    const files = await writeFiles(folder, [
      { name: "svid.pem", text: pem(svid?.certChain ?? []), mode: 0o644 },
      {
        name: "key.pem",
        text: formatPem("PRIVATE KEY", exportPkcs8(pair.privateKey)),
        mode: 0o600,
      },
      { name: "bundle.pem", text: pem(authorities), mode: 0o644 },
    ]);
    const expiresAt = svid?.expiresAt ?? 0;
    const until = formatMoment(expiresAt);
    const [leaf] = svid?.certChain ?? [];
    const serial = leaf === undefined ? "" : parseCertificate(leaf).serialHex;
    output.show({ spiffeId: id.toString(), serial, expiresAt: until, files }, () =>
      [...formatWritten(files), `serial ${serial}`, `valid until ${until}`].join("\n"),
    );
  },
};
