/** Completing what somebody types: commands, options, and the names of what there is. `completion-scripts.ts` asks. */
import { basename } from "node:path";
import { liveMounts } from "../daemon/mount-state.js";
import { abandonedOverlays } from "../dataset/overlays.js";
import { Workspace } from "../dataset/workspace.js";
import type { Cli } from "./context.js";
import { SHELLS, type Shell, completionScripts } from "./completion-scripts.js";
import { type HelpPage, type MakeProgram, helpPage } from "./help-page.js";
import { processOutput } from "./output.js";

/** Gives all names of one kind there are; those that do not begin as what is typed are left out afterwards. */
type Names = (workspace: Workspace, typed: string) => Promise<string[]> | string[];

/** By the name of a positional. What is not here is a file, which shells know, or nothing that is there already. */
const NAMES: Readonly<Record<string, Names>> = {
  reference: references,
  references,
  from: references,
  to: references,
  name: datasets,
  remotes,
  id: (workspace) => abandonedOverlays(workspace.home).map(({ id }) => id),
  job: async (workspace) => (await (await workspace.catalog()).listJobs()).map(({ id }) => id),
};

/** By the name of an option that takes a value. */
const OPTION_VALUES: Readonly<Record<string, Names>> = {
  "--dataset": references,
  "--parent": references,
  "--remote": remotes,
};

/** Whose folder is that of a mount. */
const OF_MOUNTS = new Set(["unmount", "commit", "discard", "status"]);
/** Whose `name` is no dataset's. */
const NAMES_OF_OTHERS: Readonly<Record<string, Names | undefined>> = { remote: remotes, metadata: undefined };

export function addCompletion(cli: Cli): void {
  cli.command(
    "completion [shell]",
    "Print a script that completes commands, options and names",
    (yargs) =>
      yargs
        .positional("shell", { choices: SHELLS, describe: "Default: the one that SHELL names" })
        .example("$0 completion bash > ~/.local/share/bash-completion/completions/varve", "for bash")
        .example("$0 completion zsh > ~/.zfunc/_varve", "for zsh, with ~/.zfunc in fpath")
        .example("$0 completion fish > ~/.config/fish/completions/varve.fish", "for fish"),
    ({ shell = shellOf(process.env["SHELL"]) }) => {
      process.stdout.write(completionScripts[shell]);
    },
  );
}

/** Prints what may stand in place of the last of the words after `varve`, a line each. Nothing to say is no failure. */
export async function printCompletions(makeProgram: MakeProgram, words: readonly string[]): Promise<void> {
  const workspace = new Workspace({ notice: () => undefined });
  const output = processOutput();
  try {
    for (const word of await completionsOf(makeProgram, workspace, words)) output.data(word);
  } catch {
    // A catalog that cannot be read is told of by the command itself; here it would garble the line that is typed.
  } finally {
    await workspace.close();
  }
}

/** @param words After `varve`; the last is the one to be completed, perhaps empty. */
export async function completionsOf(
  makeProgram: MakeProgram,
  workspace: Workspace,
  words: readonly string[],
): Promise<string[]> {
  const typed = words.at(-1) ?? "";
  const { page, rest } = await pageOf(makeProgram, words.slice(0, -1));
  const all = await candidates(workspace, page, rest, typed);
  return all.filter((word) => word.startsWith(typed));
}

/** The page of the command that the words name, and the words that are left. */
async function pageOf(
  makeProgram: MakeProgram,
  words: readonly string[],
): Promise<{ page: HelpPage; rest: readonly string[] }> {
  let page = await helpPage(makeProgram, []);
  let rest = words;
  while (rest[0] !== undefined && page.commands.includes(rest[0])) {
    page = await helpPage(makeProgram, [...page.command, rest[0]]);
    rest = rest.slice(1);
  }
  return { page, rest };
}

async function candidates(
  workspace: Workspace,
  page: HelpPage,
  rest: readonly string[],
  typed: string,
): Promise<readonly string[]> {
  if (typed.startsWith("-")) return page.options;
  const last = rest.at(-1) ?? "";
  const option = OPTION_VALUES[last];
  if (option) return option(workspace, typed);
  if (page.commands.length > 0) return page.commands;
  const position = rest.filter((word) => !word.startsWith("-")).length;
  return (await namesFor(page, position)?.(workspace, typed)) ?? [];
}

/** What stands at a place among the positionals; the last may be repeated. */
function namesFor({ command, positionals }: HelpPage, position: number): Names | undefined {
  const named = positionals[position] ?? positionals.at(-1)?.match(/.*\.\.$/)?.[0];
  const name = named?.replace(/\.\.$/, "");
  if (name === undefined) return undefined;
  if (name === "directory" && OF_MOUNTS.has(command[0]!)) return mounts;
  if (name === "name" && command[0]! in NAMES_OF_OTHERS) return NAMES_OF_OTHERS[command[0]!];
  return NAMES[name];
}

/** Datasets; once an `@` is typed, the labels of that dataset. */
async function references(workspace: Workspace, typed: string): Promise<string[]> {
  const [named] = typed.split("@");
  if (!typed.includes("@")) return datasets(workspace);
  const catalog = await workspace.catalog();
  const dataset = (await catalog.listDatasets()).find(({ project, name }) => `${project}/${name}` === named);
  const versions = dataset ? await catalog.listVersions(dataset.id) : [];
  return [...versions.map(({ label }) => `${named}@${label}`), ...(dataset ? [`${named}@latest`] : [])];
}

async function datasets(workspace: Workspace): Promise<string[]> {
  const rows = await (await workspace.catalog()).listDatasets();
  return rows.map(({ project, name }) => `${project}/${name}`);
}

async function remotes(workspace: Workspace): Promise<string[]> {
  const rows = await (await workspace.catalog()).listRemotes();
  return rows.flatMap(({ name }) => name ?? []);
}

function mounts({ home }: Workspace): string[] {
  return liveMounts(home).map(({ mountpoint }) => mountpoint);
}

function shellOf(path: string | undefined): Shell {
  return SHELLS.find((shell) => shell === basename(path ?? "")) ?? "bash";
}
