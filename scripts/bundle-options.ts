/** How programs are put into few files, those that are shipped and those of tests that start a thousand times. */
import type { BuildOptions } from "esbuild";

export const BUNDLE_OPTIONS: BuildOptions = {
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
