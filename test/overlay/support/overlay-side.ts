/** Does each step on an overlay. */
import { constants } from "node:fs";
import { type Client, type Handle } from "./client.js";
import { shown } from "./folder-side.js";
import { pattern } from "./memory-base.js";
import type { Handlers } from "./operations.js";

/** `open` gives the handle, not to be compared. */
export function overlaySide(client: Client): Handlers {
  const withFile = <T>(path: string, use: (file: Handle) => T): T => {
    const file = client.open(path, constants.O_RDWR);
    try {
      return use(file);
    } finally {
      client.close(file);
    }
  };
  const change = (path: string, changes: Parameters<typeof client.overlay.setattr>[1]): void => {
    const { ino } = client.follow(path);
    client.run((overlay) => overlay.setattr(ino, changes));
  };
  return {
    create: ({ path, mode, bytes }, seed) => {
      const file = client.create(path, mode);
      client.write(file, 0, pattern(bytes, seed));
      client.close(file);
    },
    write: ({ path, offset, bytes }, seed) =>
      withFile(path, (file) => {
        client.write(file, offset, pattern(bytes, seed));
      }),
    truncate: ({ path, size }) => withFile(path, () => change(path, { sizeBytes: size })),
    fallocate: ({ path, mode, offset, length }) =>
      withFile(path, ({ ino }) => client.run((overlay) => overlay.fallocate(ino, mode, offset, length))),
    read: ({ path, offset, length }) => withFile(path, (file) => client.read(file, offset, length)),
    mkdir: ({ path, mode }) => void client.mkdir(path, mode),
    symlink: ({ path, target }) => void client.symlink(path, target),
    readlink: ({ path }) => {
      const { ino } = client.resolve(path);
      return client.run((overlay) => overlay.readlink(ino));
    },
    link: ({ path, to }) => void client.link(path, to),
    rename: ({ path, to, flags }) => client.rename(path, to, flags),
    unlink: ({ path }) => client.unlink(path),
    rmdir: ({ path }) => client.rmdir(path),
    list: ({ path }) =>
      client
        .list(path)
        .map(([name]) => name)
        .sort(),
    stat: ({ path }) => {
      const { mode, nlink, sizeBytes, uid, gid } = client.resolve(path);
      return shown({ mode, nlink, size: sizeBytes, uid, gid });
    },
    chmod: ({ path, mode }) => change(path, { mode }),
    utimes: ({ path, sec }) => change(path, { mtime: { sec, nsec: 0 } }),
    setxattr: ({ path, name, value, flags }) => {
      const { ino } = client.resolve(path);
      client.run((overlay) => overlay.setxattr(ino, name, Buffer.from(value), flags));
    },
    getxattr: ({ path, name }) => {
      const { ino } = client.resolve(path);
      return Buffer.from(client.run((overlay) => overlay.getxattr(ino, name)));
    },
    removexattr: ({ path, name }) => {
      const { ino } = client.resolve(path);
      client.run((overlay) => overlay.removexattr(ino, name));
    },
    open: ({ path }) => client.open(path, constants.O_RDWR),
  };
}
