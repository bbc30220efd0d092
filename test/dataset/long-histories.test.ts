import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { type Costs, History, meteredHome } from "../../bench/support/histories.js";
import { startMeter } from "../../bench/support/meter.js";
import { atEnd } from "../support/cleanup.js";
import { onlyOnSqlite } from "../support/catalog-place.js";
import { tempDir } from "../support/temp.js";

const DEPTH = 60;
/** Of those that a range of entries names. */
const MOST_SMALL_PACKS = 32;
const OPERATIONS = ["add", "list", "restore", "sync"] as const;

test("the last version of a long chain costs what the second does, but for its labels and a few small packs", async (t) => {
  const fileAlone = onlyOnSqlite("count of statements");
  if (fileAlone) {
    t.skip(fileAlone);
    return;
  }
  const folder = await tempDir(t);
  const home = meteredHome(folder);
  startMeter(home.catalogPath);
  const begin = async (name: string) => {
    const own = join(folder, name);
    mkdirSync(own);
    const history = await History.begin(home, own, `p/${name}`, 10);
    atEnd(t, () => history.close());
    return history;
  };

  const chain = await begin("chain");
  const second = await chain.measure();
  await chain.lengthen(DEPTH - 4);
  const last = await chain.measure();

  await t.test("the same catalog queries, whatever is done", () => {
    assertClose("queries", last, second);
  });

  await t.test("opening and listing asks the remote as often", () => {
    assert.equal(last.list.requests, second.list.requests);
  });

  await t.test("a new version asks the remote for one index segment more each time the depth doubles", () => {
    const more = Math.ceil(Math.log2(DEPTH));
    for (const what of ["add", "sync"] as const) {
      const [deep, shallow] = [last[what].requests, second[what].requests];
      assert.ok(
        deep >= shallow && deep <= shallow + more,
        `${what}: ${deep} requests, ${shallow} at depth 2`,
      );
    }
  });

  await t.test("a restore asks for few packs, since commits lay small ones together", () => {
    const more = last.restore.requests - second.restore.requests;
    assert.ok(more > 0 && more < MOST_SMALL_PACKS, `${more} requests more`);
  });

  await t.test("looking for others' versions costs a key and a label of each, twice in a sync", () => {
    const more = { add: DEPTH - 2, list: DEPTH - 2, restore: DEPTH - 2, sync: 2 * (DEPTH - 2) };
    assert.deepEqual(
      each((what) => last[what].listed - second[what].listed),
      more,
    );
    assertClose("rows", last, second, more);
  });

  await t.test("a diamond on top of two others costs the queries of the first", async () => {
    const ladder = await begin("diamonds");
    const low = await ladder.measure(await ladder.fork());
    await ladder.join(await ladder.fork());
    const high = await ladder.measure(await ladder.fork());
    assertClose("queries", high, low);
    assert.equal(high.list.requests, low.list.requests);
  });
});

/** The same and `more`, but for one a second: who reads from a remote asks the catalog so often where it is now. */
function assertClose(field: "queries" | "rows", costs: Costs, base: Costs, more = each(() => 0)): void {
  for (const what of OPERATIONS) {
    const [value, expected] = [costs[what][field], base[what][field] + more[what]];
    const slack = Math.ceil(costs[what].seconds) + Math.ceil(base[what].seconds);
    assert.ok(Math.abs(value - expected) <= slack, `${what}: ${value} ${field}, not ${expected}`);
  }
}

function each(value: (what: keyof Costs) => number): Record<keyof Costs, number> {
  return { add: value("add"), list: value("list"), restore: value("restore"), sync: value("sync") };
}
