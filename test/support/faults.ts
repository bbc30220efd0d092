/** What goes wrong on purpose: rules that pick requests, and what then befalls them. */

/** What befalls a request. */
export type Fault =
  /** The answer comes later. */
  | { kind: "latency"; ms: number }
  /** Bytes of bodies, both ways, pass over one link of this width, shared by all requests the rule picks. */
  | { kind: "bandwidth"; bytesPerSecond: number }
  /** Answered with this error; nothing is done. */
  | { kind: "status"; status: number; code: string; headers?: Record<string, string> }
  /** The connection is reset: before anything is done, or after, so that only the answer is lost. */
  | { kind: "reset"; when: "before" | "after" }
  /** The body of the answer ends early, after this share of it. Default: a half. */
  | { kind: "cut"; share?: number }
  /** One byte of the answer's body is another. */
  | { kind: "wrong-bytes" }
  /** Nothing comes: no answer at all, or a body that stops in its middle. */
  | { kind: "stall"; where: "answer" | "body" };

/** Which requests: all conditions given must hold. */
export interface FaultRule {
  fault: Fault;
  /** Names of operations: `["GetObject"]`. Default: all. */
  operations?: readonly string[];
  /** A pattern of keys. */
  key?: string;
  /** Only the nth of the requests that fit, from 1. */
  nth?: number;
  /** None of the first so many that fit. */
  after?: number;
  /** The chance of each request that fits. */
  probability?: number;
  /** Of the chances. Default 1. */
  seed?: number;
  /** At most so many. */
  times?: number;
}

export interface Faults {
  /** These rules from now on, and the counts of what was injected from zero. */
  set(rules: readonly FaultRule[]): void;
  /** How many requests each kind of fault befell. */
  readonly injected: Readonly<Record<string, number>>;
}

/** A link of limited width: `take` resolves when the bytes have passed. */
export interface Link {
  take(bytes: number): Promise<void> | undefined;
}

export interface Befalling {
  fault: Fault;
  link: Link | undefined;
}

interface ActiveRule {
  rule: FaultRule;
  pattern: RegExp | undefined;
  random: () => number;
  fitting: number;
  injected: number;
  link: Link | undefined;
}

export class FaultRules implements Faults {
  injected: Record<string, number> = {};
  #rules: ActiveRule[] = [];

  set(rules: readonly FaultRule[]): void {
    this.injected = {};
    this.#rules = rules.map((rule) => ({
      rule,
      pattern: rule.key === undefined ? undefined : new RegExp(rule.key),
      random: randomFrom(rule.seed ?? 1),
      fitting: 0,
      injected: 0,
      link: rule.fault.kind === "bandwidth" ? linkOf(rule.fault.bytesPerSecond) : undefined,
    }));
  }

  /** What befalls this request; of faults of one kind, the first rule's. */
  pick(operation: string, key: string): Befalling[] {
    const picked = new Map<string, ActiveRule>();
    for (const active of this.#rules)
      if (befalls(active, operation, key) && !picked.has(active.rule.fault.kind))
        picked.set(active.rule.fault.kind, active);
    for (const [kind, active] of picked) {
      active.injected++;
      this.injected[kind] = (this.injected[kind] ?? 0) + 1;
    }
    return [...picked.values()].map(({ rule, link }) => ({ fault: rule.fault, link }));
  }
}

function befalls(active: ActiveRule, operation: string, key: string): boolean {
  const { rule, pattern } = active;
  if (rule.operations && !rule.operations.includes(operation)) return false;
  if (pattern && !pattern.test(key)) return false;
  active.fitting++;
  if (rule.nth !== undefined && active.fitting !== rule.nth) return false;
  if (active.fitting <= (rule.after ?? 0)) return false;
  if (rule.times !== undefined && active.injected >= rule.times) return false;
  return rule.probability === undefined || active.random() < rule.probability;
}

function linkOf(bytesPerSecond: number): Link {
  let freeAtMs = 0;
  return {
    take(bytes) {
      const now = performance.now();
      freeAtMs = Math.max(freeAtMs, now) + (bytes / bytesPerSecond) * 1000;
      const waitMs = freeAtMs - now;
      return waitMs < 1 ? undefined : new Promise((resolve) => setTimeout(resolve, waitMs));
    },
  };
}

/** mulberry32: small, and the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
