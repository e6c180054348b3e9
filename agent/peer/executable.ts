// Which file a process executes: /proc/PID/exe. Reads only what the kernel knows by itself, so that a
// program on a hanging network or FUSE file system cannot block the agent. Callers re-check that the
// process still runs afterwards (pinned-process.ts).

import { readlinkSync } from "node:fs";
import { mountOf } from "./mounts.ts";
import { type FileIdentity, identifyFile, SystemCallError } from "./native.ts";

/** The file that a process executes. Two readings with the same `key` saw the same file. */
export interface Executable extends FileIdentity {
  /** As the kernel writes it, with " (deleted)" after a file that has been removed or replaced. */
  readonly path: string;
  /** dev, ino, size and both times in one string: changes when the content may have changed. */
  readonly contentKey: string;
  /** contentKey, path and mount. */
  readonly key: string;
}

/** undefined when the kernel does not tell, or the process has ended. */
export function readExecutable(pid: number): Executable | undefined {
  const link = `/proc/${pid}/exe`;
  // Two looks at the path with the file between them: a process that executes another program in the
  // middle must not lend one program's path to another one's file.
  for (let tries = 0; tries < 3; tries++) {
    try {
      const path = readlinkSync(link);
      const file = identifyFile(link);
      if (readlinkSync(link) !== path) continue;
      const contentKey = `${file.dev}/${file.ino}/${file.size}/${file.mtimeNs}/${file.ctimeNs}`;
      return { ...file, path, contentKey, key: `${contentKey}/${file.mountId ?? ""}/${path}` };
    } catch (error) {
      if (isHidden(error)) return undefined;
      throw error;
    }
  }
  return undefined;
}

/**
 * Whether `path` means for everyone on this machine what it means for the process. In a mount
 * namespace of its own, which any user may make, a process can put its file at any path, so that the
 * path alone says nothing. True when the file lies on a mount of the agent's own namespace.
 */
export function isPathShared(executable: Executable): boolean {
  if (executable.path.endsWith(" (deleted)")) return false;
  // Bytes that are not UTF-8: different paths would read the same.
  if (executable.path.includes("\ufffd")) return false;
  return executable.mountId !== undefined && mountOf("self", executable.mountId) !== undefined;
}

/**
 * Whether the file's content is under the control of some user's program (FUSE), which can answer
 * the agent with other bytes than those that run.
 */
export function isContentForgeable(pid: number, executable: Executable): boolean {
  if (executable.mountId === undefined) return false;
  const mount = mountOf("self", executable.mountId) ?? mountOf(pid, executable.mountId);
  return mount?.fileSystem === "fuse" || (mount?.fileSystem.startsWith("fuse.") ?? false);
}

function isHidden(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  const known = error instanceof SystemCallError || error instanceof Error;
  return known && (code === "EACCES" || code === "EPERM" || code === "ENOENT" || code === "ESRCH");
}
