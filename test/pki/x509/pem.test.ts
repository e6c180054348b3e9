import t from "tap";
import { formatPem, parsePem } from "../../../pki/x509/pem.ts";

const invalid = { reason: "PEM_INVALID", code: 3 };
const der = Uint8Array.from({ length: 100 }, (_, i) => i);
const block = formatPem("CERTIFICATE", der);

t.test("reads what it writes, with text around the blocks and either line end", async (t) => {
  t.equal(block.split("\n")[1]?.length, 64);
  t.same(parsePem(block), [{ label: "CERTIFICATE", der }]);
  const text = `subject=x\n${block}\nnotes\n${formatPem("PRIVATE KEY", Uint8Array.of(1))}`;
  t.same(
    parsePem(text.replaceAll("\n", "\r\n")).map(({ label }) => label),
    ["CERTIFICATE", "PRIVATE KEY"],
  );
});

const rows: [string, string][] = [
  ["nothing", ""],
  ["free text", "no certificate here"],
  ["no end", block.replace(/-----END.*\n/, "")],
  ["another end", block.replace("END CERTIFICATE", "END PRIVATE KEY")],
  ["an empty block", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"],
  ["a character that is no base64", block.replace("AAEC", "AA*C")],
  ["padding cut off", formatPem("X", Uint8Array.of(1)).replace("==", "")],
  ["the URL alphabet", formatPem("X", Uint8Array.of(255, 255, 255)).replace("////", "____")],
  ["headers", block.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n")],
  ["too many blocks", formatPem("X", Uint8Array.of(1)).repeat(4097)],
  ["too long", " ".repeat(4 * 1024 * 1024 + 1)],
];

t.test("refuses text that is not PEM", async (t) => {
  for (const [name, text] of rows) t.throws(() => parsePem(text), invalid, name);
});
