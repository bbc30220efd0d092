/**
 * How a test run is told to people: a line for each file as it ends, then each failure in full with what its file
 * printed, then what was skipped. What counts as what is `tally.ts`; the last line of a run is `scripts/test`'s.
 */
import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";

import { formatCountOf, formatDuration } from "../../src/cli/format.js";
import { type Failure, Tally, isFile } from "./tally.js";

/** The last of what a file printed, shown when it failed. */
const SHOWN_OUTPUT_LINES = 60;

/** For `node --test-reporter`. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const tally = new Tally();
  const outputs = new Map<string, string[]>();
  const failedFiles = new Set<string>();
  const startMs = performance.now();
  for await (const event of events) {
    tally.take(event);
    keepOutput(outputs, event);
    if (event.type !== "test:complete" || !isFile(event)) continue;
    if (event.data.details.error) failedFiles.add(event.data.name);
    yield fileLine(event.data);
  }
  for (const file of failedFiles) yield shownOutput(file, outputs.get(file) ?? []);
  yield* tally.failures.map(failureText);
  for (const { path, reason } of tally.skipped) yield `\nskipped: ${nameOf(path)}${reason && `: ${reason}`}`;
  const took = formatDuration(performance.now() - startMs);
  const skipped = tally.skipped.length > 0 ? `, ${tally.skipped.length} skipped` : "";
  yield `\n\n${formatCountOf(tally.passed, "test")} passed, ${tally.failures.length} failed${skipped}, in ${took}\n`;
}

type FileData = Extract<TestEvent, { type: "test:complete" }>["data"];

function fileLine({ name, details }: FileData): string {
  const took = formatDuration(details.duration_ms);
  return `${details.error ? "FAILED" : "ok    "} ${took.padStart(10)}  ${sourceOf(name)}\n`;
}

function keepOutput(outputs: Map<string, string[]>, event: TestEvent): void {
  if (event.type !== "test:stdout" && event.type !== "test:stderr") return;
  const { file, message } = event.data;
  const lines = [...(outputs.get(file) ?? []), ...message.replace(/\n$/, "").split("\n")];
  outputs.set(file, lines.slice(-SHOWN_OUTPUT_LINES));
}

function shownOutput(file: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `\nprinted by ${sourceOf(file)}:\n${indented(lines.join("\n"))}\n`;
}

function failureText({ path, error, unfinished }: Failure): string {
  const told = typeof error === "string" ? error : inspect(error, { depth: 8 });
  const begun = unfinished.map((name) => `\nnot ended: ${name}`).join("");
  return `\nFAILED: ${nameOf(path)}\n${indented(told + begun)}\n`;
}

function nameOf(path: readonly string[]): string {
  return path.map((name) => (name.startsWith("/") ? sourceOf(name) : name)).join(" › ");
}

/** The source of a built file, as people know it. */
function sourceOf(file: string): string {
  return relative(process.cwd(), file)
    .replace(/^dist[^/]*\//, "")
    .replace(/\.js$/, ".ts");
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "    ");
}
