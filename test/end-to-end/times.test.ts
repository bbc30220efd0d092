/** Times of files: what `stat` showed in a mount is what the version has, whoever keeps them until they are written. */
import { test } from "node:test";

import { openWorkshop } from "../tools/support/workshop.js";
import { MOUNTED } from "./support/mounted.js";

/** Ways to change a file whose bytes and times are written at other moments than the kernel's clock ticks. */
const CHANGES = [
  "printf 22 >%",
  "printf 333 >>%",
  "truncate -s 2 %",
  "truncate -s 9000 %",
  "truncate -s 1 % && printf x >>%",
  "fallocate -l 5000 %",
  "fallocate -n -l 9000 %",
  "fallocate -p -o 0 -l 1 %",
  "printf 55 | dd of=% bs=1 conv=notrunc status=none",
  "dd if=/dev/zero of=% bs=4096 count=1 oflag=direct status=none",
  "printf new >%.new && mv %.new %",
];

test(
  "a file written, cut, grown or replaced has the time in the version that stat showed",
  MOUNTED,
  async (t) => {
    const files = (folder: string) =>
      `mkdir ${folder} && for i in $(seq ${CHANGES.length * 3}); do printf 1 >${folder}/$i; done`;
    const { sh, committed } = await openWorkshop(t, files("base"));
    await sh(files("new"));
    const lines = CHANGES.flatMap((change, index) =>
      ["base", "new"].flatMap((folder) =>
        [1, 2, 3].map((copy) => change.replaceAll("%", `${folder}/${index * 3 + copy}`)),
      ),
    );
    await sh(lines.join("\n"));
    await committed();
  },
);
