// docs/dependencies.md names every package that package.json does, the table's columns are filled, and the
// software bill of materials holds what an installation has.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/dependencies.md"), "utf8");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));

const LICENCES = ["MIT", "ISC", "0BSD", "BSD-3-Clause", "Apache-2.0"];

t.test("every package of the product has a full row", async (t) => {
  const rows = page.split("\n").filter((line) => line.startsWith("| `"));
  for (const name of Object.keys(manifest.dependencies)) {
    const row = rows.find((line) => line.startsWith(`| \`${name}\``));
    const cells = row?.split("|").slice(1, -1) ?? [];
    t.equal(cells.length, 6, name);
    for (const cell of cells) t.not(cell.trim(), "", `${name} has an empty cell`);
  }
  t.equal(
    rows.length,
    Object.keys(manifest.dependencies).length,
    "no row of a package that is gone",
  );
});

t.test("every package for development is named", async (t) => {
  const section = page.slice(page.indexOf("## For development"));
  for (const name of Object.keys(manifest.devDependencies))
    t.ok(section.includes(`\`${name}\``), name);
});

t.test("the bill of materials has every package of an installation, with its hash", async (t) => {
  const env = { ...process.env, NODE_OPTIONS: "" };
  execFileSync(process.execPath, [join(root, "sbom.ts")], { cwd: root, env });
  const text = readFileSync(join(root, "sbom.cdx.json"), "utf8");
  const { components, metadata } = JSON.parse(text);
  t.equal(metadata.component.name, manifest.name);
  const listed = new Map<string, { hashes: { alg: string; content: string }[] }>();
  for (const component of components) listed.set(component["bom-ref"], component);
  let count = 0;
  for (const [path, entry] of Object.entries<Record<string, string>>(lock.packages)) {
    if (path === "" || entry["dev"] || entry["devOptional"]) continue;
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const component = listed.get(`${name}@${entry["version"]}`);
    if (!t.ok(component, `${name} is listed`)) continue;
    count += 1;
    const expected = Buffer.from((entry["integrity"] ?? "").replace("sha512-", ""), "base64");
    t.match(component?.hashes, [{ alg: "SHA-512", content: expected.toString("hex") }], name);
    t.ok(LICENCES.includes(entry["license"] ?? ""), `${name} is under ${entry["license"]}`);
  }
  t.ok(count >= Object.keys(manifest.dependencies).length);
  t.match(page, `each of the ${components.length} packages`, "the page tells their number");
});
