// NSS, the library of Firefox, by its command line tools, with a database of its own for each case.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { ask, each, type Judge, taken } from "./judge.ts";

/** A new, empty database beside a case's files. */
async function database(file: string): Promise<string> {
  const folder = join(dirname(file), "nss");
  mkdirSync(folder, { recursive: true });
  const db = `sql:${folder}`;
  await ask("certutil", ["-N", "-d", db, "--empty-password"]);
  return db;
}

async function add(db: string, file: string, name: string, trust: string): Promise<boolean> {
  const { accepted } = await ask("certutil", ["-A", "-d", db, "-n", name, "-t", trust, "-i", file]);
  return accepted;
}

export const nss: Judge = {
  name: "nss",
  version: async () => (await ask("dpkg-query", ["--show", "libnss3"])).says,
  chains: (files) =>
    each(files, async ({ leafDer, authorities }) => {
      const db = await database(leafDer);
      for (const [i, { file, trusted }] of authorities.entries()) {
        await add(db, file, `authority-${i}`, trusted ? "CT,C,C" : ",,");
      }
      if (!(await add(db, leafDer, "leaf", ",,"))) return { accepted: false, says: "not read" };
      const { says } = await ask("certutil", ["-V", "-d", db, "-n", "leaf", "-u", "V", "-e", "-l"]);
      // Its status does not tell: it is 0 with problems listed.
      return { accepted: says === "certutil: certificate is valid", says };
    }),
  crls: (files) =>
    each(files, async (file) => {
      const db = await database(file.leaf);
      await add(db, file.authorityDer, "authority", "CT,C,C");
      await add(db, file.leafDer, "leaf", ",,");
      const list = await ask("crlutil", ["-I", "-d", db, "-i", file.crlDer, "-t", "1"]);
      if (!list.accepted || /unable|error/i.test(list.says)) {
        return { accepted: false, says: list.says };
      }
      const { says } = await ask("certutil", ["-V", "-d", db, "-n", "leaf", "-u", "V", "-e", "-l"]);
      return taken(/revoked/i.test(says), file, says);
    }),
};
