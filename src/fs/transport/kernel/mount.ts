/**
 * Mounting: a connection with the kernel and a folder that shows it. As root by `mount(2)`, else through
 * `fusermount3`, which may do it for ordinary users. Serving the connection is the loop's.
 */
import { closeSync, constants, openSync, writeFileSync } from "node:fs";

import { DatasetError, errnoOf } from "../../../errors.js";
import { KiB } from "../../../units.js";
import { mountThroughHelper } from "./fusermount.js";
import { type MountOptions, connectionOptions, isRoot } from "./mount-options.js";
import { checkMountpoint } from "./mountpoint.js";
import { MOUNT_TYPE, type MountRecord, findMount } from "./mounts.js";
import { MAX_TRANSFER_BYTES } from "./protocol.js";
import { MountFlag, mount, setNonBlocking } from "./syscalls.js";

/** A mount that nobody serves yet: every access waits. Closing the device ends it, leaving a dead mount behind. */
export interface KernelMount {
  /** Connection with the kernel, non-blocking. */
  device: number;
  record: MountRecord;
}

const DEVICE_PATH = "/dev/fuse";

/**
 * Mounts on an empty folder.
 *
 * @throws {DatasetError} `mountpoint-unfit`; `mount-refused` with what to install or to allow
 */
export async function mountKernel(mountpoint: string, options: MountOptions): Promise<KernelMount> {
  const path = await checkMountpoint(mountpoint);
  const device = await (isRoot() ? mountAsRoot(path, options) : mountThroughHelper(path, options));
  setNonBlocking(device);
  const record = findMount(path);
  if (record?.type !== MOUNT_TYPE) {
    closeSync(device);
    throw refusal(path, "the mount was gone at once");
  }
  if (isRoot()) raiseReadAhead(record.device);
  return { device, record };
}

async function mountAsRoot(path: string, options: MountOptions): Promise<number> {
  const device = openDevice(path);
  const failure = await mount(options.source, path, MOUNT_TYPE, flagsOf(options), dataOf(device, options));
  if (failure === undefined) return device;
  closeSync(device);
  throw refusal(path, MOUNT_PROBLEMS.get(failure) ?? `the kernel says ${failure}`);
}

function flagsOf({ writable, noexec = false }: MountOptions): number {
  const { noSuid, noDev, noExec, readOnly } = MountFlag;
  return noSuid | noDev | (writable ? 0 : readOnly) | (noexec ? noExec : 0);
}

function dataOf(device: number, options: MountOptions): string {
  const owner = `user_id=${process.getuid?.() ?? 0},group_id=${process.getgid?.() ?? 0}`;
  return [`fd=${device}`, "rootmode=40000", owner, ...connectionOptions(options)].join(",");
}

function openDevice(path: string): number {
  try {
    return openSync(DEVICE_PATH, constants.O_RDWR);
  } catch (cause) {
    throw refusal(
      path,
      DEVICE_PROBLEMS.get(errnoOf(cause) ?? "") ?? `${DEVICE_PATH} cannot be opened`,
      cause,
    );
  }
}

const IN_A_CONTAINER = "in a container, start it with `--device /dev/fuse --cap-add SYS_ADMIN`";

const DEVICE_PROBLEMS = new Map([
  ["ENOENT", `this machine has no ${DEVICE_PATH}: load it with \`modprobe fuse\`, or ${IN_A_CONTAINER}`],
  ["ENODEV", `this kernel has no FUSE: load it with \`modprobe fuse\``],
  ["EPERM", `${DEVICE_PATH} may not be opened here: ${IN_A_CONTAINER}`],
  ["EACCES", `${DEVICE_PATH} may not be opened here: ${IN_A_CONTAINER}`],
]);

const MOUNT_PROBLEMS = new Map([
  ["EPERM", `this process may not mount: ${IN_A_CONTAINER}`],
  ["ENODEV", "this kernel has no FUSE: load it with `modprobe fuse`"],
]);

/** The kernel starts every mount at 128 KiB, whatever INIT says; larger requests halve what a stream costs. */
function raiseReadAhead(device: string): void {
  try {
    writeFileSync(`/sys/class/bdi/${device}/read_ahead_kb`, String(MAX_TRANSFER_BYTES / KiB));
  } catch {
    // Only speed is lost, as where /sys is read-only.
  }
}

function refusal(path: string, problem: string, cause?: unknown): DatasetError<"mount-refused"> {
  return new DatasetError("mount-refused", { path }, `Cannot mount on "${path}": ${problem}`, { cause });
}
