// Holds the structure of the tree: which folder may import which, which file is the door to which
// package, and how large a file may grow. Each rule is (who, must not import, why); a broken rule
// fails with its why, and so does a rule whose subject no longer exists.
import { existsSync, globSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, normalize, relative } from "node:path";
import t from "tap";

const root = new URL("..", import.meta.url).pathname;
const FOLDERS = ["pki", "proto", "policy", "runtime", "client", "server", "agent", "guard", "cli"];
const PRODUCT = FOLDERS.filter((folder) => existsSync(join(root, folder)));
const MAX_LINES = 400;
const LONG_FILES = ["proto/schema.gen.ts"];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
  readonly lazy: boolean;
}

const files: string[] = globSync(
  "{pki,proto,policy,runtime,client,server,agent,guard,cli}/**/*.ts",
  {
    cwd: root,
  },
).sort();
const imports: Import[] = files.flatMap(importsOf);

/** Every import of a file: a path from the root for our own files, the package's name otherwise. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8").replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
  const found: Import[] = [];
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^;"']*?from\s+["']([^"']+)["']|(?:^|\n)\s*import\s+["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/g;
  for (const match of text.matchAll(pattern)) {
    const target = match[2] ?? match[3] ?? match[4] ?? "";
    found.push({
      from: file,
      to: target.startsWith(".") ? normalize(join(dirname(file), target)) : packageOf(target),
      typeOnly: match[1] !== undefined,
      lazy: match[4] !== undefined,
    });
  }
  return found;
}

function packageOf(specifier: string): string {
  if (isBuiltin(specifier)) return specifier;
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? specifier);
}

const top = (path: string): string => path.split("/")[0] ?? path;

t.test("imports between folders point one way", async (t) => {
  const order = ["pki", "proto", "policy", "runtime", "client"];
  const peers = ["server", "agent", "guard"];
  for (const { from, to } of imports) {
    const [who, whom] = [top(from), top(to)];
    if (!FOLDERS.includes(whom) || who === whom) continue;
    const rank = (folder: string): number =>
      folder === "cli" ? 99 : peers.includes(folder) ? 50 : order.indexOf(folder);
    t.ok(
      rank(whom) < rank(who),
      `${from} imports ${to}: ${who} may only import what stands left of it in pki <- proto <- policy <- runtime <- client <- server|agent|guard <- cli`,
    );
  }
});

/** Who (a path prefix) must not import what (a prefix of a path or a package), but for the exempt, and why. */
const FORBIDDEN: readonly {
  who: string;
  what: readonly string[];
  exempt?: readonly string[];
  lazy?: boolean;
  why: string;
}[] = [
  {
    who: "pki",
    what: ["node:fs", "node:net", "node:child_process", "node:timers", "node:worker_threads"],
    why: "pki is pure: bytes in, values out",
  },
  {
    who: "policy",
    what: [
      "node:fs",
      "node:net",
      "node:http",
      "node:child_process",
      "node:timers",
      "node:worker_threads",
      "proto/rpc",
    ],
    why: "policy is pure: what may be done follows from its arguments alone",
  },
  {
    who: "server/store",
    what: [
      "server/api",
      "server/ca",
      "server/link",
      "server/attestation",
      "server/main.ts",
      "server/main",
    ],
    why: "the store knows nothing of who uses it",
  },
  {
    who: "server/oauth",
    what: ["server/api", "server/main", "server/main.ts", "server/link"],
    why: "the token issuer is told what it needs of tasks and authorities",
  },
  { who: "server/ca", what: ["server/api"], why: "the CA is called by the API, not the reverse" },
  {
    who: "server/entries",
    what: ["server/api"],
    why: "entries are called by the API, not the reverse",
  },
  {
    who: "server/federation",
    what: ["server/api", "server/ca", "server/link", "server/main.ts", "server/main"],
    why: "federation is called by the API, and issues nothing",
  },
  {
    who: "server/tasks",
    what: ["server/api", "server/link", "server/registry", "server/main", "server/main.ts"],
    why: "tasks do not know who asks for them, nor who is told of them",
  },
  {
    who: "server/audit",
    what: [
      "server/api",
      "server/ca",
      "server/tasks",
      "server/oauth",
      "server/registry",
      "server/main",
    ],
    why: "the audit log takes events, and knows nothing of what they tell",
  },
  {
    who: "agent/cache",
    what: ["agent/link", "agent/tasks", "agent/guard", "agent/workload-api", "agent/main"],
    why: "caches are fed and asked, and do neither",
  },
  {
    who: "agent/tasks",
    what: ["agent/link", "agent/guard", "agent/main", "agent/main.ts"],
    why: "tasks reach the server, and whoever is told of them, through what they are given",
  },
  {
    who: "agent/guard",
    what: ["agent/link", "agent/tasks", "agent/main", "agent/main.ts"],
    why: "what guards are told comes from the caches and from what it is given",
  },
  {
    who: "server/registry",
    what: ["server/api", "server/link", "server/main"],
    why: "AI agents and task classes do not know who asks, nor whom it is told",
  },
  {
    who: "server/documents",
    what: ["server/ca", "server/store", "server/link", "server/entries", "server/main"],
    why: "what strangers can reach hands out what it is given, and reaches for nothing",
  },
  {
    who: "client",
    what: ["runtime/config.ts", "runtime/log.ts", "runtime/metrics.ts", "runtime/health.ts"],
    why: "a workload that imports the client must not load zod, yaml, pino or prom-client",
  },
];

for (const rule of FORBIDDEN) {
  t.test(`${rule.who} does not import ${rule.what.join(", ")}`, async (t) => {
    t.ok(
      files.some((file) => file.startsWith(rule.who)),
      `the rule's subject ${rule.who} exists`,
    );
    for (const { from, to, typeOnly } of imports) {
      if (!from.startsWith(rule.who) || typeOnly || rule.exempt?.includes(from)) continue;
      t.notOk(
        rule.what.some((what) => to === what || to.startsWith(`${what}/`)),
        `${from} imports ${to}: ${rule.why}`,
      );
    }
  });
}

t.test("pki and policy are told the time", async (t) => {
  const subjects = files.filter((file) => ["pki", "policy"].includes(top(file)));
  t.ok(subjects.some((file) => top(file) === "policy"));
  for (const file of subjects) {
    const code = readFileSync(join(root, file), "utf8").replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
    t.notMatch(
      code,
      /Date\.now|new Date\(\)|performance\.|process\.hrtime/,
      `${file} reads a clock`,
    );
  }
});

/** The one door of each package in the product. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  "@peculiar/x509": ["pki/x509/ca.ts", "pki/x509/ca-crypto.ts"],
  "@peculiar/webcrypto": ["pki/x509/ca.ts", "pki/x509/ca-crypto.ts"],
  "reflect-metadata": ["pki/x509/ca.ts", "pki/x509/ca-crypto.ts"],
  jose: ["pki/"],
  protobufjs: ["proto/"],
  "@grpc/grpc-js": ["proto/rpc/"],
  level: ["server/store/"],
  koffi: ["agent/peer/"],
  pino: ["runtime/"],
  "prom-client": ["runtime/"],
  yaml: ["runtime/"],
  zod: ["runtime/"],
  commander: ["cli/"],
};

t.test("every package of the product has one door", async (t) => {
  for (const { from, to } of imports) {
    if (to.endsWith(".ts") || isBuiltin(to)) continue;
    const doors = DOORS[to];
    if (!t.ok(doors, `${from} imports ${to}, which has no door: add it to DOORS with its reason`))
      continue;
    t.ok(
      doors?.some((door) => from.startsWith(door)),
      `${from} imports ${to}: only ${doors?.join(", ")} may`,
    );
  }
});

t.test("API files of the server do not import each other", async (t) => {
  const shared = ["authorize.ts", "rate-limit.ts", "audit.ts"];
  for (const { from, to } of imports) {
    if (!from.startsWith("server/api/") || !to.startsWith("server/api/")) continue;
    t.ok(
      shared.some((name) => to.endsWith(name)) || from.endsWith("/index.ts"),
      `${from} imports ${to}: what two services need in common lives outside api/`,
    );
  }
});

t.test("neither the agent nor the client loads @peculiar/*", async (t) => {
  for (const entry of ["client/index.ts", "agent/main.ts"]) {
    const loaded = reachable(entry);
    t.ok(loaded.size > 1, `${entry} exists`);
    for (const file of loaded) t.not(file, "pki/x509/ca.ts", `${entry} reaches ${file}`);
  }
});

/** All files that loading `entry` loads: static imports of values only. */
function reachable(entry: string): Set<string> {
  const seen = new Set<string>();
  const queue = [entry];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const edge of imports) {
      if (edge.from === file && !edge.typeOnly && !edge.lazy && edge.to.endsWith(".ts"))
        queue.push(edge.to);
    }
  }
  return seen;
}

t.test("no file imports itself through others", async (t) => {
  const edges = Map.groupBy(
    imports.filter((edge) => edge.to.endsWith(".ts") && !edge.typeOnly && !edge.lazy),
    (edge) => edge.from,
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      t.fail(`import cycle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
      return;
    }
    if (done.has(file)) return;
    for (const edge of edges.get(file) ?? []) visit(edge.to, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  t.ok(done.size > 0);
});

t.test(`no source file is longer than ${MAX_LINES} lines`, async (t) => {
  for (const file of globSync(
    "{pki,proto,policy,runtime,client,server,agent,guard,cli,examples,bench,test}/**/*.ts",
    { cwd: root },
  )) {
    if (LONG_FILES.includes(file) || file.includes("node_modules")) continue;
    const lines = readFileSync(join(root, file), "utf8").split("\n").length;
    t.ok(lines <= MAX_LINES, `${relative(".", file)} has ${lines} lines: look for the seam`);
  }
});

t.test("no folder or file has a name that says nothing", async (t) => {
  for (const file of files) {
    t.notMatch(file, /\/(utils?|helpers?|common|misc|manager)(\/|\.ts$)/, file);
    t.ok(PRODUCT.includes(top(file)));
  }
});
