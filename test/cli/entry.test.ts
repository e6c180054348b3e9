import { readFileSync, writeFileSync } from "node:fs";
import t, { type Test } from "tap";
import type { Handlers } from "../../proto/rpc/service.ts";
import { EntryService, type spire } from "../../proto/schema.gen.ts";
import { command, serveOnSocket } from "../support/command.ts";

type Api = Handlers<typeof EntryService>;
type CreateRequest = spire.api.server.entry.v1.BatchCreateEntryRequest;
type UpdateRequest = spire.api.server.entry.v1.BatchUpdateEntryRequest;
const OK = { code: 0, message: "OK" };

async function serve(t: Test, handlers: Api): Promise<string[]> {
  const path = await serveOnSocket(t, (server) => server.add(EntryService, handlers));
  return ["--admin-socket", path];
}

const NODE = "spiffe://a.test/node";
const WEB = "spiffe://a.test/web";

t.test("create sends what the flags say, in SPIRE's spelling too", async (t) => {
  const requests: CreateRequest[] = [];
  const socket = await serve(t, {
    batchCreateEntry: async (request) => {
      requests.push(request);
      const entries = request.entries.map((entry) => ({ ...entry, id: "e1" }));
      return { results: entries.map((entry) => ({ status: OK, entry })) };
    },
  });
  const ours = await command(
    ...["entry", "create", "--parent-id", NODE, "--spiffe-id", WEB, "--ttl", "10m"],
    ...["--selector", "unix:uid:1", "--selector", "launch:name:x", "--dns", "a.b", "--admin"],
    ...["--entry-expiry", "2027-01-15T08:00:00Z", "--jwt-svid-ttl", "30", ...socket],
  );
  t.equal(ours.code, 0, ours.err);
  t.match(ours.out, /^Entry ID +e1\nSPIFFE ID +spiffe:\/\/a.test\/web\n/);
  t.match(requests[0]?.entries[0], {
    spiffeId: { trustDomain: "a.test", path: "/web" },
    parentId: { trustDomain: "a.test", path: "/node" },
    selectors: [
      { type: "unix", value: "uid:1" },
      { type: "launch", value: "name:x" },
    ],
    x509SvidTtl: 600,
    jwtSvidTtl: 30,
    dnsNames: ["a.b"],
    admin: true,
    expiresAt: 1_800_000_000,
  });
  const spires = await command(
    ...["entry", "create", "-parentID", NODE, "-spiffeID", WEB, "-x509SVIDTTL=600"],
    ...["-selector", "unix:uid:1", "-selector", "launch:name:x", "-dns", "a.b", "-admin=true"],
    ...["-entryExpiry", "1800000000", "-jwtSVIDTTL", "30", ...socket],
  );
  t.equal(spires.code, 0, spires.err);
  t.strictSame(
    JSON.stringify(requests[1]?.entries),
    JSON.stringify(requests[0]?.entries),
    "the same entry",
  );
});

t.test("create takes entries from a file, also those that list wrote", async (t) => {
  const requests: CreateRequest[] = [];
  const socket = await serve(t, {
    batchCreateEntry: async (request) => {
      requests.push(request);
      return { results: request.entries.map((entry) => ({ status: OK, entry })) };
    },
    listEntries: async ({ pageToken }) => ({
      entries: [{ ...requests[0]?.entries[pageToken === "" ? 0 : 1], id: "x", createdAt: 5 }],
      nextPageToken: pageToken === "" ? "more" : "",
    }),
  });
  const folder = t.testdir();
  writeFileSync(
    `${folder}/spire.json`,
    JSON.stringify({
      entries: [
        {
          selectors: [{ type: "unix", value: "uid:1" }],
          spiffe_id: WEB,
          parent_id: NODE,
          x509_svid_ttl: 60,
          federates_with: ["b.test"],
        },
        { selectors: ["unix:uid:2"], spiffeId: WEB, parentId: NODE, jwtSvidTtl: 5 },
      ],
    }),
  );
  const created = await command("entry", "create", "--data", `${folder}/spire.json`, ...socket);
  t.equal(created.code, 0, created.err);
  t.match(requests[0]?.entries, [
    { x509SvidTtl: 60, federatesWith: ["b.test"], selectors: [{ value: "uid:1" }] },
    { jwtSvidTtl: 5, selectors: [{ value: "uid:2" }] },
  ]);
  const listed = await command("entry", "list", "--output", "json", ...socket);
  t.equal(JSON.parse(listed.out).entries.length, 2, "both pages");
  writeFileSync(`${folder}/list.json`, listed.out);
  const again = await command("entry", "create", "--data", `${folder}/list.json`, ...socket);
  t.equal(again.code, 0, again.err);
  t.match(requests[1]?.entries[0]?.spiffeId, { trustDomain: "a.test", path: "/web" });
  t.ok(readFileSync(`${folder}/list.json`, "utf8").includes('"createdAt": "5"'));
});

const BAD_FILES: { name: string; json: string; says: RegExp }[] = [
  { name: "no JSON", json: "{", says: /is no JSON/ },
  { name: "no list", json: "{}", says: /has no list "entries"/ },
  {
    name: "a field that every object has",
    json: '{"entries":[{"constructor":{"admin":true}}]}',
    says: /entries\[0\].*"constructor"/,
  },
  { name: "an unknown field", json: '{"entries":[{"nope":1}]}', says: /entries\[0\].*"nope"/ },
  { name: "a bad ID", json: '[{"spiffeId":"x"}]', says: /entries\[0\].spiffeId/ },
  { name: "a bad selector", json: '[{"selectors":["x"]}]', says: /entries\[0\].selectors/ },
  { name: "a text for a number", json: '[{"x509SvidTtl":"soon"}]', says: /no whole number/ },
  { name: "a lifetime without room", json: '[{"x509SvidTtl":4294969200}]', says: /68 years/ },
];
for (const { name, json, says } of BAD_FILES) {
  t.test(`a file with ${name} is misuse`, async (t) => {
    const folder = t.testdir({ "x.json": json });
    const { code, err } = await command("entry", "create", "--data", `${folder}/x.json`);
    t.equal(code, 2);
    t.match(err, says);
  });
}

t.test("create says what is missing, before anything is sent", async (t) => {
  const missing: [string[], RegExp][] = [
    [[], /--spiffe-id is missing/],
    [["--spiffe-id", WEB], /--parent-id is missing/],
    [["--spiffe-id", WEB, "--parent-id", NODE], /--selector is missing/],
    [["--spiffe-id", WEB, "--parent-id", NODE, "--node"], /exclude each other/],
    [["--data", "x", "--spiffe-id", WEB], /exclude each other/],
  ];
  for (const [args, says] of missing) {
    const { code, err } = await command("entry", "create", ...args);
    t.equal(code, 2);
    t.match(err, says);
  }
});

t.test("a node group has the server as its parent", async (t) => {
  let request: CreateRequest | undefined;
  const socket = await serve(t, {
    batchCreateEntry: async (received) => {
      request = received;
      return { results: [{ status: OK, entry: received.entries[0] }] };
    },
  });
  const args = ["--node", "--spiffe-id", NODE, "--selector", "x:y", ...socket];
  t.equal((await command("entry", "create", ...args)).code, 0);
  t.match(request?.entries[0]?.parentId, { trustDomain: "a.test", path: "/spire/server" });
});

t.test("an item that failed makes the command fail, with the server's words", async (t) => {
  const socket = await serve(t, {
    batchCreateEntry: async ({ entries }) => ({
      results: [
        {
          status: { code: 6, message: "similar entry already exists" },
          entry: { ...entries[0], id: "old" },
        },
      ],
    }),
  });
  const args = ["--parent-id", NODE, "--spiffe-id", WEB, "--selector", "x:y", ...socket];
  const { code, err } = await command("entry", "create", ...args);
  t.equal(code, 1);
  t.match(err, /a.test\/web \(entry old\) could not be created: similar entry already exists/);
});

t.test("update names what it changes, and keeps the attribute beside", async (t) => {
  const requests: UpdateRequest[] = [];
  const socket = await serve(t, {
    getEntry: async () => ({ additionalAttributes: { disableX509SvidPrefetch: true } }),
    batchUpdateEntry: async (request) => {
      requests.push(request);
      return { results: [{ status: OK, entry: request.entries[0] }] };
    },
  });
  const first = await command("entry", "update", "e1", "--hint", "", "--admin=false", ...socket);
  t.equal(first.code, 0, first.err);
  t.match(requests[0]?.entries[0], { id: "e1", hint: "", admin: false });
  const { ...mask } = requests[0]?.inputMask ?? {};
  t.same(
    Object.entries(mask).filter(([, meant]) => meant === true),
    [
      ["admin", true],
      ["hint", true],
    ],
  );
  await command("entry", "update", "-entryID", "e1", "-jwtSVIDIncludeJTI", "--dns", "", ...socket);
  t.match(requests[1]?.entries[0], {
    dnsNames: [],
    additionalAttributes: { disableX509SvidPrefetch: true, jwtSvidIncludeJti: true },
  });
  t.match(requests[1]?.inputMask, { dnsNames: true, additionalAttributes: true, hint: false });
  t.match(await command("entry", "update", "e1", ...socket), { code: 2 });
});

t.test("show, count and delete", async (t) => {
  let filter: spire.api.server.entry.v1.CountEntriesRequest.Filter | undefined;
  const socket = await serve(t, {
    countEntries: async (request) => {
      filter = request.filter;
      return { count: 1 };
    },
    getEntry: async ({ id }) => ({ id, hint: "h" }),
    batchDeleteEntry: async ({ ids }) => ({
      results: ids.map((id) => ({ id, status: id === "no" ? { code: 5, message: "none" } : OK })),
    }),
  });
  t.match(await command("entry", "show", "e9", ...socket), { code: 0, out: /Entry ID +e9/ });
  const count = await command(
    ...["entry", "count", "--selector", "x:y", "--match-selectors-on", "any"],
    ...["--hint", "", "--downstream=false", ...socket],
  );
  t.match(count, { code: 0, out: "1 entry\n" });
  t.match(filter, {
    bySelectors: { match: 3, selectors: [{ type: "x" }] },
    byHint: { value: "" },
    byDownstream: { value: false },
  });
  t.match(await command("entry", "delete", "a", "b", ...socket), { code: 0, out: /2 entries/ });
  t.match(await command("entry", "delete", "a", "no", ...socket), {
    code: 1,
    err: /1 of 2 entries could not be deleted \(BATCH_FAILED\)\n {2}no: none/,
  });
  const wrong = await command("entry", "count", "--match-selectors-on", "some", ...socket);
  t.match(wrong, { code: 2, err: /is not one of exact, any/ });
});
