/** A user without rights: whatever root may read, nobody may not. */
const NOBODY = 65_534;

/** Runs `work`, which waits for nothing, with nobody's rights where the tests run as root; else with those there are. */
export function asNobody<T>(work: () => T): T {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid!(NOBODY);
  try {
    return work();
  } finally {
    process.seteuid!(0);
  }
}
