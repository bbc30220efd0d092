/** Paths of random operations: drawn as how to choose one, and chosen among what is there when the step comes. */
import fc from "fast-check";

/**
 * A path, or how to choose one when its step comes: the nth file, directory or anything that is there by then, or a
 * name in the nth directory.
 */
export type Where =
  string | { file: number } | { directory: number } | { any: number } | { in: number; name: string };

/** What there is: paths below the root, sorted. */
export interface Nodes {
  all: readonly string[];
  files: readonly string[];
  directories: readonly string[];
}

/** Nodes are told by numbers below this, so that none of a larger tree is met often. */
const NODES = 30;

export type Paths = ReturnType<typeof pathsWith>;

/** Paths whose names are drawn from `names`; each kind is mostly what it says, and sometimes anything. */
export function pathsWith(names: fc.Arbitrary<string>) {
  const nth = fc.nat(NODES);
  const stray = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
  const any = fc.record({ any: nth });
  const inside = fc.record({ in: nth, name: names });
  const mostly = (usual: fc.Arbitrary<Where>, rare: fc.Arbitrary<Where>): fc.Arbitrary<Where> =>
    fc.oneof(
      { weight: 8, arbitrary: usual },
      { weight: 1, arbitrary: rare },
      { weight: 1, arbitrary: stray },
    );
  return {
    file: mostly(fc.record({ file: nth }), any),
    directory: mostly(fc.record({ directory: nth }), any),
    fresh: mostly(inside, any),
    path: mostly(any, inside),
    either: mostly(fc.oneof(inside, any, fc.record({ directory: nth })), any),
  };
}

export function choose(where: Where, { all, files, directories }: Nodes): string {
  if (typeof where === "string") return where;
  if ("any" in where) return nth(all, where.any);
  if ("file" in where) return nth(files, where.file);
  if ("directory" in where) return nth(directories, where.directory);
  const directory = nth(["", ...directories], where.in);
  return directory === "" ? where.name : `${directory}/${where.name}`;
}

function nth(paths: readonly string[], index: number): string {
  return paths[index % paths.length] ?? "none";
}
