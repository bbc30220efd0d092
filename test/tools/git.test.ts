/** git on a writable mount: what it makes is a sound repository there, and in the version. */
import assert from "node:assert/strict";

import { toolTest } from "./support/workshop.js";

/** A repository of 200 files and two commits. */
const REPOSITORY = `
git init -q -b main origin && cd origin
for i in $(seq 200); do mkdir -p "d$((i % 20))" && seq "$i" "$((i + 100))" >"d$((i % 20))/f$i"; done
git add -A && git commit -qm one
git mv d1 moved && git commit -qm two`;

toolTest(
  "git clones, commits, branches, pushes and collects garbage, and fsck finds nothing in the version",
  { needs: ["git"], base: REPOSITORY },
  async ({ sh, committed }) => {
    const head = await sh(`
git clone -q origin linked
git clone -q --no-hardlinks origin work && cd work
seq 5 >new && sed -i s/20/twenty/ d2/f2 && git rm -q d3/f3 && git mv d4 d4-moved
git add -A && git commit -qm three
git checkout -qb side HEAD^ && seq 9 >side && git add side && git commit -qm side
git checkout -q main && git merge -q --no-edit side
git push -q origin side && git worktree add -q ../second side && git stash list
git gc -q --prune=now && git repack -qad && git fsck --strict --no-dangling --no-progress
git -C ../origin fsck --strict --no-dangling --no-progress
test -z "$(git status --porcelain)" && git rev-parse HEAD`);
    const path = await committed();
    const read = (args: string) => sh(`git --no-optional-locks -C ${path}/${args}`);
    assert.equal(await read("work rev-parse HEAD"), head);
    for (const name of ["work", "linked", "origin"]) await read(`${name} fsck --strict --no-dangling`);
    assert.equal(await read("work status --porcelain"), "");
    assert.equal(
      await read("work log --format=%s --topo-order | sort"),
      "Merge branch 'side'\none\nside\nthree\ntwo\n",
    );
  },
);
