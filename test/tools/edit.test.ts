/** Editors, and tools that replace a file: written aside and renamed over it, or in place. */
import assert from "node:assert/strict";

import { toolTest } from "./support/workshop.js";

toolTest(
  "vim edits files in both of its ways, keeps backups and undo files, and leaves no swap file",
  { needs: ["vim"], base: "for i in 1 2 3; do seq 2000 >$i; done; chmod 750 1 2; ln 3 hard" },
  async ({ sh, committed }) => {
    const vim = (settings: string, file: string) =>
      sh(
        `vim -u NONE -i NONE -N -es --cmd 'set ${settings} backupskip= swapfile directory=.' -c '%s/^100$/one hundred/e' -c wq ${file} </dev/null`,
      );
    await vim("backup backupcopy=no", "1");
    await vim("nobackup backupcopy=yes undofile undodir=.", "2");
    await vim("writebackup backupcopy=auto", "3");
    await vim("", "new");
    assert.equal(await sh("ls -A | tr '\\n' ' '"), ".2.un~ 1 1~ 2 3 hard new ");
    assert.equal(
      await sh("diff 1~ 1 || cmp 1 2 && cmp 2 3 && cmp 3 hard"),
      "100c100\n< 100\n---\n> one hundred\n",
    );
    assert.equal(await sh("stat -c '%a %h' 1 2 3"), "750 1\n750 1\n644 2\n");
    await committed();
  },
);

toolTest(
  "sed -i, perl -i, sort -o, patch-like renames and truncating redirections replace files of the version",
  { needs: ["perl"], base: "mkdir d && for i in 1 2 3 4 5; do seq 5000 >d/$i; done; chmod 640 d/*" },
  async ({ sh, committed }) => {
    await sh(`cd d
sed -i 's/^77$/seventy-seven/' 1 2 && sed -i.bak '1,10d' 2 && perl -pi.orig -e 's/^9/nine/' 3
sort -ro 4 4 && seq 3 >5 && seq 4 >>5
seq 10 >5.tmp && mv 5.tmp 5 && for i in $(seq 100); do echo "$i" >x.tmp && mv x.tmp x; done`);
    const wanted = await sh(`
mkdir "$LOCAL/d" && cd "$LOCAL/d" && seq 5000 | sed 's/^77$/seventy-seven/' >1 && cp 1 2.bak && sed 1,10d 1 >2
seq 5000 >3.orig && sed 's/^9/nine/' 3.orig >3 && sort -r 3.orig >4 && seq 10 >5 && echo 100 >x && sha256sum *`);
    assert.equal(await sh("cd d && sha256sum *"), wanted);
    assert.equal(await sh("stat -c %a d/1 d/2 d/2.bak d/3"), "640\n".repeat(4));
    const path = await committed();
    assert.equal(await sh(`cd ${path}/d && sha256sum *`), wanted);
  },
);
