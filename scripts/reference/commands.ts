/** The reference of commands: what `--help` of each prints. */
import type { HelpPage } from "../../src/cli/help-page.js";

const HEAD = `# Commands

What \`varve COMMAND --help\` prints, for every command. Made by \`node dist/scripts/reference.js\`.
`;

export function commandReference(pages: readonly HelpPage[]): string {
  const contents = pages.map((page) => `- [${titleOf(page)}](#${titleOf(page).replaceAll(" ", "-")})`);
  const sections = pages.map((page) => `## ${titleOf(page)}\n\n\`\`\`\n${page.text}\n\`\`\`\n`);
  return [HEAD, `${contents.join("\n")}\n`, ...sections].join("\n");
}

export function titleOf({ command }: HelpPage): string {
  return ["varve", ...command].join(" ");
}
