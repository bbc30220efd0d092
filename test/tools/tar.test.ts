/** tar into a writable mount and out of it. */
import assert from "node:assert/strict";

import { describeFolder } from "../dataset/support/folders.js";
import { toolTest } from "./support/workshop.js";

toolTest(
  "tar brings attributes, hard links, holes, modes and times into a mount and out of it",
  {
    needs: ["tar", "setfattr"],
    base: `
mkdir -p source/a/b && cd source && seq 1000 >a/one && ln a/one a/b/also && ln -s ../a a/link
truncate -s 30M sparse && echo start | dd of=sparse conv=notrunc status=none && echo end >>sparse
seq 300 | xargs -I% sh -c 'echo % >a/b/%' && setfattr -n user.note -v text a/one && setfattr -n user.folder -v yes a
chmod 2750 a/b && chmod 4711 a/one && touch -d '2001-01-01 00:00:00.123456789' a/one a/b a sparse`,
  },
  async ({ sh, at, scratch, committed }) => {
    const flags = "--xattrs --format=posix -S";
    const bytes = await sh(`
cp -a source "$LOCAL/in" && tar ${flags} -cf "$LOCAL/in.tar" -C "$LOCAL/in" .
mkdir out && tar ${flags} -xpf "$LOCAL/in.tar" -C out && tar ${flags} --compare -f "$LOCAL/in.tar" -C out
for name in source out; do tar ${flags} -cf "$LOCAL/$name.tar" -C "$name" .; done
mkdir "$LOCAL/back" && tar ${flags} -xpf "$LOCAL/out.tar" -C "$LOCAL/back"
stat -c %s "$LOCAL/source.tar" "$LOCAL/out.tar" && du -k --apparent-size out/sparse && du -k out/sparse`);
    const wanted = describeFolder(`${scratch}/in`);
    assert.deepEqual(describeFolder(`${at}/out`), wanted);
    assert.deepEqual(describeFolder(`${scratch}/back`), wanted);
    const [fromBase, fromMount, apparentKiB, onDiskKiB] = bytes.match(/^\d+/gm)!.map(Number);
    assert.ok(
      fromBase! < 2_000_000 && fromMount! < 2_000_000,
      "holes are found in the version and in the mount",
    );
    assert.ok(apparentKiB! > 30_000 && onDiskKiB! < 100, "holes are kept");
    const path = await committed();
    assert.equal(await sh(`tar ${flags} --compare -f "$LOCAL/in.tar" -C ${path}/out`), "");
    assert.ok(
      Number(await sh(`tar ${flags} -c -C ${path}/out . | wc -c`)) < 2_000_000,
      "and in what was committed",
    );
  },
);
