// Certificates that somebody else renews, under a real listener: what is shown after files change, and
// what when they cannot be used.
import { once } from "node:events";
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import t, { type Test } from "tap";
import { exportPkcs8 } from "../../../pki/keys.ts";
import { formatPem } from "../../../pki/x509/pem.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { createLogger } from "../../../runtime/log.ts";
import { CertificateFiles } from "../../../server/documents/certificate-files.ts";
import { documentOf } from "../../../server/documents/document.ts";
import { startDocumentListener } from "../../../server/documents/listener.ts";
import { TestClock } from "../../support/clock.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import { eventually } from "../../support/trust-domain.ts";
import { WebAuthority, type WebCertificateFiles } from "../../support/web-certificate.ts";

const authority = new WebAuthority();

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

interface Started {
  readonly files: CertificateFiles;
  readonly lines: Line[];
  /** The serial number that a new connection is shown. */
  shown(): Promise<string>;
}

async function start(t: Test, pair: WebCertificateFiles, clock = systemClock): Promise<Started> {
  const lines: Line[] = [];
  const log = createLogger({
    level: "debug",
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  const files = await CertificateFiles.start({ ...pair, clock, log });
  const page = documentOf(Buffer.from("{}"), "application/json", "no-cache");
  const listener = await startDocumentListener({
    name: "test",
    section: "test",
    address: "127.0.0.1",
    port: 0,
    certificate: files,
    find: () => page,
    clock: systemClock,
    log,
  });
  t.teardown(async () => {
    await listener.stop();
    await files.stop();
  });
  return {
    files,
    lines,
    async shown() {
      const { port } = listener.address;
      const socket = connect({ host: "127.0.0.1", port, ca: authority.pem });
      await once(socket, "secureConnect");
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    },
  };
}

t.test("shows a renewed certificate to new connections, by itself", async (t) => {
  const folder = t.testdir({});
  const pair = authority.write(folder);
  const { shown, lines } = await start(t, pair);
  const first = await shown();
  authority.write(folder);
  await eventually(async () => {
    if ((await shown()) === first) throw new Error("not yet");
  });
  const loaded = lines.filter(({ level }) => level === "info");
  t.match(loaded, [{ msg: "certificate loaded", file: pair.certFile }]);
  t.notMatch(JSON.stringify(lines), /PRIVATE KEY|BEGIN/);
});

t.test("follows a secret volume, where a link beside the files changes", async (t) => {
  const folder = t.testdir({});
  for (const name of ["one", "two"]) {
    mkdirSync(join(folder, name));
    authority.write(join(folder, name));
  }
  symlinkSync("one", join(folder, "now"));
  for (const file of ["web.pem", "web.key"]) symlinkSync(`now/${file}`, join(folder, file));
  const pair = { certFile: join(folder, "web.pem"), keyFile: join(folder, "web.key") };
  const { shown } = await start(t, pair);
  const first = await shown();
  symlinkSync("two", join(folder, "next"));
  renameSync(join(folder, "next"), join(folder, "now"));
  await eventually(async () => {
    if ((await shown()) === first) throw new Error("not yet");
  });
  t.pass("the other one is shown");
});

t.test("keeps the former pair when the new one cannot be used, and says why once", async (t) => {
  const folder = t.testdir({});
  const pair = authority.write(folder);
  const clock = new TestClock(new Date());
  const { files, shown, lines } = await start(t, pair, clock);
  const first = await shown();
  // Half of a renewal: the certificate is new, the key is not.
  writeFileSync(pair.certFile, authority.issue().cert);
  for (let minute = 0; minute < 3; minute++) {
    await clock.advance(60_000);
    await files.reload().catch(() => undefined);
  }
  t.equal(await shown(), first);
  const errors = lines.filter(({ level }) => level === "error");
  t.equal(errors.length, 1);
  t.match(errors, [{ reason: "CERTIFICATE_FILES_UNUSABLE", file: pair.certFile }]);
  await t.rejects(files.reload(), {
    name: "IdentityError",
    reason: "CERTIFICATE_FILES_UNUSABLE",
    message: /is not that of the certificate/,
    hint: /together/,
  });
  authority.write(folder);
  await files.reload();
  t.not(await shown(), first, "whole again");
});

t.test("looks once a minute where changes are not told of", async (t) => {
  const folder = t.testdir({});
  const pair = authority.write(folder);
  const clock = new TestClock(new Date());
  const { shown } = await start(t, pair, clock);
  const first = await shown();
  authority.write(folder);
  await clock.advance(60_000);
  await eventually(async () => {
    if ((await shown()) === first) throw new Error("not yet");
  });
  t.pass("it was found");
});

t.test("refuses to start with files that cannot be used", async (t) => {
  const folder = t.testdir({});
  const log = createLogger({ level: "silent" });
  const refused = async (
    why: string,
    pair: WebCertificateFiles,
    message: RegExp,
  ): Promise<void> => {
    const starting = CertificateFiles.start({ ...pair, clock: systemClock, log });
    const expected = { name: "IdentityError", reason: "CERTIFICATE_FILES_UNUSABLE", message };
    await t.rejects(starting, { ...expected, hint: /./ }, why);
  };
  const good = authority.write(folder);
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  await refused("missing", { ...good, certFile: join(folder, "none") }, /there is no file/);
  await refused("a folder", { ...good, keyFile: folder }, /not a regular file/);
  await refused("no PEM", { ...good, certFile: file("a", "hello") }, /no PEM certificate/);
  await refused("too much", { ...good, certFile: file("b", "x".repeat(2_000_000)) }, /larger than/);
  await refused("no key", { ...good, keyFile: file("c", "hello") }, /key in .* cannot be used/);
  const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  await refused("no DER", { ...good, certFile: file("d", broken) }, /certificate in .* cannot/);
  const other = authority.issue();
  await refused("another key", { ...good, keyFile: file("e", other.key) }, /is not that of/);
  const encrypted = other.key.replaceAll("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
  await refused("encrypted", { ...good, keyFile: file("f", encrypted) }, /is encrypted/);
  await refused("many", { ...good, certFile: file("g", other.cert.repeat(6)) }, /over 10/);
  const nameless = authority.issue({ dnsNames: [], ipAddresses: [] });
  const pair = { certFile: file("h", nameless.cert), keyFile: file("i", nameless.key) };
  await refused("no host", pair, /names no host/);
  const withCa = { certFile: file("j", authority.pem), keyFile: good.keyFile };
  await refused("an authority", withCa, /certificate of an authority/);
});

t.test("warns of what an operator should know", async (t) => {
  const warningsOf = async (pair: WebCertificateFiles): Promise<string> => {
    const { lines } = await start(t, pair);
    return JSON.stringify(lines.filter(({ level }) => level === "warn"));
  };
  const folder = t.testdir({ a: {}, b: {}, c: {}, d: {} });
  t.equal(await warningsOf(authority.write(join(folder, "a"))), "[]");
  const exposed = authority.write(join(folder, "b"));
  chmodSync(exposed.keyFile, 0o644);
  t.match(await warningsOf(exposed), /mode 0644.*chmod 600/);
  const expired = { notBefore: new Date("2025-01-01"), notAfter: new Date("2025-02-01") };
  t.match(await warningsOf(authority.write(join(folder, "c"), expired)), /has expired/);
  const own = LaxAuthority.create({ uris: [], dnsNames: ["localhost"], isCa: false });
  const self = authority.write(join(folder, "d"));
  writeFileSync(self.certFile, formatPem("CERTIFICATE", own.certificate.der));
  writeFileSync(self.keyFile, formatPem("PRIVATE KEY", exportPkcs8(own.keyPair.privateKey)));
  t.match(await warningsOf(self), /signed itself/);
});
