// Names of users and groups, from /etc/passwd and /etc/group: read once and again when the file
// changes. Directories such as LDAP are not asked: an answer over the network inside each attestation
// would make every workload wait for it.

import { readFileSync, statSync } from "node:fs";

const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** Looks up names. `version` changes when an answer may. */
export interface AccountNames {
  readonly version: string;
  userName(uid: number): string | undefined;
  groupName(gid: number): string | undefined;
}

interface NameFile {
  readonly stamp: string;
  readonly names: ReadonlyMap<number, string>;
}

/** Where the names stand; a parameter for tests. */
export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

const SYSTEM_FILES: AccountFiles = { passwd: "/etc/passwd", group: "/etc/group" };

/**
 * Makes a lookup that looks at both files' times when called, two system calls, unless it has done so
 * less than `maxAgeMs` ago.
 */
export function accountNames(files: AccountFiles = SYSTEM_FILES, maxAgeMs = 0): () => AccountNames {
  let passwd: NameFile = { stamp: "", names: new Map() };
  let group: NameFile = { stamp: "", names: new Map() };
  let held: AccountNames | undefined;
  let lookedAtMs = 0;
  return () => {
    const nowMs = performance.now();
    if (held !== undefined && nowMs - lookedAtMs < maxAgeMs) return held;
    lookedAtMs = nowMs;
    passwd = refresh(files.passwd, passwd);
    group = refresh(files.group, group);
    const [users, groups] = [passwd.names, group.names];
    held = {
      version: `${passwd.stamp} ${group.stamp}`,
      userName: (uid) => users.get(uid),
      groupName: (gid) => groups.get(gid),
    };
    return held;
  };
}

function refresh(path: string, known: NameFile): NameFile {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (status === undefined) return { stamp: "none", names: new Map() };
  const stamp = `${status.dev}/${status.ino}/${status.size}/${status.mtimeNs}/${status.ctimeNs}`;
  if (stamp === known.stamp) return known;
  if (status.size > MAX_FILE_BYTES) return { stamp, names: new Map() };
  return { stamp, names: parseNames(readFileSync(path, "utf8")) };
}

// Both files: name, password, number, ... separated by colons. The first line of a number counts, as
// in the C library.
function parseNames(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split("\n")) {
    const [name, , number] = line.split(":", 3);
    if (!name || name.startsWith("#") || !/^\d{1,10}$/.test(number ?? "")) continue;
    if (!names.has(Number(number))) names.set(Number(number), name);
  }
  return names;
}
