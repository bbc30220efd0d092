/**
 * Writes what can be told by the code itself: the reference of commands and the man page from what yargs knows, the reference of
 * the library from its docstrings. Run after a build: `node dist/scripts/reference.js`. A test tells when they are behind.
 */
import { writeFileSync } from "node:fs";
import { format, resolveConfig } from "prettier";
import { programOf } from "../src/cli/program.js";
import { helpPages } from "../src/cli/help-page.js";
import { commandReference } from "./reference/commands.js";
import { manPage } from "./reference/man-page.js";
import { libraryReference } from "./reference/library.js";

/** Every file that is written, with what belongs into it. */
export async function references(): Promise<Record<string, string>> {
  const pages = await helpPages(programOf);
  return {
    "docs/reference/commands.md": await pretty("docs/reference/commands.md", commandReference(pages)),
    "docs/reference/library.md": await pretty(
      "docs/reference/library.md",
      libraryReference("src/index.ts").text,
    ),
    "docs/varve.1": manPage(pages),
  };
}

async function pretty(path: string, text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(path)), filepath: path });
}

if (process.argv[1] === import.meta.filename)
  for (const [path, text] of Object.entries(await references())) writeFileSync(path, text);
