/**
 * What a file is whose row lags behind: its size and times are then its data file's, which the system keeps when the
 * process that wrote ends. A file with bytes of the base lags in its times only.
 */
import type { BigIntStats } from "node:fs";
import { type Inode, InodeFlag, type Time } from "./inode.js";

const NSEC_PER_SEC = 1_000_000_000n;

/** The inode as it was when its last write returned. `data` is absent when nothing was written after all. */
export function settled(inode: Inode, data: BigIntStats | undefined): Inode {
  const flags = inode.flags & ~InodeFlag.lagging;
  if (!data) return { ...inode, flags };
  const written = timeOf(data.mtimeNs);
  const sizeBytes = inode.base === undefined ? Math.max(inode.sizeBytes, Number(data.size)) : inode.sizeBytes;
  const mtime = later({ sec: inode.mtimeSec, nsec: inode.mtimeNsec }, written);
  const ctime = later({ sec: inode.ctimeSec, nsec: inode.ctimeNsec }, written);
  const times = { mtimeSec: mtime.sec, mtimeNsec: mtime.nsec, ctimeSec: ctime.sec, ctimeNsec: ctime.nsec };
  return { ...inode, ...times, sizeBytes, flags };
}

function timeOf(ns: bigint): Time {
  const nsec = ((ns % NSEC_PER_SEC) + NSEC_PER_SEC) % NSEC_PER_SEC; // times before 1970 are negative
  return { sec: Number((ns - nsec) / NSEC_PER_SEC), nsec: Number(nsec) };
}

function later(a: Time, b: Time): Time {
  return a.sec > b.sec || (a.sec === b.sec && a.nsec >= b.nsec) ? a : b;
}
