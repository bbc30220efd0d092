/**
 * Collection beside processes that commit, for as long as is asked: prints what was done, and what was lost.
 *
 *   node dist/test/dataset/collect/long-race.js [--minutes 10] [--committers 20] [--seed N] [--lease-seconds 5] [--stops 3] \
 *     [--catalog PLACE, for one that all share: a path or postgres:// URL] [--mounts, as root]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { race } from "./race.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    committers: { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    "lease-seconds": { type: "string", default: "5" },
    stops: { type: "string", default: "3" },
    catalog: { type: "string" },
    mounts: { type: "boolean", default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), "varve-race-"));
const ends: (() => unknown)[] = [];
try {
  console.log(`seed ${values.seed}`);
  const report = await race({
    scope: { after: (end) => void ends.push(end) },
    folder,
    committers: Number(values.committers),
    seconds: Number(values.minutes) * 60,
    seed: Number(values.seed),
    leaseSeconds: Number(values["lease-seconds"]),
    stops: Number(values.stops),
    catalog: values.catalog,
    mounts: values.mounts,
  });
  console.log(JSON.stringify(report, null, 1));
  process.exitCode = report.problems.length === 0 && report.collectedObjects > 0 ? 0 : 1;
} finally {
  for (const end of ends.reverse()) await end();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
