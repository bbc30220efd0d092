import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";

import { asksToEnd } from "../../src/fs/transport/kernel/pending-signals.js";

type Sets = Partial<Record<"pending" | "blocked" | "ignored" | "caught", readonly NodeJS.Signals[]>>;

/** What is pending, and what a program does about it, to whether its request is given up. */
const CASES: readonly [Sets, boolean][] = [
  [{}, false],
  [{ pending: ["SIGKILL"] }, true],
  [{ pending: ["SIGTERM"] }, true],
  [{ pending: ["SIGALRM"] }, true],
  [{ pending: ["SIGINT"], caught: ["SIGINT"] }, true],
  [{ pending: ["SIGTERM"], caught: ["SIGTERM"] }, true],
  [{ pending: ["SIGALRM"], caught: ["SIGALRM"] }, false],
  [{ pending: ["SIGPROF"], caught: ["SIGPROF"] }, false],
  [{ pending: ["SIGPROF", "SIGKILL"], caught: ["SIGPROF"] }, true],
  [{ pending: ["SIGINT"], ignored: ["SIGINT"] }, false],
  [{ pending: ["SIGINT"], blocked: ["SIGINT"] }, false],
  [{ pending: ["SIGCHLD"] }, false],
  [{ pending: ["SIGWINCH", "SIGURG", "SIGCONT"] }, false],
  [{ pending: ["SIGTSTP"] }, false],
];

for (const [sets, ends] of CASES)
  test(`a program with ${textOf(sets)} ${ends ? "does not wait any longer" : "goes on waiting"}`, () => {
    const { pending = [], blocked = [], ignored = [], caught = [] } = sets;
    const [pendingBits, blockedBits, ignoredBits, caughtBits] = [pending, blocked, ignored, caught].map(
      bitsOf,
    );
    const signals = {
      pending: pendingBits!,
      blocked: blockedBits!,
      ignored: ignoredBits!,
      caught: caughtBits!,
    };
    assert.equal(asksToEnd(signals), ends);
  });

function bitsOf(signals: readonly NodeJS.Signals[]): bigint {
  return signals.reduce((bits, signal) => bits | (1n << BigInt(constants.signals[signal] - 1)), 0n);
}

function textOf(sets: Sets): string {
  const parts = Object.entries(sets).map(([name, signals]) => `${signals.join(" and ")} ${name}`);
  return parts.join(", ") || "no signals";
}
