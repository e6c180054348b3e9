// GnuTLS's certtool.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ask, each, type Judge, taken } from "./judge.ts";

export const gnutls: Judge = {
  name: "gnutls",
  version: async () => (await ask("certtool", ["--version"])).says.split("\n")[0] ?? "",
  chains: (files) =>
    each(files, ({ leaf, intermediates, anchors }) => {
      const chain = join(dirname(leaf), "chain.pem");
      writeFileSync(chain, readFileSync(leaf, "utf8") + readFileSync(intermediates, "utf8"));
      return ask("certtool", [
        ...["--verify", "--verify-profile", "medium", "--verify-purpose", "1.3.6.1.5.5.7.3.1"],
        ...["--load-ca-certificate", anchors, "--infile", chain],
      ]);
    }),
  crls: (files) =>
    each(files, async (file) => {
      const list = ["--load-ca-certificate", file.authority, "--infile", file.crl];
      const signed = await ask("certtool", ["--verify-crl", ...list]);
      if (!signed.accepted || /not verified|could not/i.test(signed.says)) {
        return { accepted: false, says: signed.says };
      }
      const { says } = await ask("certtool", [
        ...["--verify", "--load-ca-certificate", file.authority, "--load-crl", file.crl],
        ...["--infile", file.leaf],
      ]);
      return taken(/revoked/i.test(says), file, says);
    }),
  requests: (files) =>
    each(files, async ({ requestDer }) => {
      const verdict = await ask("certtool", ["--crq-info", "--inder", "--infile", requestDer]);
      return {
        ...verdict,
        accepted: verdict.accepted && /Self signature: verified/.test(verdict.says),
      };
    }),
};
