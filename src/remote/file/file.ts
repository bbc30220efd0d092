/**
 * Objects as files below a folder: the key is the path. Finding a file open, writing aside and walking the folder are
 * the neighbours' (`descriptors.ts`, `writes.ts`, `list.ts`); errno becomes a failure in `failure.ts`.
 *
 * A store of files cannot hold an object `a` beside an object `a/b`; everything else of the contract it keeps, on any
 * file system with hard links and atomic rename.
 */
import { rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { DatasetError, errnoOf } from "../../errors.js";
import { MiB } from "../../units.js";
import { cancellable, checkSignal } from "../cancel.js";
import { Descriptors, readWholeFile } from "./descriptors.js";
import { explainFile } from "./failure.js";
import { listFiles } from "./list.js";
import { ASIDE_FOLDER, fileWrites } from "./writes.js";
import { checkKey, checkPrefix } from "../key.js";
import type { ObjectKey, Remote } from "../remote.js";

const READ_WHOLE_MAX_BYTES = 256 * MiB;

/** A remote in the folder `directory`, which the first write makes where it is missing. */
export function fileRemote(directory: string, { readOnly = false }: { readOnly?: boolean } = {}): Remote {
  const root = resolve(directory);
  const url = pathToFileURL(root).href;
  const descriptors = new Descriptors();
  const writes = fileWrites(root);

  return {
    url,
    read: (key, start, end, { signal } = {}) =>
      answered("read", key, signal, (path) => descriptors.read(path, key, start, end)),
    readWhole: (key, { signal, maxBytes = READ_WHOLE_MAX_BYTES } = {}) =>
      answered("read", key, signal, (path) => readWholeFile(path, key, maxBytes)),
    stat: (key, { signal } = {}) => answered("look up", key, signal, (path) => infoOf(path, key)),
    put: (key, body, { signal } = {}) =>
      answered("put", key, signal, (path) => writes.put(allowed("put", key, path), key, body, signal)),
    create: (key, body, { signal } = {}) =>
      answered("create", key, signal, (path) =>
        writes.create(allowed("create", key, path), key, body, signal),
      ),
    async *list(prefix, { signal, after } = {}) {
      const what = `listing of "${prefix}" in ${url}`;
      checkSignal(signal, what);
      try {
        for await (const info of listFiles(root, checkPrefix(prefix), after)) {
          yield info;
          checkSignal(signal, what);
        }
      } catch (error) {
        throw explainFile(error, { attempt: "list", key: prefix, url, path: root });
      }
    },
    delete: (key, { signal } = {}) =>
      answered("delete", key, signal, (path) => remove(allowed("delete", key, path))),
    close: async () => descriptors.close(),
  };

  /** One request for a checked key: cancellable, and its failure explained. */
  function answered<T>(
    attempt: string,
    key: ObjectKey,
    signal: AbortSignal | undefined,
    work: (path: string) => Promise<T>,
  ): Promise<T> {
    const run = async () => {
      const path = join(root, checkFileKey(key));
      try {
        return await work(path);
      } catch (error) {
        throw explainFile(error, { attempt, key, url, path });
      }
    };
    return cancellable(signal, `${attempt} of "${key}" in ${url}`, run);
  }

  function allowed(attempt: string, key: ObjectKey, path: string): string {
    if (!readOnly) return path;
    const message = `Cannot ${attempt} "${key}" in ${url}: the remote was opened read-only`;
    throw new DatasetError("remote-refused", { key }, message);
  }
}

function checkFileKey(key: ObjectKey): ObjectKey {
  if (checkKey(key).split("/")[0] !== ASIDE_FOLDER) return key;
  const message = `Cannot use the object key "${key}": "${ASIDE_FOLDER}" is where writes are kept aside`;
  throw new DatasetError("bad-input", { value: key }, message);
}

async function infoOf(path: string, key: ObjectKey) {
  try {
    const found = await stat(path);
    return found.isFile() ? { key, sizeBytes: found.size, modifiedMs: Math.floor(found.mtimeMs) } : undefined;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    // A folder of that name is no object.
    if (!isAbsence(error) && errnoOf(error) !== "ERR_FS_EISDIR") throw error;
  }
}

function isAbsence(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "");
}
