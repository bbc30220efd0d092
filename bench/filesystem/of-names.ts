/** Workloads on names and attributes. */
import { closeSync, mkdtempSync, openSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";

import { shuffled } from "../../test/support/shuffled.js";
import { type Amounts, LISTED, entriesOf } from "./files.js";
import type { Place } from "./places.js";
import { type Workload, firstAndAgain, shell } from "./workload.js";

/** Workloads that only look. */
export function workloadsOfNames(amounts: Amounts): Workload[] {
  return [...listing(amounts), ...stats(amounts)];
}

function listing(amounts: Amounts): Workload[] {
  const { listed } = amounts;
  const [needs, unit] = ["files", "entries"] as const;
  const ls = ({ path }: Place) => shell('ls -l "$1"', join(path, LISTED));
  const du = ({ path }: Place) => shell('du -s "$1"', path);
  const goal = { timesLocal: 2 };
  return [
    ...firstAndAgain(
      { what: `ls -l of ${listed}`, needs, unit, count: listed, run: ls },
      { first: goal, again: goal },
    ),
    ...firstAndAgain({ what: "du of all", needs, unit, count: entriesOf(amounts), run: du }),
  ];
}

/** In no order, so that no listing helps. */
function stats({ listed }: Amounts): Workload[] {
  const names = shuffled(listed).map((index) => `${LISTED}/file-${index}`);
  const run = ({ path }: Place) => {
    for (const name of names) statSync(join(path, name));
  };
  return firstAndAgain({
    what: `stat of ${listed}, in no order`,
    needs: "files",
    unit: "calls",
    count: listed,
    run,
  });
}

/** Each time in a folder of its own; what is deleted comes last, since ext4 is slow to make files after that. */
export function workloadsOfMaking({ made }: Amounts): Workload[] {
  const common = { needs: "changes", unit: "files", isFirst: false, count: made } as const;
  let folder = "";
  const before = ({ path }: Place) => {
    folder = mkdtempSync(join(path, "made-"));
  };
  const makeAll = () => {
    for (let index = 0; index < made; index++) closeSync(openSync(join(folder, `file-${index}`), "wx"));
  };
  const beforeUnlink = (place: Place) => {
    before(place);
    makeAll();
  };
  const unlinkAll = () => {
    for (let index = 0; index < made; index++) unlinkSync(join(folder, `file-${index}`));
  };
  return [
    { ...common, what: `create ${made}`, goal: { perSecond: 5_000 }, before, run: makeAll },
    { ...common, what: `unlink ${made}`, before: beforeUnlink, run: unlinkAll },
  ];
}
