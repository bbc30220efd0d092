/** What the help of a command says, taken apart: what completion and the written reference are made of. */
import type { Cli } from "./context.js";

export interface HelpPage {
  /** Words after `varve`: `["cache", "pin"]`; none for the help of varve itself. */
  command: readonly string[];
  text: string;
  /** As the first line names them, without brackets: `reference`, `paths..`. */
  positionals: readonly string[];
  /** Words that may follow: subcommands. */
  commands: readonly string[];
  /** With their dashes. */
  options: readonly string[];
}

/** Makes the program anew for each page: a yargs instance remembers what it was asked. */
export type MakeProgram = (args: readonly string[]) => Promise<Cli>;

/** The page of one command; that of the words before it where there is no such command. */
export async function helpPage(makeProgram: MakeProgram, command: readonly string[]): Promise<HelpPage> {
  const text = await (await makeProgram(command)).getHelp();
  const usage = /^varve\b.*$/m.exec(text)?.[0] ?? "";
  return {
    command,
    text,
    positionals: [...usage.matchAll(/[<[]([^\]>]+)[\]>]/g)].map(([, name]) => name!),
    commands: commandsIn(text, command),
    options: [...new Set([...text.matchAll(/(?<=^ +.*?)--[a-z][a-z-]*/gm)].map(([option]) => option))].sort(),
  };
}

/** The pages of all commands, each after the one it belongs to. */
export async function helpPages(
  makeProgram: MakeProgram,
  command: readonly string[] = [],
): Promise<HelpPage[]> {
  const page = await helpPage(makeProgram, command);
  const below = [];
  for (const word of page.commands) below.push(...(await helpPages(makeProgram, [...command, word])));
  return [page, ...below];
}

/** What stands under "Commands:", a line or several each; the first begins with the command itself. */
function commandsIn(text: string, command: readonly string[]): string[] {
  const section = /^Commands:\n((?: +.*\n?)+)/m.exec(text)?.[1] ?? "";
  const prefix = ["  varve", ...command, ""].join(" ");
  return section.split("\n").flatMap((line) => {
    const word = line.startsWith(prefix) ? /^[a-z-]+/.exec(line.slice(prefix.length))?.[0] : undefined;
    return word === undefined ? [] : [word];
  });
}
