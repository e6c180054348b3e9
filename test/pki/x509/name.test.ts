import t from "tap";
import { isDnsName } from "../../../pki/x509/dns-name.ts";
import { derName, EMPTY_NAME } from "../../../pki/x509/name.ts";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

t.test(
  "writes attributes in a fixed order, as PrintableString where that is possible",
  async (t) => {
    t.equal(hexOf(derName({})), hexOf(EMPTY_NAME));
    t.equal(hexOf(derName({ organization: "" })), "3000");
    t.equal(hexOf(derName({ country: "US" })), "300d310b3009060355040613025553");
    const both = derName({ serialNumber: "7", commonName: "b" });
    t.equal(hexOf(both), "3018310a30080603550403130162310a30080603550405130137");
    t.match(hexOf(derName({ commonName: "é" })), /0c02c3a9$/, "UTF8String");
  },
);

t.test("tells DNS names from everything else", async (t) => {
  const label63 = "a".repeat(63);
  const names = ["a", "db.north.test", "*.north.test", "a_b.c-d", "xn--nxasmq6b", `${label63}.b`];
  for (const name of names) t.ok(isDnsName(name), name);
  const others = ["", ".", "a.", ".a", "a..b", "-a", "a-", "*", "a.*", "a b", "a/b", "a:1", "é"];
  const long = [`a${label63}`, `${`${label63}.`.repeat(4)}b`, "spiffe://north.test/db", "a\0b"];
  for (const name of [...others, ...long]) t.notOk(isDnsName(name), name);
});
