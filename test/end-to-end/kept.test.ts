/** What of a writable mount is in the version it makes, and what there is only while it is mounted. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { textIn } from "../dataset/support/folders.js";
import { differences, keptOf, treeOfFolder, treeOfVersion } from "../model/tree.js";
import { MOUNTED, asking, datasetAt, mountWritable, sh, userWith } from "./support/mounted.js";

const LINES = `
cd "$1"; umask 027; printf masked >masked; umask 022
mkdir sticky group empty; chmod 1777 sticky; chgrp 1234 group; chmod 2775 group; mkdir group/below; printf x >group/file
cp "$(command -v id)" id; chown 12:34 id; chmod 6755 id; chmod 000 base; chown 7:8 folder/base
printf first >hard; ln hard group/hard; ln -s nowhere dangling; chown -h 5:6 dangling; touch -h -d @1.5 dangling
printf x >"$(printf 'file \\377')"; mkdir "$(printf 'folder \\303')"; truncate -s 3M holes; printf end >>holes
touch -a -d @5 masked; mkfifo fifo; mknod device c 1 3; touch -d @7.123456789 empty
dd if=/dev/zero of=direct bs=8192 count=3 oflag=direct status=none`;

const PROGRAM = `
import mmap, os, socket, sys
os.chdir(sys.argv[1]); socket.socket(socket.AF_UNIX).bind("socket")
for name, flags in [("shared", mmap.MAP_SHARED), ("private", mmap.MAP_PRIVATE)]:
    open(name, "w").write("." * 9); mmap.mmap(os.open(name, os.O_RDWR), 9, flags)[0:6] = b"mapped"
for letter in "abc": os.setxattr("folder", "user." + letter * 250, letter.encode() * 65536)
os.setxattr("hard", b"user.\\xff", b"\\0\\xff"); print("done")
`;

const MODES_AND_OWNERS = {
  masked: "100640 0:0",
  sticky: "41777 0:0",
  group: "42775 0:1234",
  "group/below": "42755 0:1234",
  "group/file": "100644 0:1234",
  id: "106755 12:34",
  base: "100000 0:0",
  "folder/base": "100644 7:8",
  dangling: "120777 5:6",
  empty: "40755 0:0",
  "file \xff": "100644 0:0",
  "folder \xc3": "40755 0:0",
};

test(
  "a version keeps what its mount showed, and names the fifos, sockets and devices it left out",
  MOUNTED,
  async (t) => {
    const varve = await userWith(t, { base: "base", "folder/base": "base" });
    const { path } = await mountWritable(t, varve);
    await sh(LINES, path);
    await sh('python3 -c "$2" "$1"', path, PROGRAM);
    const shown = treeOfFolder(path);
    const said = (await varve.ok(["unmount", path, "--json"])).json();

    const { skipped } = (said as { committed: { skipped: unknown } }).committed;
    assert.deepEqual(skipped, ["device", "fifo", "socket"]);
    await asking(varve, async (workspace) => {
      const version = await datasetAt(workspace, "1.0.1");
      const kept = await treeOfVersion(version);
      assert.deepEqual(differences(["mount", keptOf(shown)], ["version", kept]), []);
      const seen = Object.keys(MODES_AND_OWNERS).map((at) => [at, kept.get(at)!] as const);
      assert.deepEqual(
        Object.fromEntries(seen.map(([at, { mode, uid, gid }]) => [at, `${mode} ${uid}:${gid}`])),
        MODES_AND_OWNERS,
      );
      assert.deepEqual(kept.get("hard")!.links, ["group/hard", "hard"]);
      assert.equal(kept.get("empty")!.mtimeNs, "7123456789");
      assert.deepEqual(
        Object.values(kept.get("folder")!.xattrs ?? {}).map((value) => value.length),
        [65_536, 65_536, 65_536],
      );
      assert.equal(await textIn(version, "shared"), "mapped...");
      assert.equal(await textIn(version, "private"), ".........");
    });
  },
);
