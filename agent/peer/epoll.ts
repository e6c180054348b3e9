// The layout of struct epoll_event and the operations on an epoll, for exit-watcher.ts (adds and
// removes) and exit-worker.ts (waits).

import { arch } from "node:os";
import { fail, library } from "./native.ts";

// The struct is packed on x86-64 and aligned elsewhere.
const PACKED = arch() === "x64";
export const EVENT_BYTES: number = PACKED ? 12 : 16;
export const EVENT_ID_OFFSET: number = PACKED ? 4 : 8;

const EPOLL_CLOEXEC = 0x80000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
// Reported once: the pidfd of an ended process stays readable until it is closed.
const EPOLLONESHOT = 0x40000000;
const EFD_CLOEXEC = 0x80000;

/** A new epoll. To be closed by the caller. */
export function createEpoll(): number {
  const fd = library().epoll_create1(EPOLL_CLOEXEC);
  return fd < 0 ? fail("epoll_create1") : fd;
}

/** A new eventfd: writing eight bytes that count 1 makes it readable. To be closed by the caller. */
export function createEventfd(): number {
  const fd = library().eventfd(0, EFD_CLOEXEC);
  return fd < 0 ? fail("eventfd") : fd;
}

/** Reports once, under this ID, when `fd` becomes readable. */
export function addToEpoll(epoll: number, fd: number, id: number): void {
  const event = Buffer.alloc(EVENT_BYTES);
  event.writeUInt32LE(EPOLLIN | EPOLLONESHOT, 0);
  event.writeBigUInt64LE(BigInt(id), EVENT_ID_OFFSET);
  if (library().epoll_ctl(epoll, EPOLL_CTL_ADD, fd, event) !== 0) fail("epoll_ctl(add)");
}

export function removeFromEpoll(epoll: number, fd: number): void {
  if (library().epoll_ctl(epoll, EPOLL_CTL_DEL, fd, Buffer.alloc(EVENT_BYTES)) !== 0) {
    fail("epoll_ctl(delete)");
  }
}
