/** Names, attributes and the rules of who gets which; what a local folder cannot be asked for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FileType, ROOT_INO } from "../../src/fs/filesystem.js";
import { CALLER } from "./support/client.js";
import { errno, overlayOver } from "./support/fixture.js";
import { pattern } from "./support/memory-base.js";

const names = (listed: [string, unknown][]): string[] => listed.map(([name]) => name);

test("moving a folder of the base writes one name there and one here, and keeps the inodes below it", async (t) => {
  const below = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`a/f${i}`, { content: pattern(5, i) }]),
  );
  const { client, snapshot } = await overlayOver(t, {
    a: { directory: true },
    ...below,
    b: { directory: true },
  });
  const before = client.resolve("a/f7").ino;
  client.rename("a", "b/moved");
  assert.equal(client.resolve("b/moved/f7").ino, before);
  assert.deepEqual(client.whole("b/moved/f7"), Buffer.from(pattern(5, 7)));
  const kinds = [...(await snapshot()).changes()].map((change) => `${change.kind} ${change.path}`);
  assert.deepEqual(kinds, ["remove a", "graft b/moved", "put ", "put b"]);
});

test("moving a folder there and back leaves only times changed", async (t) => {
  const { client, snapshot } = await overlayOver(t, {
    a: { directory: true },
    "a/f": { content: pattern(5, 1) },
  });
  client.rename("a", "b");
  client.rename("b", "a");
  const changes = [...(await snapshot()).changes()];
  assert.deepEqual(
    changes.map(({ kind, path }) => [kind, path]),
    [["put", ""]],
  );
});

test("a listing that is read while its names are removed misses none and gives none twice", async (t) => {
  const wanted = Array.from({ length: 400 }, (_, i) => `n${i}`);
  const planned = Object.fromEntries(
    wanted.slice(0, 200).map((name) => [`d/${name}`, { content: pattern(1, 1) }]),
  );
  const { client } = await overlayOver(t, { d: { directory: true }, ...planned });
  for (const name of wanted.slice(200)) client.put(`d/${name}`, pattern(1, 2));
  const { ino } = client.resolve("d");
  const seen: string[] = [];
  for (let cookie = 0, count = 1; count > 0;) {
    const page: string[] = [];
    client.overlay.readdir(ino, cookie, (name, _attributes, next) => {
      if (page.length === 7) return false;
      cookie = next;
      return page.push(name) > 0;
    });
    count = page.length;
    const removable = page.filter((name) => name.startsWith("n"));
    for (const name of removable) client.unlink(`d/${name}`);
    seen.push(...removable);
  }
  assert.deepEqual(seen.toSorted(), wanted.toSorted());
  client.rmdir("d");
});

test("a name of the base keeps its place in a listing when it is replaced, and others come after", async (t) => {
  const { client } = await overlayOver(t, { a: { content: pattern(1, 1) }, b: { content: pattern(1, 1) } });
  client.put("0-new", pattern(2, 1));
  client.rename("0-new", "a");
  client.put("0-newer", pattern(2, 1));
  assert.deepEqual(names(client.list("")), ["a", "b", "0-newer"]);
});

test("`.` and `..` are listed with the inodes they lead to, also in a folder that was moved", async (t) => {
  const { client } = await overlayOver(t, {
    a: { directory: true },
    "a/x": { directory: true },
    b: { directory: true },
  });
  client.rename("a/x", "b/x");
  const { ino } = client.resolve("b/x");
  const listed = new Map<string, number>();
  client.overlay.readdir(ino, 0, (name, attributes) => listed.set(name, attributes.ino).size > 0);
  assert.deepEqual(
    [...listed],
    [
      [".", ino],
      ["..", client.resolve("b").ino],
    ],
  );
});

test("making, removing and renaming set the times of the folders concerned, and the ctime of what is renamed", async (t) => {
  let now = 1;
  const { client } = await overlayOver(
    t,
    { a: { directory: true }, b: { directory: true } },
    { now: () => ({ sec: now, nsec: 0 }) },
  );
  const secondsOf = (path: string): number[] => [
    client.resolve(path).mtimeSec,
    client.resolve(path).ctimeSec,
  ];
  client.put("a/f", pattern(1, 1));
  assert.deepEqual(secondsOf("a"), [1, 1]);
  now = 2;
  client.rename("a/f", "b/f");
  assert.deepEqual(
    [secondsOf("a"), secondsOf("b"), secondsOf("b/f")],
    [
      [2, 2],
      [2, 2],
      [1, 2],
    ],
  );
  now = 3;
  client.unlink("b/f");
  assert.deepEqual(
    [secondsOf("a"), secondsOf("b")],
    [
      [2, 2],
      [3, 3],
    ],
  );
});

test("writing and truncating set both times, chmod only ctime, and utimens is exact to the nanosecond", async (t) => {
  let now = { sec: 5, nsec: 0 };
  const { client, reopen } = await overlayOver(t, { f: { content: pattern(10, 1) } }, { now: () => now });
  const { ino } = client.resolve("f");
  const times = (): number[] => {
    const { mtimeSec, mtimeNsec, ctimeSec } = client.overlay.getattr(ino);
    return [mtimeSec, mtimeNsec, ctimeSec];
  };
  client.patch("f", 3, pattern(1, 2));
  assert.deepEqual(times(), [5, 0, 5]);
  now = { sec: 6, nsec: 0 };
  client.overlay.setattr(ino, { mode: 0o600 });
  assert.deepEqual(times(), [5, 0, 6]);
  now = { sec: 7, nsec: 500_000_000 };
  client.overlay.setattr(ino, { sizeBytes: 4 });
  assert.deepEqual(times(), [7, 500_000_000, 7]);
  client.overlay.setattr(ino, { mtime: { sec: -3, nsec: 123_456_789 } });
  assert.deepEqual(times(), [-3, 123_456_789, 7]);
  assert.equal(reopen().resolve("f").mtimeNsec, 123_456_789);
});

test("the access time is that of the making, or the version's mtime, until it is set; reading and writing leave it", async (t) => {
  let now = { sec: 5, nsec: 0 };
  const files = { f: { content: pattern(10, 1), mtimeSec: 1 } };
  const { client, reopen } = await overlayOver(t, files, { now: () => now });
  const accessed = (path: string, from = client): number[] => {
    const { atimeSec, atimeNsec } = from.resolve(path);
    return [atimeSec, atimeNsec];
  };
  client.put("new", pattern(1, 1));
  now = { sec: 6, nsec: 0 };
  client.patch("f", 3, pattern(1, 2));
  client.patch("new", 0, client.whole("f"));
  assert.deepEqual(
    [accessed("f"), accessed("new")],
    [
      [1, 5], // the fixture's nanoseconds
      [5, 0],
    ],
  );
  client.overlay.setattr(client.resolve("f").ino, { atime: { sec: -3, nsec: 4 } });
  client.overlay.setattr(client.resolve("new").ino, { atime: "now" });
  const after = reopen();
  assert.deepEqual(
    [accessed("f", after), accessed("new", after)],
    [
      [-3, 4],
      [6, 0],
    ],
  );
  assert.deepEqual([after.resolve("f").mtimeSec, after.resolve("new").mtimeSec], [6, 6]);
});

test("a set-group-id folder gives its group, and to folders the bit; owners are the caller's else", async (t) => {
  const { client } = await overlayOver(t, {});
  const { ino } = client.mkdir("shared", 0o2775);
  client.overlay.setattr(ino, { gid: 4242 });
  const caller = { uid: 77, gid: 88, pid: 1, umask: 0o022 };
  const file = client.overlay.create(ino, "f", 0o664, 2, caller).attributes;
  const folder = client.overlay.mkdir(ino, "d", 0o775, caller);
  assert.deepEqual([file.uid, file.gid, file.mode], [77, 4242, FileType.file | 0o664]);
  assert.deepEqual([folder.gid, folder.mode], [4242, FileType.directory | 0o2775]);
});

test("`.varve` at the root cannot be made in any way, and below it can", async (t) => {
  const { client } = await overlayOver(t, { f: { content: pattern(1, 1) }, d: { directory: true } });
  const attempts = [
    () => client.create(".varve", 0o644),
    () => client.mkdir(".varve"),
    () => client.symlink(".varve", "x"),
    () => client.link("f", ".varve"),
    () => client.rename("f", ".varve"),
    () => client.overlay.mknod(ROOT_INO, ".varve", FileType.fifo | 0o644, 0, CALLER),
  ];
  for (const attempt of attempts) assert.throws(attempt, errno("EEXIST"));
  client.mkdir("d/.varve");
});

test("names of over 255 bytes are refused", async (t) => {
  const { client } = await overlayOver(t, {});
  client.mkdir("n".repeat(255));
  assert.throws(() => client.mkdir("n".repeat(256)), errno("ENAMETOOLONG"));
});

test("names that are not UTF-8 pass unchanged, and sort bytewise", async (t) => {
  const { client, reopen } = await overlayOver(t, {});
  client.put("caf\xe9\xff", pattern(3, 1));
  assert.deepEqual(names(reopen().list("")), ["caf\xe9\xff"]);
});

test("nothing can be made in a folder that was removed while somebody had it", async (t) => {
  const { client } = await overlayOver(t, { d: { directory: true } });
  const { ino } = client.resolve("d");
  client.rmdir("d");
  assert.throws(() => client.overlay.mkdir(ino, "x", 0o755, CALLER), errno("ENOENT"));
  const { ino: made } = client.mkdir("e");
  client.rmdir("e");
  assert.throws(() => client.overlay.create(made, "x", 0o644, 2, CALLER), errno("ENOENT"));
});

test("a file made without a name is given one by link, and one that lost its name is not", async (t) => {
  const { client } = await overlayOver(t, {});
  const { attributes, handle } = client.overlay.tmpfile(ROOT_INO, 0o600, 2, CALLER);
  client.overlay.write(attributes.ino, handle, 0, pattern(9, 1));
  assert.equal(client.overlay.link(attributes.ino, ROOT_INO, "named").nlink, 1);
  client.overlay.release(attributes.ino, handle);
  assert.deepEqual(client.whole("named"), Buffer.from(pattern(9, 1)));
  client.unlink("named");
  assert.throws(() => client.overlay.link(attributes.ino, ROOT_INO, "again"), errno("ENOENT"));
});

test("a fifo in the place of a base file takes the file out of the version", async (t) => {
  const { client, snapshot } = await overlayOver(t, {
    file: { content: Buffer.from("x") },
    link: { target: "x" },
  });
  for (const path of ["file", "link"]) {
    client.unlink(path);
    client.run((overlay) => overlay.mknod(ROOT_INO, path, FileType.fifo | 0o644, 0, CALLER));
  }
  const changes = [...(await snapshot()).changes()].filter(({ kind }) => kind !== "put");
  assert.deepEqual(changes, [
    { kind: "remove", path: "file" },
    { kind: "skipped", path: "file", type: FileType.fifo },
    { kind: "remove", path: "link" },
    { kind: "skipped", path: "link", type: FileType.fifo },
  ]);
});

test("fifos, sockets and devices live in the overlay, and its changes name them as skipped", async (t) => {
  const { client, snapshot } = await overlayOver(t, {});
  client.overlay.mknod(ROOT_INO, "fifo", FileType.fifo | 0o600, 0, CALLER);
  client.overlay.mknod(ROOT_INO, "null", FileType.character | 0o666, 0x103, CALLER);
  assert.equal(client.resolve("null").rdev, 0x103);
  const skipped = [...(await snapshot()).changes()].filter(({ kind }) => kind === "skipped");
  assert.deepEqual(skipped, [
    { kind: "skipped", path: "fifo", type: FileType.fifo },
    { kind: "skipped", path: "null", type: FileType.character },
  ]);
});

test("rename refuses both flags at once and flags it does not know", async (t) => {
  const { client } = await overlayOver(t, { a: { directory: true } });
  for (const flags of [3, 4]) {
    const attempt = () => client.overlay.rename(ROOT_INO, "a", ROOT_INO, "b", flags);
    assert.throws(attempt, errno("EINVAL"));
  }
});

test("attributes: only user.* is kept, its limits hold, and user.varve.* tells about unchanged files alone", async (t) => {
  const facts = (ordinal: number, name: string): Buffer => Buffer.from(`${name} of ${ordinal}`);
  const { client, base } = await overlayOver(t, { f: { content: pattern(10, 1) } }, { facts });
  const { ino } = client.resolve("f");
  const { overlay } = client;
  assert.throws(() => overlay.setxattr(ino, "trusted.x", pattern(1, 1), 0), errno("EOPNOTSUPP"));
  assert.throws(() => overlay.getxattr(ino, "security.capability"), errno("EOPNOTSUPP"));
  assert.throws(() => overlay.setxattr(ino, "user.varve.x", pattern(1, 1), 0), errno("EPERM"));
  assert.throws(() => overlay.setxattr(ino, `user.${"n".repeat(251)}`, pattern(1, 1), 0), errno("ERANGE"));
  assert.throws(() => overlay.setxattr(ino, "user.", pattern(1, 1), 0), errno("EINVAL"));
  assert.throws(() => overlay.setxattr(ino, "user.x", new Uint8Array(65_537), 0), errno("E2BIG"));
  overlay.setxattr(ino, "user.x", new Uint8Array(65_536), 0);
  assert.deepEqual(overlay.listxattr(ino), ["user.x"]);
  assert.equal(
    String(overlay.getxattr(ino, "user.varve.sha256")),
    `user.varve.sha256 of ${base.find("f" as never)}`,
  );
  client.patch("f", 0, pattern(1, 9));
  assert.throws(() => overlay.getxattr(ino, "user.varve.sha256"), errno("ENODATA"));
});
