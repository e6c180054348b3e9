// `npm run sbom`: writes sbom.cdx.json, the software bill of materials of what an installation of the package
// brings along (CycloneDX JSON), from the lock file alone, so that it says the same on every machine. Two runs
// on one commit give the same bytes. Prints what it wrote as a table of licences.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Component {
  /** "name@version" */
  readonly "bom-ref": string;
  readonly licenses?: readonly { readonly license?: { readonly id?: string } }[];
}

/** A package in the lock file, by its path. */
interface Entry {
  readonly name?: string;
  readonly version: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

const root = import.meta.dirname;
const out = join(root, "sbom.cdx.json");
const { name } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

// With --omit=dev npm leaves out every package that something for development needs too, such as jose:
// so all are listed, and those that only development needs are taken out here.
const args = ["sbom", "--sbom-format=cyclonedx", "--package-lock-only"];
const { status, stdout, stderr } = spawnSync("npm", args, { cwd: root, encoding: "utf8" });
if (status !== 0) {
  process.stderr.write(`npm cannot list the packages:\n${stderr}\nrun 'npm ci' and try again\n`);
  process.exit(1);
}
const document = JSON.parse(stdout);
const installed = installedPackages();
document.components = document.components.filter(isInstalled);
for (const one of document.dependencies) one.dependsOn = one.dependsOn.filter(isKnown);
document.dependencies = document.dependencies.filter(({ ref }: { ref: string }) => isKnown(ref));
// npm names the root after its folder.
document.metadata.component.name = name;
document.metadata.timestamp = new Date(commitSeconds() * 1000).toISOString();
delete document.serialNumber;
const digest = createHash("sha256").update(JSON.stringify(document)).digest("hex");
document.serialNumber = `urn:uuid:${uuidOf(digest)}`;
writeFileSync(out, `${JSON.stringify(document, null, 2)}\n`);

const byLicence = Map.groupBy(document.components as Component[], licenceOf);
for (const [licence, components] of [...byLicence].sort(([a], [b]) => (a < b ? -1 : 1))) {
  process.stdout.write(`${licence.padEnd(14)}${String(components.length).padStart(4)}\n`);
}
process.stdout.write(`${document.components.length} packages, written to sbom.cdx.json\n`);

/** What is installed with the package, as "name@version": all of the lock file but what development needs. */
function installedPackages(): ReadonlySet<string> {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return new Set(
    Object.entries<Entry>(packages)
      .filter(([, { dev, devOptional }]) => dev !== true && devOptional !== true)
      .map(([path, { name: root, version }]) => {
        const at = path.lastIndexOf("node_modules/");
        return `${at < 0 ? root : path.slice(at + "node_modules/".length)}@${version}`;
      }),
  );
}

function isKnown(reference: string): boolean {
  return installed.has(reference);
}

function isInstalled(component: Component): boolean {
  return isKnown(component["bom-ref"]);
}

function licenceOf({ licenses = [] }: Component): string {
  return licenses.map(({ license }) => license?.id ?? "unknown").join(" and ") || "unknown";
}

/** When the commit was made; the time of the build would make every file another. */
function commitSeconds(): number {
  const given = process.env["SOURCE_DATE_EPOCH"];
  if (given !== undefined) return Number(given);
  try {
    return Number(execFileSync("git", ["log", "-1", "--format=%ct"], { cwd: root }).toString());
  } catch {
    return 0;
  }
}

/** A UUID of version 8 from a digest in hexadecimal (RFC 9562 s5.8). */
function uuidOf(hex: string): string {
  const part = (from: number, to: number): string => hex.slice(from, to);
  return `${part(0, 8)}-${part(8, 12)}-8${part(13, 16)}-a${part(17, 20)}-${part(20, 32)}`;
}
