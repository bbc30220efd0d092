/** rsync into a writable mount and out of it, with everything it can keep. */
import assert from "node:assert/strict";

import { toolTest } from "./support/workshop.js";

/** Hard links, attributes, owners, times, holes, modes, links and odd names, and what stays when rsync updates. */
const SOURCE = `
mkdir -p source/a/b source/empty source/many && cd source
echo one >a/one && ln a/one a/b/also && ln -s one a/link && ln -s /nowhere dangling
head -c 3000000 /dev/urandom >large && truncate -s 5M sparse && echo data | dd of=sparse bs=1 seek=3M conv=notrunc status=none
setfattr -n user.note -v "$(seq 100)" a/one && setfattr -n user.folder -v yes a && setfattr -n user.empty large
echo odd >$'new\\nline' && echo bytes >$'\\xff\\xfe' && seq 200 | xargs -I% sh -c 'echo % >many/%'
chmod 4711 a/b/also && chown 5:6 large && chown -h 7:8 a/link && chmod 1777 empty
touch -d '2001-01-01 00:00:00.123456789' a/b empty && touch -h -d '1965-05-05 05:05:05.5' a/link`;

toolTest(
  "rsync -aHAX copies into a mount and out of it, and a second run finds nothing to do",
  { needs: ["rsync", "setfattr"], base: SOURCE },
  async ({ sh, scratch, committed }) => {
    await sh(`cp -a source "$LOCAL/in" && rsync -aHAX "$LOCAL/in/" copy/`);
    const differences = `rsync -aHAX --itemize-changes --delete`;
    assert.equal(await sh(`${differences} "$LOCAL/in/" copy/`), "", "a second run into the mount");
    await sh(`rsync -aHAX copy/ "$LOCAL/out/"`);
    assert.equal(await sh(`${differences} copy/ "$LOCAL/out/"`), "", "a second run out of the mount");
    assert.equal(await sh(`${differences} --checksum --dry-run "$LOCAL/in/" "$LOCAL/out/"`), "");
    const path = await committed();
    assert.equal(await sh(`${differences} --checksum --dry-run "${scratch}/in/" ${path}/copy/`), "");
  },
);

toolTest(
  "rsync brings a folder of the version up to date in place, sending only what differs, and deletes what went",
  { needs: ["rsync", "setfattr"], base: SOURCE },
  async ({ sh, scratch, committed }) => {
    const said = await sh(`
cp -a source "$LOCAL/in" && (cd "$LOCAL/in" && rm -r many && mv a moved && echo more >>large && echo CHANGED | dd of=large bs=1 seek=1M conv=notrunc status=none)
rsync -aHAX --inplace --no-whole-file --delete --stats "$LOCAL/in/" source/ | grep 'Literal data'`);
    assert.ok(Number(/Literal data: ([\d,]+)/.exec(said)?.[1]?.replaceAll(",", "")) < 200_000, said);
    const path = await committed();
    assert.equal(await sh(`rsync -aHAX --itemize-changes --delete -cn ${scratch}/in/ ${path}/source/`), "");
  },
);
