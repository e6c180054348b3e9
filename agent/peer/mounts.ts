// The mounts that a process sees, by ID, from /proc/PID/mountinfo. Read anew each time: IDs are used
// again after an unmount.

import { readProcFile } from "./proc-file.ts";

export interface Mount {
  readonly id: bigint;
  /** "ext4", "overlay", "fuse.sshfs", ... */
  readonly fileSystem: string;
}

/** The mount with this ID in the namespace of a process; undefined when it has none such. */
export function mountOf(process: number | "self", id: bigint): Mount | undefined {
  const text = readProcFile(process, "mountinfo");
  if (text === undefined) return undefined;
  // ID, parent, device, root, mount point, options, optional fields, "-", file system type, ...
  // Spaces within a field are written as \040.
  const start = `${id} `;
  for (const line of text.split("\n")) {
    if (!line.startsWith(start)) continue;
    const type = line.slice(line.indexOf(" - ") + 3).split(" ")[0];
    return { id, fileSystem: type ?? "" };
  }
  return undefined;
}
