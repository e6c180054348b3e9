// Canonical URIs: one spelling each, and none of two different services.
import fc from "fast-check";
import t from "tap";
import { canonicalLocation, tryCanonicalLocation } from "../../policy/location.ts";

const SPELLINGS: readonly (readonly [name: string, text: string, canonical: string])[] = [
  ["nothing to do", "https://mcp.example.org/tickets", "https://mcp.example.org/tickets"],
  ["upper case", "HTTPS://MCP.Example.ORG/Tickets", "https://mcp.example.org/Tickets"],
  ["the default port", "https://mcp.example.org:443/tickets", "https://mcp.example.org/tickets"],
  ["a port of zeros", "https://mcp.example.org:00443/", "https://mcp.example.org"],
  ["an empty port", "https://mcp.example.org:/t", "https://mcp.example.org/t"],
  ["another port", "https://mcp.example.org:8443/t", "https://mcp.example.org:8443/t"],
  ["the other scheme's port", "http://mcp.example.org:443", "http://mcp.example.org:443"],
  ["port 80", "http://mcp.example.org:80", "http://mcp.example.org"],
  ["a web socket", "wss://mcp.example.org:443/s", "wss://mcp.example.org/s"],
  ["an empty path", "https://mcp.example.org", "https://mcp.example.org"],
  ["the root", "https://mcp.example.org/", "https://mcp.example.org"],
  ["a slash at the end", "https://mcp.example.org/t/", "https://mcp.example.org/t/"],
  ["dot segments", "https://h.test/a/./b/../c", "https://h.test/a/c"],
  ["dots at the end", "https://h.test/a/b/..", "https://h.test/a/"],
  ["above the root", "https://h.test/../../a", "https://h.test/a"],
  ["encoded dots", "https://h.test/a/%2e%2E/b", "https://h.test/b"],
  ["half-encoded dots", "https://h.test/a/.%2e/b", "https://h.test/b"],
  ["encoded letters", "https://h.test/%61%7E", "https://h.test/a~"],
  ["encoded slashes", "https://h.test/a%2fb", "https://h.test/a%2Fb"],
  ["twice encoded", "https://h.test/%252e%252e/a", "https://h.test/%252e%252e/a"],
  ["a query", "https://h.test/a?x=%7ey&b", "https://h.test/a?x=~y&b"],
  ["a query of the root", "https://h.test/?x", "https://h.test?x"],
  ["dots in a query", "https://h.test/a?b/../c", "https://h.test/a?b/../c"],
  ["an address", "http://[2001:DB8:0:0::1]:8080/a", "http://[2001:db8::1]:8080/a"],
  ["a SPIFFE ID", "spiffe://Example.org/tickets", "spiffe://example.org/tickets"],
  ["a trust domain", "spiffe://example.org", "spiffe://example.org"],
  ["a URN", "URN:example:Tickets", "urn:example:Tickets"],
  ["empty segments", "https://h.test//a//b", "https://h.test//a//b"],
];

t.test("every spelling of a URI is one", async (t) => {
  for (const [name, text, canonical] of SPELLINGS) {
    t.equal(canonicalLocation(text), canonical, name);
    t.equal(canonicalLocation(canonical), canonical, `${name}: once is enough`);
  }
});

const invalid = { reason: "LOCATION_INVALID", code: 3 };

const FAULTS: readonly (readonly [name: string, text: string])[] = [
  ["nothing", ""],
  ["no scheme", "mcp.example.org/tickets"],
  ["a path", "/tickets"],
  ["no scheme but a host", "//mcp.example.org"],
  ["a scheme alone", "https:"],
  ["no host", "https://"],
  ["no host and a path", "https:///tickets"],
  ["a file", "file:///etc/passwd"],
  ["one slash", "https:/mcp.example.org"],
  ["no slash", "https:mcp.example.org"],
  ["backslashes", "https:\\\\mcp.example.org\\a"],
  ["a backslash for a slash", "https://good.test\\@evil.test/"],
  ["a user", "https://user@mcp.example.org/"],
  ["a user and a password", "https://user:pass@mcp.example.org/"],
  ["an empty user", "https://@mcp.example.org/"],
  ["a fragment", "https://mcp.example.org/#a"],
  ["an empty fragment", "https://mcp.example.org/#"],
  ["a space at the start", " https://mcp.example.org"],
  ["a space within", "https://mcp.example.org/a b"],
  ["a tab within", "https://mcp.exam\tple.org/"],
  ["a line end", "https://mcp.example.org/\n"],
  ["a NUL", "https://mcp.example.org/\0"],
  ["a name in Unicode", "https://bücher.test/"],
  ["a full-width name", "https://\uff47ood.test/"],
  ["a full stop of another script", "https://good\u3002test/"],
  ["a path in Unicode", "https://h.test/größe"],
  ["an encoded host", "https://h%2etest/"],
  ["a stray percent", "https://h.test/100%"],
  ["half an encoding", "https://h.test/%2"],
  ["a port that is none", "https://h.test:x/"],
  ["a port beyond all", "https://h.test:65536/"],
  ["a very long port", "https://h.test:000000443/"],
  ["two ports", "https://h.test:1:2/"],
  ["brackets around no address", "https://[h.test]/"],
  ["half a bracket", "https://[::1/"],
  ["an address with a zone", "https://[fe80::1%25eth0]/"],
  ["brackets in a path", "https://h.test/[a]"],
  ["angle brackets", "https://h.test/<a>"],
  ["any", "*"],
  ["too long", `https://h.test/${"a".repeat(2048)}`],
];

t.test("refuses what is no URI of a service", async (t) => {
  for (const [name, text] of FAULTS) {
    t.throws(() => canonicalLocation(text), invalid, name);
    t.equal(tryCanonicalLocation(text), undefined, name);
  }
});

const path = fc
  .array(fc.string({ unit: fc.constantFrom(..."aZ0-._~!$&'()+,;=:@*"), maxLength: 4 }), {
    maxLength: 4,
  })
  .map((segments) => segments.map((one) => `/${one}`).join(""));
const parts = fc.record({
  scheme: fc.constantFrom("http", "https"),
  host: fc.constantFrom("one.test", "two.test", "127.0.0.1", "[::1]"),
  port: fc.constantFrom("", ":80", ":443", ":8080"),
  path,
  query: fc.constantFrom("", "?q", "?a=b/../c"),
});

/** Another spelling of the same: letters in the other case or encoded, as RFC 3986 s6.2.2 allows. */
function respelled(text: string, odd: boolean): string {
  return text.replace(/[a-zA-Z]/g, (letter, at: number) =>
    (at % 2 === 1) === odd ? `%${letter.charCodeAt(0).toString(16)}` : letter,
  );
}

t.test(
  "agrees with the URL of the platform, which reads the same standard differently",
  async (t) => {
    fc.assert(
      fc.property(parts, ({ scheme, host, port, path, query }) => {
        const url = new URL(`${scheme}://${host}${port}${path}${query}`);
        const theirs = url.pathname === "/" ? `${url.origin}${url.search}` : url.href;
        // WHATWG encodes a quote in a query and nothing else of these.
        return canonicalLocation(url.href) === theirs.replaceAll("%27", "'");
      }),
      { numRuns: 5000 },
    );
    t.pass();
  },
);

t.test("spellings of one are the same, and the same twice", async (t) => {
  fc.assert(
    fc.property(parts, fc.boolean(), ({ scheme, host, port, path, query }, odd) => {
      const plain = canonicalLocation(`${scheme}://${host}${port}${path}${query}`);
      const other = canonicalLocation(
        `${scheme.toUpperCase()}://${host.toUpperCase()}${port}${respelled(path, odd)}${query}`,
      );
      return plain === other && canonicalLocation(plain) === plain;
    }),
    { numRuns: 5000 },
  );
  t.pass();
});

t.test("another host, port or scheme is another location", async (t) => {
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      const [a, b] = [one, other].map(
        (all) => new URL(`${all.scheme}://${all.host}${all.port}${all.path}`),
      );
      const isSame =
        canonicalLocation(`${one.scheme}://${one.host}${one.port}${one.path}`) ===
        canonicalLocation(`${other.scheme}://${other.host}${other.port}${other.path}`);
      return !isSame || a?.origin === b?.origin;
    }),
    { numRuns: 5000 },
  );
  t.pass();
});

t.test("takes no character of the 256 that the standard does not have", async (t) => {
  const taken = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?@!$&'()*+,;=";
  for (let byte = 0; byte < 256; byte++) {
    const character = String.fromCharCode(byte);
    const isTaken = tryCanonicalLocation(`https://h.test/a${character}b`) !== undefined;
    t.equal(isTaken, taken.includes(character), `byte ${byte}`);
  }
});
