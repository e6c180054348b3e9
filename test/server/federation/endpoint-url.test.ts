// URLs of bundle endpoints, read by hand: nothing is repaired, nothing is guessed.
import t from "tap";
import { parseEndpointUrl, parseRedirectTarget } from "../../../server/federation/endpoint-url.ts";

const GOOD = [
  { text: "https://h.test", host: "h.test", port: 443, target: "/" },
  { text: "https://h.test/", host: "h.test", port: 443, target: "/" },
  { text: "https://h.test:8443/b?x=1", host: "h.test", port: 8443, target: "/b?x=1" },
  { text: "https://h.test?x=1", host: "h.test", port: 443, target: "/?x=1" },
  { text: "https://192.0.2.7:1/a/../b", host: "192.0.2.7", port: 1, target: "/a/../b" },
  { text: "https://[2001:db8::1]:65535/%7Eb", host: "2001:db8::1", port: 65535, target: "/%7Eb" },
  { text: "https://H-1_x.Test/b", host: "H-1_x.Test", port: 443, target: "/b" },
] as const;

for (const { text, ...parts } of GOOD) {
  t.test(`reads ${text}`, async (t) => t.match(parseEndpointUrl(text), { text, ...parts }));
}

const BAD = [
  ["http", "http://h.test/"],
  ["another scheme", "wss://h.test/"],
  ["a scheme in capitals", "HTTPS://h.test/"],
  ["no scheme", "h.test/b"],
  ["a user name", "https://u@h.test/b"],
  ["a user name and a password", "https://u:p@h.test/b"],
  ["an empty user name", "https://@h.test/b"],
  ["a fragment", "https://h.test/b#x"],
  ["no host", "https:///b"],
  ["a port and no host", "https://:443/"],
  ["port 0", "https://h.test:0/"],
  ["a port that is too large", "https://h.test:65536/"],
  ["a port that is no number", "https://h.test:8x/"],
  ["an empty port", "https://h.test:/"],
  ["a number for a host", "https://2130706433/"],
  ["half an address", "https://127.1/"],
  ["an address with a leading zero", "https://127.0.0.01/"],
  ["brackets without an address", "https://[h.test]/"],
  ["an address with a zone", "https://[fe80::1%25eth0]/"],
  ["an open bracket", "https://[2001:db8::1/"],
  ["an empty label", "https://h..test/"],
  ["a dot at the end", "https://h.test./"],
  ["a percent sign in the host", "https://h%2etest/"],
  ["a letter that is no letter of DNS", "https://h\u00e4.test/"],
  ["a backslash", "https://h.test\\@evil.test/"],
  ["a backslash in the path", "https://h.test/a\\b"],
  ["a space", "https://h.test/a b"],
  ["a space before", " https://h.test/"],
  ["a tab in the scheme", "ht\ttps://h.test/"],
  ["a newline in the path", "https://h.test/a\nHost: evil"],
  ["half an escape", "https://h.test/%4"],
  ["a quote", 'https://h.test/"'],
  ["what is too long", `https://h.test/${"a".repeat(2048)}`],
  ["nothing", ""],
] as const;

for (const [name, text] of BAD) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => parseEndpointUrl(text), { reason: "ENDPOINT_URL_INVALID", code: 3 });
  });
}

t.test("refuses a host that resolvers may take for an address of theirs", async (t) => {
  for (const host of [
    "h.1",
    "127.1",
    "0x7f.1",
    "h.0x7f",
    "1",
    "010.0.0.1",
    "1.2.3.4.5",
    "0x7f000001",
  ]) {
    const refused = { reason: "ENDPOINT_URL_INVALID", code: 3 };
    t.throws(() => parseEndpointUrl(`https://${host}/`), refused, host);
  }
  for (const host of ["127.0.0.1", "1.h", "h1", "h.x7f", "7f"]) {
    t.equal(parseEndpointUrl(`https://${host}/`).host, host);
  }
});

t.test("follows a redirect to a whole URL, or to a path of the same host and port", async (t) => {
  const from = parseEndpointUrl("https://[2001:db8::1]:8443/old?x=1");
  t.match(parseRedirectTarget(from, "https://h.test/new"), { host: "h.test", target: "/new" });
  t.match(parseRedirectTarget(from, "/new?y=2"), {
    host: "2001:db8::1",
    port: 8443,
    target: "/new?y=2",
  });
  for (const bad of ["//evil.test/", "new", "../new", "http://h.test/", "https://u@h.test/", ""]) {
    t.throws(
      () => parseRedirectTarget(from, bad),
      { reason: "ENDPOINT_URL_INVALID", code: 3 },
      bad,
    );
  }
});
