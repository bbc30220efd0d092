/** The log files of mounts: one for each time a folder was mounted, so that one which died is still there to be read. */
import { basename, join } from "node:path";
import { type Home, ensureDir } from "../home.js";
import { digestOf } from "./mount-digest.js";
import { namesIn } from "./state-file.js";

/** Where a mount that begins now logs to; its name sorts after those of earlier ones. */
export function newLogFile(home: Home, mountpoint: string): string {
  const time = String(Date.now()).padStart(14, "0");
  return join(ensureDir(home.logsDir), `${prefixOf(mountpoint)}${time}-${process.pid}.log`);
}

/** The log of the last mount of a folder, whether it lives, ended or died; undefined when there was none. */
export function lastLogFile(home: Home, mountpoint: string): string | undefined {
  const prefix = prefixOf(mountpoint);
  const name = namesIn(home.logsDir).findLast((each) => each.startsWith(prefix) && each.endsWith(".log"));
  return name && join(home.logsDir, name);
}

/** The folder's own name is for people, the digest tells folders of one name apart. */
function prefixOf(mountpoint: string): string {
  const name = basename(mountpoint).replaceAll(/[^\w.-]/g, "_");
  return `mount-${name.slice(0, 64)}-${digestOf(mountpoint).slice(0, 12)}-`;
}
