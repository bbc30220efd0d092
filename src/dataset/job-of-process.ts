/** The job this process is part of: `VARVE_JOB_ID` says which, else it is one by itself. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { basename } from "node:path";
import type { JobRow } from "../catalog/catalog.js";
import { DatasetError } from "../errors.js";
import type { Workspace } from "./workspace.js";

const ID = /^[^\s\p{Cc}]{1,200}$/u;

/** As long as no id is given, all that one process does is one job. */
const OWN_ID = randomUUID().replaceAll("-", "");

/** The job of this process, entered in the catalog where it is not known yet. @throws {DatasetError} `bad-input` for `VARVE_JOB_ID` */
export async function currentJob(workspace: Workspace): Promise<JobRow> {
  const catalog = await workspace.catalog();
  return catalog.ensureJob({
    id: currentJobId(process.env),
    name: process.env["VARVE_JOB_NAME"] || basename(process.argv[1] ?? "node"),
    command: commandLine(process.argv.slice(1)),
    host: hostname(),
    startedBy: workspace.user,
    startedAtMs: Math.round(Date.now() - process.uptime() * 1000),
  });
}

/** @throws {DatasetError} `bad-input` */
export function currentJobId(env: Readonly<Record<string, string | undefined>>): string {
  const given = env["VARVE_JOB_ID"];
  if (!given) return OWN_ID;
  if (ID.test(given)) return given;
  const message = `Cannot take ${JSON.stringify(given.slice(0, 80))} as VARVE_JOB_ID: write up to 200 characters without spaces`;
  throw new DatasetError("bad-input", { value: given }, message);
}

/** Of options and variables whose values are secrets by their names. */
const SECRET_NAME =
  /(^|[-_])(password|passwd|pwd|passphrase|secret|token|(api|access|private)?[-_]?key|credentials?)$/i;

/**
 * Arguments as one line. What URLs hold of credentials, before the host or in the query, is left out, and so are values of
 * options that are secrets by their names.
 */
export function commandLine(args: readonly string[]): string {
  return args
    .map((arg, index) => withoutSecret(arg, args[index - 1]))
    .map((arg) =>
      arg.replace(
        /([a-z][a-z0-9+.-]*:\/\/)(?:[^/@\s]*@)?([^?\s]*)(?:\?\S*)?/gi,
        (_, scheme: string, rest: string) => scheme + rest,
      ),
    )
    .map((arg) => (/^[\w@%+=:,./#-]+$/.test(arg) ? arg : JSON.stringify(arg)))
    .join(" ");
}

/** `--token=x`, `TOKEN=x`, or `x` after `--token`. */
function withoutSecret(arg: string, before = ""): string {
  const [, name = "", value] = /^-*([\w-]+)=(.*)$/s.exec(arg) ?? [];
  if (value !== undefined && SECRET_NAME.test(name)) return arg.slice(0, arg.length - value.length) + "…";
  const isValue = !arg.startsWith("-") && /^--?[\w-]+$/.test(before) && SECRET_NAME.test(before);
  return isValue ? "…" : arg;
}
