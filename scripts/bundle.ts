/**
 * Puts each program of `src/programs.ts`, the command and the library into few files under dist/varve, which is what
 * is shipped: a command then starts in a third of the time, since Node finds and links 30 files instead of 900.
 * What is imported on first use stays a file of its own.
 */
import { chmod, rm } from "node:fs/promises";
import { type BuildOptions, build } from "esbuild";

const OUT = "dist/varve";

/**
 * What starts together shares its code. The command, the process of a mount and the library each have their own: cut for all
 * of them at once, it falls into three times as many files, each of which costs a start.
 */
const PROGRAMS = [
  ["src/cli.ts"],
  ["src/daemon.ts", "src/fs/worker.ts"],
  ["src/mount-helper.ts"],
  ["src/index.ts", "src/content/ingest-worker.ts", "src/dataset/copies/copy-worker.ts"],
];

const options: BuildOptions = {
  outdir: OUT,
  // Shared code must lie beside src/programs.ts's own, whose URLs count from there.
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  sourcemap: true,
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "linked",
  alias: { "string-width": "./src/cli/string-width.ts" },
  // As ES modules, of which only what is used is taken: the SDK of S3 then loads in a third of the time.
  mainFields: ["module", "main"],
  // These load machine code that lies beside them, are SDKs that find their own parts, or are never there.
  external: [
    "better-sqlite3",
    "fuse-native",
    "koffi",
    "@azure/storage-blob",
    "@azure/identity",
    "@google-cloud/storage",
    "pg-native",
  ],
  // Packages that are not ES modules call `require`. Few files hold one, and making it costs a start.
  banner: {
    js: [
      'import { createRequire as moduleRequire } from "node:module";',
      "let madeRequire; const require = (id) => (madeRequire ??= moduleRequire(import.meta.url))(id);",
    ].join("\n"),
  },
  logLevel: "warning",
};

await rm(OUT, { recursive: true, force: true });
for (const entryPoints of PROGRAMS) await build({ ...options, entryPoints, outbase: "src" });
for (const command of ["cli", "mount-helper"]) await chmod(`${OUT}/${command}.js`, 0o755);
