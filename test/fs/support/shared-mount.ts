/** A writable mount that other users may enter, which the tests of one file share, and programs that work in it. */
import { join } from "node:path";
import { after } from "node:test";

import type { Scope } from "../../support/cleanup.js";
import { tempDir } from "../../support/temp.js";
import { CAN_MOUNT, mountSample, python, sh } from "./mounted.js";

export interface SharedMount {
  /** Each test works in files of its own. */
  path: string;
  /** A folder of the local disk, beside the overlay. */
  local: string;
  /** What a Python program prints that works in the mount, line by line. `sys.argv[2]` is `local`. */
  python: (program: string) => Promise<string[]>;
  /** As `python`, of lines of shell; `as UID LINE` runs a line as that user, in the group of the same number. */
  sh: (lines: string) => Promise<string[]>;
}

/** `fails(call, …)` is the name of the errno that a call fails with. */
const PREAMBLE = `
import ctypes, errno, fcntl, mmap, os, signal, socket, stat, struct, sys, time
os.chdir(sys.argv[1]); libc = ctypes.CDLL(None, use_errno=True)
def fails(call, *args):
    try: call(*args)
    except OSError as e: return errno.errorcode[e.errno]
    return "succeeds"
def put(name, text): open(name, "w").write(text)
def in_child(body):
    child = os.fork()
    if child == 0:
        try: body(); os._exit(0)
        finally: os._exit(1)
    return child
def ended(child): return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
`;

const AS = `set -eu; export LC_ALL=C; cd "$1"; as() { setpriv --reuid "$1" --regid "$1" --clear-groups sh -c "$2" 2>&1 || true; }\n`;

/** Mounts it until the tests of this file have ended; where that cannot be, whoever waits for it is told. */
export function shareMount(): Promise<SharedMount> {
  const mount = CAN_MOUNT
    ? mountShared({ after })
    : Promise.reject<SharedMount>(new Error("cannot mount here"));
  mount.catch(() => undefined);
  return mount;
}

async function mountShared(scope: Scope): Promise<SharedMount> {
  const local = await tempDir(scope);
  const options = { overlayDirectory: join(local, "overlay"), allowOther: true };
  const { path } = await mountSample(scope, "everything", options);
  const linesOf = (said: string) => said.trimEnd().split("\n");
  return {
    path,
    local,
    python: async (program) => linesOf(await python(PREAMBLE + program, path, local)),
    sh: async (lines) => linesOf(await sh(AS + lines, path, local)),
  };
}
