/**
 * The speed of a mount beside that of the local disk, of a bare loop on /dev/fuse and of the fuse-native transport.
 * Run after a build, as root: `node dist/bench/filesystem.js [quick] [WORD …]`, where words select workloads by their
 * names. Works in a temporary folder, about 6 GiB; the version lies whole in varve's cache before anything is measured.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { FULL, QUICK, LARGE, makeFiles } from "./filesystem/files.js";
import { measure } from "./filesystem/measure.js";
import { workloadsOfBytes } from "./filesystem/of-bytes.js";
import { workloadsOfMaking, workloadsOfNames } from "./filesystem/of-names.js";
import { type Place, bareLoop, localDisk, mountOfVarve, sync } from "./filesystem/places.js";
import { type Results, render } from "./filesystem/report.js";
import { shell } from "./filesystem/workload.js";

const words = process.argv.slice(2);
const amounts = words.includes("quick") ? QUICK : FULL;
const wanted = words.filter((word) => word !== "quick");

const work = mkdtempSync(join(tmpdir(), "varve-bench-"));
const [files, scratch] = [join(work, "files"), join(work, "scratch")];
const all = [
  ...workloadsOfNames(amounts),
  ...workloadsOfBytes(amounts, scratch),
  ...workloadsOfMaking(amounts),
];
const workloads = all.filter(({ what }) => wanted.length === 0 || wanted.some((word) => what.includes(word)));

const places: Place[] = [];
const results: Results[number][] = [];
try {
  mkdirSync(scratch);
  makeFiles(files, amounts);
  sync(work, files);
  places.push(localDisk(files), bareLoop(work, join(files, LARGE)), ...mounts());
  for (const place of places) await place.renew();
  warm();
  for (const workload of workloads) {
    console.error(workload.what);
    results.push([workload, await measure(workload, places, amounts.rounds)]);
  }
} finally {
  for (const place of places) await place.close();
  rmSync(work, { recursive: true, maxRetries: 3 });
}
console.log(render(results));

function mounts(): Place[] {
  const native = ["--transport", "fuse-native"];
  return [
    mountOfVarve(work, "varve"),
    mountOfVarve(work, "varve, no passthrough", "--no-passthrough"),
    mountOfVarve(work, "varve -w", "--writable"),
    mountOfVarve(work, "fuse-native", ...native),
    mountOfVarve(work, "fuse-native -w", "--writable", "--accept-limits", ...native),
  ];
}

/** Brings every block into varve's cache. */
function warm(): void {
  for (const { name, path } of places) if (name === "varve") shell('tar -cf - -C "$1" . | cat', path);
}
