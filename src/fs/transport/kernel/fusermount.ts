/**
 * Mounting and unmounting for ordinary users, through the set-uid program `fusermount3`. It hands the connection over
 * a socket whose number it finds in `_FUSE_COMMFD`. Source: util/fusermount.c of libfuse 3.14
 */
import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { text } from "node:stream/consumers";

import { DatasetError, errnoOf } from "../../../errors.js";
import { type MountOptions, connectionOptions } from "./mount-options.js";
import { receiveDescriptor, socketPair } from "./syscalls.js";

const HELPER = "fusermount3";

/** Mounts on `path`; gives the connection. @throws {DatasetError} `mount-refused` */
export async function mountThroughHelper(path: string, options: MountOptions): Promise<number> {
  const [ours, theirs] = socketPair();
  try {
    // Ours closes itself in the child; else the helper would hold both ends, and we never see it close.
    const helper = run(["-o", optionsOf(options), "--", path], theirs);
    closeSync(theirs);
    const [device, { complaint }] = await Promise.all([receiveDescriptor(ours), helper]);
    if (device === undefined) throw refusal(path, complaint);
    return device;
  } finally {
    closeSync(ours);
  }
}

/** Unmounts; what the helper complained about, or undefined. A lazy one takes the mount away even while it is in use. */
export async function unmountThroughHelper(path: string, lazy: boolean): Promise<string | undefined> {
  const { code, complaint } = await run([lazy ? "-uz" : "-u", "--", path]);
  return code === 0 ? undefined : complaint;
}

function optionsOf(options: MountOptions): string {
  const name = options.source.replace(/[\\,]/g, (special) => `\\${special}`);
  const flags = ["nosuid", "nodev", options.writable ? "rw" : "ro", ...(options.noexec ? ["noexec"] : [])];
  return [`fsname=${name}`, "subtype=varve", ...flags, ...connectionOptions(options)].join(",");
}

interface HelperEnd {
  code: number | null;
  complaint: string;
}

async function run(args: readonly string[], socket?: number): Promise<HelperEnd> {
  const env = { ...process.env, LC_ALL: "C", _FUSE_COMMFD: "3" };
  const child = spawn(HELPER, args, { env, stdio: ["ignore", "ignore", "pipe", socket ?? "ignore"] });
  const ended = new Promise<number | null>((resolve, reject) =>
    child.once("close", resolve).once("error", reject),
  );
  try {
    const [code, complaint] = await Promise.all([ended, text(child.stderr!)]);
    return { code, complaint: complaint.trim() };
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return { code: null, complaint: NOT_INSTALLED };
  }
}

const NOT_INSTALLED = `${HELPER} is not installed: install the package "fuse3"`;

function refusal(path: string, complaint: string): DatasetError<"mount-refused"> {
  const message = `Cannot mount on "${path}": ${adviceOn(complaint)}`;
  return new DatasetError("mount-refused", { path }, message);
}

function adviceOn(complaint: string): string {
  if (complaint.includes("user_allow_other"))
    return `other users may be let in only where /etc/fuse.conf says "user_allow_other"`;
  if (complaint.includes("/dev/fuse: Permission denied"))
    return `/dev/fuse may not be opened by this user: an administrator allows it with \`chmod 666 /dev/fuse\``;
  if (complaint.includes("fuse device not found"))
    return "this machine has no /dev/fuse: load it with `modprobe fuse`";
  return complaint || `${HELPER} gave no reason`;
}
