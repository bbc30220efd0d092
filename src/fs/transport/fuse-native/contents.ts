/** Callbacks on open files and their bytes. */
import { constants } from "node:fs";

import type { FuseOperations } from "./library.js";
import { callerHere } from "./names.js";
import type { OpenFile } from "./open-files.js";
import type { Served } from "./operations.js";
import { walking } from "./walk.js";

type ContentOperations = Pick<
  FuseOperations,
  "open" | "create" | "read" | "write" | "flush" | "fsync" | "release" | "ftruncate"
>;

/** Those of the `open(2)` that creates do not arrive; what is created is written, and may be read. */
const CREATE_FLAGS = constants.O_RDWR | constants.O_CREAT;

export function contentOperations(served: Served): ContentOperations {
  const { fileSystem, files, run } = served;
  return {
    open: (path, flags, answer) => run.value("open", () => open(served, path, flags), answer),
    create: (path, mode, answer) => run.value("create", () => create(served, path, mode), answer),
    read: (_path, file, target, length, offset, answer) =>
      run.count("read", () => fileSystem.read(files.get(file).ino, offset, length, target, 0), answer),
    write: (_path, file, bytes, length, offset, answer) =>
      run.count("write", () => write(served, files.get(file), offset, bytes.subarray(0, length)), answer),
    flush: (_path, file, answer) => run.done("flush", () => flush(served, files.get(file)), answer),
    fsync: (_path, dataOnly, file, answer) =>
      run.done("fsync", () => fileSystem.fsync(files.get(file).ino, dataOnly !== 0), answer),
    release: (_path, file, answer) => run.done("release", () => release(served, file), answer),
    ftruncate: (_path, file, sizeBytes, answer) =>
      run.done("ftruncate", () => fileSystem.setattr(files.get(file).ino, { sizeBytes }), answer),
  };
}

/** An open file holds what it was reached by, so that it outlives its name, and the folder it lay in. */
function open({ fileSystem, files }: Served, path: string, flags: number): number {
  return walking(fileSystem, (walk) => {
    const { ino } = walk.at(path);
    const handle = fileSystem.open(ino, flags);
    return files.add({ ino, held: walk.keep(), handle, writes: mayWrite(flags), unflushed: false });
  });
}

function create({ fileSystem, files }: Served, path: string, mode: number): number {
  return walking(fileSystem, (walk) => {
    const { attributes, handle } = fileSystem.create(...walk.place(path), mode, CREATE_FLAGS, callerHere());
    walk.made(attributes);
    return files.add({ ino: attributes.ino, held: walk.keep(), handle, writes: true, unflushed: false });
  });
}

function write({ fileSystem }: Served, file: OpenFile, offset: number, bytes: Uint8Array): number {
  const written = fileSystem.write(file.ino, file.handle, offset, bytes);
  file.unflushed = true;
  return written;
}

function flush({ fileSystem }: Served, file: OpenFile): void {
  fileSystem.flush(file.ino, file.handle);
  file.unflushed = false;
}

function release({ fileSystem, files }: Served, number: number): void {
  const { ino, held, handle } = files.get(number);
  files.delete(number);
  fileSystem.release(ino, handle);
  for (const each of held) fileSystem.forget(each, 1);
}

function mayWrite(flags: number): boolean {
  return (flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0;
}
