/** The manual page `varve(1)`. Source: https://man7.org/linux/man-pages/man7/man-pages.7.html */
import type { HelpPage } from "../../src/cli/help-page.js";
import { titleOf } from "./commands.js";

export function manPage(pages: readonly HelpPage[]): string {
  const [program, ...commands] = pages;
  const sections = commands.map((page) => `.SS ${titleOf(page)}\n${literal(page.text)}`);
  return `.TH VARVE 1 "" "varve" "User Commands"
.SH NAME
varve \\- versions of datasets as folders
.SH SYNOPSIS
.B varve
.I COMMAND
[\\fIOPTION\\fR ...]
.SH DESCRIPTION
${literal(program!.text)}.SH COMMANDS
${sections.join("")}.SH ENVIRONMENT
.B VARVE_HOME
holds catalog, cache and overlays; else XDG folders do.
.B VARVE_CATALOG, VARVE_REMOTE, VARVE_CACHE_DIR, VARVE_CACHE_SIZE
choose each by itself.
`;
}

/** As it stands, line by line; a backslash, a dash and a line that begins with a dot would mean something. */
function literal(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1");
  return `.nf\n${escaped}\n.fi\n`;
}
