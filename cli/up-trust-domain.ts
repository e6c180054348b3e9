// The name of the trust domain that `signet up` runs in a folder: given, remembered, or made at random,
// because two trust domains of one name could never be federated or told apart (SPIFFE-ID s2.1.1).

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { TrustDomain } from "../pki/spiffe-id.ts";
import { readFileBounded, writeFileAtomic } from "../runtime/files.ts";
import { cliError } from "./errors.ts";
import { asMisuse } from "./flags.ts";

const FILE = "trust-domain";

/**
 * The trust domain of the folder; `given` fixes it at the first start.
 * @throws FOLDER_UNUSABLE when the folder belongs to another trust domain
 */
export async function findTrustDomain(dir: string, given: string | undefined): Promise<string> {
  const name =
    given === undefined
      ? undefined
      : asMisuse("--trust-domain", () => TrustDomain.parse(given).name);
  const path = join(dir, FILE);
  const bytes = await readFileBounded(path, { limitBytes: 1024 });
  if (bytes === undefined) {
    const chosen = name ?? `dev-${randomBytes(8).toString("hex")}.internal`;
    await writeFileAtomic(path, `${chosen}\n`, 0o644);
    return chosen;
  }
  const kept = TrustDomain.parse(Buffer.from(bytes).toString("utf8").trim()).name;
  if (name === undefined || name === kept) return kept;
  throw cliError("FOLDER_UNUSABLE", `"${dir}" holds the trust domain ${kept}, not ${name}`, {
    hint: "choose another --dir, or leave --trust-domain out",
  });
}
