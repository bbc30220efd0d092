/** A server as a process of its own: a test that reads a mount in its own process would keep the server from answering. */
import { type Scope, atEnd } from "../cleanup.js";
import { startNode } from "../processes.js";
import type { Counts } from "./counts.js";
import type { FaultRule, Faults } from "../faults.js";

export interface ObjectServerProcess<Said> {
  /** The line it printed. */
  said: Said & { endpoint: string };
  counts(): Promise<Counts["byOperation"]>;
  /** Counts from zero. */
  reset(): Promise<void>;
  /** What goes wrong from now on. */
  setFaults(rules: readonly FaultRule[]): Promise<void>;
  /** How many requests each kind of fault befell since the rules were set. */
  injected(): Promise<Faults["injected"]>;
}

/** @param main The program, which ends with `serveUntilInputEnds`. */
export async function objectServerProcess<Said>(
  scope: Scope,
  main: string,
): Promise<ObjectServerProcess<Said>> {
  const started = startNode(scope, main);
  atEnd(scope, async () => {
    started.child.stdin.end(); // It then ends by itself, and removes what it stored.
    await started.ended;
  });
  const [line] = await started.saying(/.*\n/);
  const { control, ...said } = JSON.parse(line) as Said & Record<"endpoint" | "control", string>;
  const ask = async (method: string, what: string, body?: string) => {
    const answer = await fetch(`${control}/${what}`, { method, ...(body !== undefined && { body }) });
    return answer.json();
  };
  return {
    said: said as unknown as Said & { endpoint: string },
    counts: async () => (await ask("GET", "counts")) as Counts["byOperation"],
    async reset() {
      await ask("POST", "reset");
    },
    async setFaults(rules) {
      await ask("PUT", "faults", JSON.stringify(rules));
    },
    injected: async () => (await ask("GET", "injected")) as Faults["injected"],
  };
}
