/** The TypeScript of a page: what its blocks say, whether the compiler takes them, and what they print. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** The root of the package: a module below it imports `varve` as one that has installed it does. */
const PACKAGE = fileURLToPath(new URL("../../..", import.meta.url));

/** The blocks marked `ts`, in order. */
export function snippetsOf(page: string): string[] {
  const text = readFileSync(join(PACKAGE, page), "utf8");
  return [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code!);
}

/** What the compiler has against the blocks, each a module by itself. */
export function problemsOf(snippets: readonly string[]): string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
    typeRoots: [join(PACKAGE, "node_modules/@types")],
  };
  const paths = snippets.map((code, index) => written(`dist/snippets/check-${index}.mts`, code));
  const program = ts.createProgram(paths, options);
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file, start = 0 }) => {
    const line = file?.text.slice(start).split("\n")[0] ?? "";
    return `${ts.flattenDiagnosticMessageText(messageText, "\n")}: ${line}`;
  });
}

/** Runs a block in a folder; what it prints. @throws when it fails, with what it said */
export function run(
  code: string,
  name: string,
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): string {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  });
  const path = written(`dist/snippets/${name}.mjs`, outputText);
  return execFileSync(process.execPath, [path], { cwd, env, encoding: "utf8", timeout: 120_000 });
}

function written(path: string, text: string): string {
  const full = join(PACKAGE, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}
