/** Counts of a tree or of a part of it. */

/** How many entries of each kind, and the sum of the sizes of files and links. */
export interface Totals {
  entries: number;
  files: number;
  directories: number;
  symlinks: number;
  links: number;
  contentBytes: number;
}

export const NO_TOTALS: Totals = {
  entries: 0,
  files: 0,
  directories: 0,
  symlinks: 0,
  links: 0,
  contentBytes: 0,
};

/** The sum of two totals. */
export function addTotals(a: Totals, b: Totals): Totals {
  return {
    entries: a.entries + b.entries,
    files: a.files + b.files,
    directories: a.directories + b.directories,
    symlinks: a.symlinks + b.symlinks,
    links: a.links + b.links,
    contentBytes: a.contentBytes + b.contentBytes,
  };
}
