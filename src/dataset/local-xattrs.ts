/** The `user.*` extended attributes of local files, through libc: Node has no call for them. */
import { createRequire } from "node:module";
import type koffi from "koffi";

const LIST_MAX_BYTES = 65_536; // XATTR_LIST_MAX, include/uapi/linux/limits.h
const VALUE_MAX_BYTES = 65_536; // XATTR_SIZE_MAX
const NONE: ReadonlyMap<string, Uint8Array> = new Map();

type Listxattr = (path: Buffer, list: Buffer, size: number) => number;
type Getxattr = (path: Buffer, name: Buffer, value: Buffer, size: number) => number;

let calls: { list: Listxattr; get: Getxattr } | undefined;
const scratch = Buffer.allocUnsafe(VALUE_MAX_BYTES);
const pathScratch = Buffer.allocUnsafe(4096); // PATH_MAX

/** Names (byte strings) and values; empty where there are none or the file system keeps none. */
export function readXattrs(path: string): ReadonlyMap<string, Uint8Array> {
  if (process.platform !== "linux") return NONE;
  const { list, get } = (calls ??= load());
  const at = nulTerminated(path);
  const length = list(at, scratch, LIST_MAX_BYTES);
  if (length <= 0) return NONE;
  const names = scratch
    .toString("latin1", 0, length)
    .split("\0")
    .filter((name) => name.startsWith("user."));
  return new Map(names.sort().flatMap((name) => valueOf(get, at, name)));
}

/** Functions of C, loaded on first use: what calls them costs a start 10 ms. */
export function openLibc(): ReturnType<typeof koffi.load> {
  const native = createRequire(import.meta.url)("koffi") as typeof koffi;
  return native.load("libc.so.6");
}

function valueOf(get: Getxattr, path: Buffer, name: string): [string, Uint8Array][] {
  const length = get(path, Buffer.from(`${name}\0`, "latin1"), scratch, VALUE_MAX_BYTES);
  return length < 0 ? [] : [[name, Uint8Array.from(scratch.subarray(0, length))]];
}

/** The path for libc, in a buffer that the next call writes over: one a file would be most of the cost. */
function nulTerminated(path: string): Buffer {
  if (path.length >= pathScratch.length) return Buffer.from(`${path}\0`, "latin1");
  pathScratch[pathScratch.write(path, "latin1")] = 0;
  return pathScratch;
}

function load(): { list: Listxattr; get: Getxattr } {
  const libc = openLibc();
  return {
    list: libc.func("long llistxattr(const void *path, void *list, size_t size)") as Listxattr,
    get: libc.func(
      "long lgetxattr(const void *path, const void *name, void *value, size_t size)",
    ) as Getxattr,
  };
}
