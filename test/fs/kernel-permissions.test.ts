/** Who may do what in a writable mount, and what modes, owners and access control lists mean there. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { CAN_MOUNT, TIMEOUT } from "./support/mounted.js";
import { shareMount } from "./support/shared-mount.js";

const OPTIONS = { ...TIMEOUT, skip: !CAN_MOUNT };
const shared = shareMount();

test(
  "access control lists are refused, and cp -a says of which files it left them out",
  OPTIONS,
  async () => {
    const { python, sh } = await shared;
    const refused = await python(`
entries = [(1, 6, -1), (2, 4, 1234), (4, 4, -1), (16, 6, -1), (32, 0, -1)]
value = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
put("acl", "x"); os.mkdir("acl-folder"); os.mkdir(sys.argv[2] + "/from"); put(sys.argv[2] + "/from/listed", "content")
print(fails(os.setxattr, "acl", "system.posix_acl_access", value), fails(os.getxattr, "acl", "system.posix_acl_access"))
print(fails(os.setxattr, "acl-folder", "system.posix_acl_default", value))
os.setxattr(sys.argv[2] + "/from/listed", "system.posix_acl_access", value)
`);
    assert.deepEqual(refused, ["ENOTSUP ENOTSUP", "ENOTSUP"]);
    const copied = await sh(`
echo >"$2/from/plain"; chown 12:34 "$2/from/plain"; chmod 4751 "$2/from/plain"
cp -a "$2/from" to 2>&1 || echo failed; stat -c '%a %u %g' to/plain; cat to/listed; rm "$2/from/listed"; cp -a "$2/from" again && cp -a again local`);
    assert.deepEqual(copied, [
      "cp: preserving permissions for 'to/listed': Operation not supported",
      "failed",
      "4751 12 34",
      "content",
    ]);
  },
);

test("what is made has its mode less the umask", OPTIONS, async () => {
  const modes = await (
    await shared
  ).python(`
os.umask(0o027); os.mkdir("mask"); os.chdir("mask")
os.close(os.open("f", os.O_CREAT | os.O_WRONLY, 0o6777)); os.mkdir("d", 0o1777); os.mkfifo("p", 0o666)
tmp = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o666)
print(*(oct(stat.S_IMODE(os.lstat(name).st_mode)) for name in ["f", "d", "p"]), oct(stat.S_IMODE(os.fstat(tmp).st_mode)))
`);
  assert.deepEqual(modes, ["0o6750 0o1750 0o640 0o640"]);
});

test("the kernel lets others do what modes and owners allow, and root everything", OPTIONS, async () => {
  const lines = await (
    await shared
  ).sh(`
mkdir p; cd p; echo secret >own; chmod 600 own; echo shared >group; chgrp 1001 group; chmod 640 group
mkdir -m 711 passable; echo seen >passable/f; chmod 644 passable/f; mkdir -m 777 open
as 1001 'cat own'; as 1001 'echo >>own'; as 1001 'cat group'; as 1002 'cat group'; as 1001 'ls passable'; as 1001 'cat passable/f'
as 1001 'touch new'; as 1001 'rm group'; as 1001 'chmod 666 own'; as 1001 'chown 1001 own'; as 1001 'touch -d @1 passable/f'
as 1001 'echo mine >open/f && chmod 000 open/f && cat open/f'; stat -c '%u %g' open/f; cat open/f`);
  assert.deepEqual(lines, [
    "cat: own: Permission denied",
    "sh: 1: cannot create own: Permission denied",
    "shared",
    "cat: group: Permission denied",
    "ls: cannot open directory 'passable': Permission denied",
    "seen",
    "touch: cannot touch 'new': Permission denied",
    "rm: cannot remove 'group': Permission denied",
    "chmod: changing permissions of 'own': Operation not permitted",
    "chown: changing ownership of 'own': Operation not permitted",
    "touch: cannot touch 'passable/f': Permission denied",
    "cat: open/f: Permission denied",
    "1001 1001",
    "mine",
  ]);
});

test("from a sticky folder only owners remove and rename", OPTIONS, async () => {
  const lines = await (
    await shared
  ).sh(`
mkdir -m 1777 sticky; cd sticky; as 1001 'echo x >a; echo x >b'
as 1002 'rm -f a'; as 1002 'mv -f a c'; as 1002 'echo y >own; mv -f own b'; as 1001 'rm a'; ls`);
  assert.deepEqual(lines, [
    "rm: cannot remove 'a': Operation not permitted",
    "mv: cannot move 'a' to 'c': Operation not permitted",
    "mv: cannot move 'own' to 'b': Operation not permitted",
    "b",
    "own",
  ]);
});

test("what is made in a set-group-id folder has its group, and a folder the bit", OPTIONS, async () => {
  const lines = await (
    await shared
  ).sh(`
mkdir -m 2777 sg; chgrp 1234 sg; chmod 2777 sg; cd sg; as 1001 'umask 022; mkdir d d/below; echo x >d/f; mkfifo p; ln -s x s'
stat -c '%n %a %u %g' d d/below d/f p; stat -c '%u %g' s`);
  assert.deepEqual(lines, [
    "d 2755 1001 1234",
    "d/below 2755 1001 1234",
    "d/f 644 1001 1234",
    "p 644 1001 1234",
    "1001 1234",
  ]);
});

test("set-uid and set-gid bits are kept and give nobody anything", OPTIONS, async () => {
  const lines = await (
    await shared
  ).sh(`cp "$(command -v id)" id; chmod 6755 id; stat -c '%a %u %g' id; as 1001 './id -u; ./id -g'`);
  assert.deepEqual(lines, ["6755 0 0", "1001", "1001"]);
  const { path } = await shared;
  const line = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .find((one) => one.includes(` ${path} `));
  assert.match(line!, / rw,nosuid,nodev,.*default_permissions,allow_other/);
});
