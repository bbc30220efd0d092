import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** Folders look one way: cli, daemon, dataset → fs → manifest, content, cache → remote. */
const ABOVE = {
  remote: ["cache", "manifest", "fs", "catalog", "dataset", "daemon", "cli"],
  cache: ["manifest", "fs", "catalog", "dataset", "daemon", "cli"],
  content: ["manifest", "fs", "catalog", "dataset", "daemon", "cli"],
  manifest: ["fs", "catalog", "dataset", "daemon", "cli"],
  catalog: ["cache", "fs", "dataset", "daemon", "cli"],
  fs: ["catalog", "dataset", "daemon", "cli"],
};

export default defineConfig(
  { ignores: ["dist*/", "node_modules/", "eslint.config.js"] },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/only-throw-error": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  Object.entries(ABOVE).map(([folder, above]) => ({
    files: [`src/${folder}/**/*.ts`],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              regex: `^(\\.\\./)+(${above.join("|")})/`,
              message: `src/${folder} has not heard of the folders above it.`,
            },
          ],
        },
      ],
    },
  })),
  {
    // node:test returns promises that the runner itself awaits.
    files: ["test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            {
              from: "package",
              name: ["test", "describe", "it", "before", "after", "beforeEach", "afterEach"],
              package: "node:test",
            },
          ],
        },
      ],
    },
  },
);
