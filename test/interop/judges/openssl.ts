// OpenSSL's command line.
import { ask, each, type Judge, taken } from "./judge.ts";

export const openssl: Judge = {
  name: "openssl",
  version: async () => (await ask("openssl", ["version"])).says,
  chains: (files) =>
    each(files, ({ leaf, intermediates, anchors, authorities }) => {
      const others = authorities.some(({ trusted }) => !trusted)
        ? ["-untrusted", intermediates]
        : [];
      return ask("openssl", [
        ...[
          "verify",
          "-x509_strict",
          "-check_ss_sig",
          "-policy_check",
          "-policy",
          "anyPolicy",
          "-purpose",
          "sslserver",
        ],
        ...["-no-CApath", "-no-CAstore", "-CAfile", anchors, ...others, leaf],
      ]);
    }),
  crls: (files) =>
    each(files, async (file) => {
      const { accepted, says } = await ask("openssl", [
        ...["verify", "-crl_check", "-no-CApath", "-no-CAstore", "-CAfile", file.authority],
        ...["-CRLfile", file.crl, file.leaf],
      ]);
      // A list that is not taken is another error than a certificate that is revoked.
      const isRevoked = /error 23 /.test(says);
      return accepted || isRevoked ? taken(isRevoked, file, says) : { accepted: false, says };
    }),
  requests: (files) =>
    each(files, async ({ requestDer }) => {
      const verdict = await ask("openssl", [
        ...["req", "-verify", "-noout", "-inform", "der", "-in", requestDer],
      ]);
      return { ...verdict, accepted: verdict.accepted && !/verify failure/i.test(verdict.says) };
    }),
};
