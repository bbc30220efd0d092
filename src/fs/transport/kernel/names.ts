/** Operations on names: looking up, making, linking, renaming and removing them. */
import type { Operation } from "./session.js";
import {
  BatchForgetIn,
  ForgetIn,
  LinkIn,
  MkdirIn,
  MknodIn,
  NAME_AT,
  Rename2In,
  RenameIn,
} from "./protocol.js";

export const lookup: Operation = ({ fileSystem }, request, reply) => {
  const found = fileSystem.lookup(request.ino, request.name(NAME_AT));
  if (found) reply.entry(found);
  else reply.noEntry();
};

export const mkdir: Operation = ({ fileSystem }, request, reply) => {
  const caller = request.caller(request.u32(MkdirIn.umask));
  reply.entry(fileSystem.mkdir(request.ino, request.name(MkdirIn.name), request.u32(MkdirIn.mode), caller));
};

export const mknod: Operation = ({ fileSystem }, request, reply) => {
  const caller = request.caller(request.u32(MknodIn.umask));
  const [mode, rdev] = [request.u32(MknodIn.mode), request.u32(MknodIn.rdev)];
  reply.entry(fileSystem.mknod(request.ino, request.name(MknodIn.name), mode, rdev, caller));
};

export const symlink: Operation = ({ fileSystem }, request, reply) => {
  const [name, target] = request.names(NAME_AT);
  reply.entry(fileSystem.symlink(request.ino, name, target, request.caller(0)));
};

export const link: Operation = ({ fileSystem }, request, reply) => {
  reply.entry(fileSystem.link(request.u64(LinkIn.ino), request.ino, request.name(LinkIn.name)));
};

export const unlink: Operation = ({ fileSystem }, request) =>
  fileSystem.unlink(request.ino, request.name(NAME_AT));

export const rmdir: Operation = ({ fileSystem }, request) =>
  fileSystem.rmdir(request.ino, request.name(NAME_AT));

export const rename: Operation = ({ fileSystem }, request) => {
  const [name, newName] = request.names(RenameIn.name);
  fileSystem.rename(request.ino, name, request.u64(RenameIn.newParent), newName, 0);
};

export const rename2: Operation = ({ fileSystem }, request) => {
  const [name, newName] = request.names(Rename2In.name);
  const flags = request.u32(Rename2In.flags);
  fileSystem.rename(request.ino, name, request.u64(Rename2In.newParent), newName, flags);
};

export const readlink: Operation = ({ fileSystem }, request, reply) =>
  reply.text(fileSystem.readlink(request.ino));

export const forget: Operation = ({ fileSystem }, request, reply) => {
  reply.silent();
  fileSystem.forget(request.ino, request.u64(ForgetIn.count));
};

export const batchForget: Operation = ({ fileSystem }, request, reply) => {
  reply.silent();
  const { items, itemBytes } = BatchForgetIn;
  const end = Math.min(items + request.u32(BatchForgetIn.count) * itemBytes, request.length);
  for (let at: number = items; at + itemBytes <= end; at += itemBytes)
    fileSystem.forget(request.u64(at), request.u64(at + 8));
};
