/** A user whose bucket does everything wrong that a bucket can do, and what must hold whatever it does. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import type { Scope } from "../../support/cleanup.js";
import type { Fault, FaultRule } from "../../support/faults.js";
import { type S3ServerProcess, s3Environment, s3ServerProcess } from "../../support/s3.js";
import { type Varve, varveUser } from "../../support/varve.js";

export const REMOTE = "s3://bucket/faulty";
const IMPATIENT = new URL("impatient-s3.js", import.meta.url).href;

/** One of each kind the server knows, some in two ways. */
export const EVERY_FAULT: readonly Fault[] = [
  { kind: "latency", ms: 30 },
  { kind: "bandwidth", bytesPerSecond: 20_000_000 },
  { kind: "status", status: 500, code: "InternalError" },
  { kind: "status", status: 503, code: "SlowDown" },
  { kind: "status", status: 429, code: "TooManyRequests" },
  { kind: "reset", when: "before" },
  { kind: "reset", when: "after" },
  { kind: "cut" },
  { kind: "wrong-bytes" },
  { kind: "stall", where: "answer" },
  { kind: "stall", where: "body" },
];
/** What shows that a kind of fault was met. */
const LEAST_INJECTED = 20;

export interface FaultyUser {
  server: S3ServerProcess;
  varve: Varve;
}

/** @param isPatient Whether silence is borne for as long as the product bears it. */
export async function userOfFaultyBucket(scope: Scope, isPatient = false): Promise<FaultyUser> {
  const server = await s3ServerProcess(scope);
  const preloaded = isPatient ? {} : { NODE_OPTIONS: `--import=${IMPATIENT}` };
  const varve = await varveUser(scope, { ...s3Environment(server), ...preloaded, VARVE_REMOTE: REMOTE });
  return { server, varve };
}

/** Each of these at so many of all requests. */
export function rulesOf(faults: readonly Fault[], probability: number): FaultRule[] {
  return faults.map((fault, index) => ({ fault, probability, seed: index + 1 }));
}

/** The kinds that befell fewer than 20 requests: a run that met them so seldom shows nothing. */
export function unmetOf(injected: Readonly<Record<string, number>>, faults: readonly Fault[]): string[] {
  const kinds = new Set(faults.map(({ kind }) => kind));
  return [...kinds].filter((kind) => (injected[kind] ?? 0) < LEAST_INJECTED);
}

/** Copies files of a folder, eight at a time; gives those that could not be copied, each with what its reader was told. */
export function copyFiles(from: string, to: string, paths: readonly string[]): Map<string, string> {
  const args = ["-0", "-P", "8", "-n", "40", "cp", "-t", to];
  const { stderr } = spawnSync("xargs", args, { cwd: from, input: paths.join("\0"), encoding: "utf8" });
  const failures = new Map<string, string>();
  for (const line of stderr.split("\n").filter((text) => text !== "" && !text.startsWith("xargs:"))) {
    const [, path = "", told = ""] = /^cp: error reading '(.*)': (.*)$/.exec(line) ?? [];
    assert.equal(told, "Input/output error", line);
    failures.set(path, told);
  }
  return failures;
}

/** Every copy holds what the file holds; of one that failed, what there is of it is right. */
export function checkCopies(
  source: string,
  copies: string,
  paths: readonly string[],
  failed: ReadonlyMap<string, string>,
): void {
  for (const path of paths) {
    if (failed.has(path) && !existsSync(join(copies, path))) continue;
    const copy = readFileSync(join(copies, path));
    const wanted = readFileSync(join(source, path));
    if (!failed.has(path)) assert.equal(copy.length, statSync(join(source, path)).size, path);
    assert.ok(wanted.subarray(0, copy.length).equals(copy), `wrong bytes in ${path}`);
  }
}
