/** One thing that was looked at, as plain data. */
export interface Finding {
  /** What was looked at: `FUSE device`. */
  name: string;
  ok: boolean;
  /** Whether varve cannot do its work without it; else it only does less, or does it slower. */
  needed: boolean;
  /** What there is. */
  found: string;
  /** What to do; empty when all is well. */
  advice: string;
}

/** `needed` may be left out (true), and `advice` where all is well. */
export function finding(
  name: string,
  ok: boolean,
  found: string,
  { advice = "", needed = true }: { advice?: string; needed?: boolean } = {},
): Finding {
  return { name, ok, needed, found, advice: ok ? "" : advice };
}
