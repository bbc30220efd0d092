/** What this machine and user bring along for running and mounting. Each check takes what it looks at, so tests need no other machine. */
import { accessSync, closeSync, constants, openSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { release } from "node:os";
import { join } from "node:path";

import { errnoOf, messageOf } from "../errors.js";
import { loadFuseNative } from "../fs/transport/fuse-native/library.js";
import { type Finding, finding } from "./finding.js";

const require = createRequire(import.meta.url);

/** Passthrough came with Linux 6.9. Source: https://docs.kernel.org/filesystems/fuse/fuse-passthrough.html */
const PASSTHROUGH_KERNEL = [6, 9] as const;
/** What `package.json` asks for. */
const NODE_VERSION = [20, 19] as const;

const FUSE_CONF = "/etc/fuse.conf";

/** All of it, for this process. */
export function examineMachine(): Finding[] {
  const isRoot = process.getuid?.() === 0;
  return [
    nodeFinding(process.versions.node),
    kernelFinding(release(), isRoot),
    deviceFinding("/dev/fuse"),
    ...(isRoot ? [] : [helperFinding(process.env["PATH"] ?? ""), othersFinding(textOrEmpty(FUSE_CONF))]),
    libraryFinding("better-sqlite3", openDatabase),
    libraryFinding("koffi", () => void require("koffi")),
    libraryFinding("fuse-native", loadFuseNative, false),
  ];
}

export function nodeFinding(version: string): Finding {
  const advice = `Install Node.js ${NODE_VERSION.join(".")} or newer: https://nodejs.org/en/download`;
  return finding("Node.js", isAtLeast(version, NODE_VERSION), version, { advice });
}

/** A kernel of any age serves; a newer one, and root, read whole cached files at the speed of the local disk. */
export function kernelFinding(kernelRelease: string, isRoot: boolean): Finding {
  const isNew = isAtLeast(kernelRelease, PASSTHROUGH_KERNEL);
  const lack = isNew
    ? "mount as root"
    : `use Linux ${PASSTHROUGH_KERNEL.join(".")} or newer, and mount as root`;
  return finding(
    "Fast reads of cached files (passthrough)",
    isNew && isRoot,
    `Linux ${kernelRelease}, ${isRoot ? "root" : "not root"}`,
    {
      advice: `For cached files at the speed of the disk, ${lack}`,
      needed: false,
    },
  );
}

export function deviceFinding(path: string): Finding {
  try {
    closeSync(openSync(path, constants.O_RDWR));
    return finding("FUSE device", true, `${path} may be opened`);
  } catch (error) {
    const errno = errnoOf(error);
    const advice = DEVICE_ADVICE.get(errno ?? "") ?? "Load it with: modprobe fuse";
    return finding("FUSE device", false, `${path} cannot be opened (${errno ?? messageOf(error)})`, {
      advice,
    });
  }
}

const PERMISSION_ADVICE =
  "Let users open it: chmod 666 /dev/fuse; in a container, start it with --device /dev/fuse --cap-add SYS_ADMIN";
const DEVICE_ADVICE = new Map([
  ["EACCES", PERMISSION_ADVICE],
  ["EPERM", PERMISSION_ADVICE],
]);

/** @param path As the variable `PATH`. */
export function helperFinding(path: string): Finding {
  const found = path
    .split(":")
    .map((folder) => join(folder, "fusermount3"))
    .find(isExecutable);
  const advice = "Install it, for example: sudo apt-get install fuse3";
  return finding("Mount helper (fusermount3)", found !== undefined, found ?? "none on the PATH", { advice });
}

/** @param conf The text of `/etc/fuse.conf`. */
export function othersFinding(conf: string): Finding {
  const allowed = /^\s*user_allow_other\s*(#.*)?$/m.test(conf);
  return finding(
    "Mounts for other users (--allow-other)",
    allowed,
    allowed ? "allowed" : `not allowed by ${FUSE_CONF}`,
    {
      advice: `As root, add a line "user_allow_other" to ${FUSE_CONF}`,
      needed: false,
    },
  );
}

/** @param load Throws when the library does not load. */
export function libraryFinding(name: string, load: () => unknown, needed = true): Finding {
  try {
    load();
    return finding(name, true, "loads", { needed });
  } catch (error) {
    const advice = `Install it again: npm rebuild ${name}`;
    return finding(name, false, `cannot be loaded: ${messageOf(error).split("\n", 1)[0] ?? ""}`, {
      advice,
      needed,
    });
  }
}

/** The package loads its library with the first database. */
function openDatabase(): void {
  const Database = require("better-sqlite3") as new (path: string) => { close(): void };
  new Database(":memory:").close();
}

/** Compares the first two numbers of a version. */
function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split(".").map((part) => parseInt(part, 10));
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function textOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // No file allows nothing.
  }
}
