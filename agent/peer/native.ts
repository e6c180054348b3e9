// The system calls that Node does not offer, through koffi: peer credentials of a unix socket,
// pidfds, epoll, statx. Linux only, and loaded on first use. Sole user of koffi together with
// exit-worker.ts, which has libraries of its own because it is another thread.
// Numbers and layouts are those of the Linux UAPI for 64-bit machines.

import { constants } from "node:os";
import koffi from "koffi";

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;
const SO_PEERPIDFD = 77;
const SYS_PIDFD_OPEN = 434; // the same number on every architecture
const POLLIN = 1;
const AT_FDCWD = -100;
// Attributes as the kernel has them cached: asking a network or FUSE file system could block for ever.
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_MNT_ID = 0x1000;

const { EINTR, ERANGE } = constants.errno;

/** What the kernel recorded of the process that called connect. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** What statx says of a file. Times are nanoseconds since 1970. */
export interface FileIdentity {
  readonly dev: string;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** undefined before Linux 5.8. */
  readonly mountId: bigint | undefined;
}

/** A system call that failed, with its errno. */
export class SystemCallError extends Error {
  readonly errno: number;
  readonly code: string;

  constructor(call: string, errno: number) {
    const code =
      Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ??
      `errno ${errno}`;
    super(`${call}: ${code}`);
    this.name = "SystemCallError";
    this.errno = errno;
    this.code = code;
  }
}

interface Library {
  getsockopt(fd: number, level: number, name: number, value: Buffer, length: Buffer): number;
  syscall(number: number, a: number, b: number): number;
  poll(fds: Buffer, count: number, timeoutMs: number): number;
  statx(folder: number, path: string, flags: number, mask: number, out: Buffer): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: Buffer): number;
  epoll_wait(epoll: number, events: Buffer, count: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
}

let loaded: Library | undefined;

/** The functions of this process's C library. Throws on anything but Linux. */
export function library(): Library {
  if (loaded !== undefined) return loaded;
  if (process.platform !== "linux") throw new Error(`needs Linux, this is ${process.platform}`);
  const libc = koffi.load(null);
  loaded = {
    getsockopt: libc.func("int getsockopt(int, int, int, void *, void *)"),
    syscall: libc.func("long syscall(long, long, long)"),
    poll: libc.func("int poll(void *, ulong, int)"),
    statx: libc.func("int statx(int, const char *, int, uint, void *)"),
    epoll_create1: libc.func("int epoll_create1(int)"),
    epoll_ctl: libc.func("int epoll_ctl(int, int, int, void *)"),
    epoll_wait: libc.func("int epoll_wait(int, void *, int, int)"),
    eventfd: libc.func("int eventfd(uint, int)"),
  };
  return loaded;
}

/** Throws the errno of the call that was made last on this thread. */
export function fail(call: string): never {
  throw new SystemCallError(call, koffi.errno());
}

/** pid, uid and gid of the process that connected this unix socket, as of its connect. */
export function peerCredentials(socketFd: number): PeerCredentials {
  const value = Buffer.alloc(12);
  readOption(socketFd, SO_PEERCRED, value, "getsockopt(SO_PEERCRED)");
  return { pid: value.readInt32LE(0), uid: value.readUInt32LE(4), gid: value.readUInt32LE(8) };
}

/** A pidfd of that process: no race with pid reuse. To be closed by the caller. Linux 6.5. */
export function peerPidfd(socketFd: number): number {
  const value = Buffer.alloc(4);
  readOption(socketFd, SO_PEERPIDFD, value, "getsockopt(SO_PEERPIDFD)");
  return value.readInt32LE(0);
}

/** Supplementary groups of that process, as of its connect. */
export function peerGroups(socketFd: number): number[] {
  let value = Buffer.alloc(32 * 4);
  for (;;) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(value.length);
    const result = library().getsockopt(socketFd, SOL_SOCKET, SO_PEERGROUPS, value, length);
    const bytes = length.readUInt32LE(0);
    if (result === 0) {
      return Array.from({ length: bytes / 4 }, (_, i) => value.readUInt32LE(i * 4));
    }
    // Linux allows 65,536 groups; the kernel says how much room this list needs.
    if (koffi.errno() !== ERANGE || bytes <= value.length || bytes > 65_536 * 4) {
      fail("getsockopt(SO_PEERGROUPS)");
    }
    value = Buffer.alloc(bytes);
  }
}

function readOption(fd: number, option: number, value: Buffer, call: string): void {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  if (library().getsockopt(fd, SOL_SOCKET, option, value, length) !== 0) fail(call);
}

/** A pidfd of whatever process has this pid now. To be closed by the caller. Linux 5.3. */
export function openPidfd(pid: number): number {
  const fd = library().syscall(SYS_PIDFD_OPEN, pid, 0);
  return fd < 0 ? fail("pidfd_open") : fd;
}

const pollEntry = Buffer.alloc(8);

/** Whether the process of this pidfd still runs. One that has ended but was not waited for does not. */
export function isRunning(pidfd: number): boolean {
  for (;;) {
    pollEntry.writeInt32LE(pidfd, 0);
    pollEntry.writeInt16LE(POLLIN, 4);
    pollEntry.writeInt16LE(0, 6);
    const ready = library().poll(pollEntry, 1, 0);
    if (ready >= 0) return ready === 0;
    if (koffi.errno() !== EINTR) fail("poll");
  }
}

const statxOut = Buffer.alloc(256);

/** Identity of the file at `path`, from what the kernel has cached. Follows links. */
export function identifyFile(path: string): FileIdentity {
  const mask = STATX_BASIC_STATS | STATX_MNT_ID;
  if (library().statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, mask, statxOut) !== 0) fail("statx");
  const out = statxOut;
  const time = (offset: number): bigint =>
    out.readBigInt64LE(offset) * 1_000_000_000n + BigInt(out.readUInt32LE(offset + 8));
  return {
    ino: out.readBigUInt64LE(32),
    size: out.readBigUInt64LE(40),
    ctimeNs: time(96),
    mtimeNs: time(112),
    dev: `${out.readUInt32LE(136)}:${out.readUInt32LE(140)}`,
    mountId: (out.readUInt32LE(0) & STATX_MNT_ID) !== 0 ? out.readBigUInt64LE(144) : undefined,
  };
}
