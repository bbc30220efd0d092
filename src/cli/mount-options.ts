/**
 * What `mount(8)` tells its helper, `mount.varve SPEC DIR [-sfnv] [-o OPTIONS]`, as what a mount is made with. Plain
 * functions; making the mount is `mount-helper.ts`'s.
 * Source: https://man7.org/linux/man-pages/man8/mount.8.html, "External helpers"
 */
import { parseArgs } from "node:util";

import type { MountOptions } from "../daemon/config.js";
import { DatasetError } from "../errors.js";

export interface HelperCall {
  /** A reference, or `REMOTE#REFERENCE`; undefined for all versions. */
  reference: string | undefined;
  directory: string;
  options: MountOptions;
  /** What the options set of varve's environment: `VARVE_HOME` and the like. */
  environment: Record<string, string>;
  /** A file with more of it. */
  environmentFile: string | undefined;
  /** Do all but mount. */
  fake: boolean;
  verbose: boolean;
}

/** Options that name a variable of the environment. */
const VARIABLES: Readonly<Record<string, string>> = {
  home: "VARVE_HOME",
  catalog: "VARVE_CATALOG",
  remote: "VARVE_REMOTE",
  cache_dir: "VARVE_CACHE_DIR",
  cache_size: "VARVE_CACHE_SIZE",
  log_level: "VARVE_LOG_LEVEL",
};

/** Words that every file system is given, and that change nothing here: a version is never written, its times are kept. */
const WITHOUT_EFFECT = new Set(
  `defaults auto noauto user users nouser owner group nofail rw ro nosuid nodev suid dev exec async sync dirsync
   atime noatime diratime nodiratime relatime norelatime strictatime nostrictatime lazytime nolazytime
   iversion noiversion mand nomand silent loud`.split(/\s+/),
);
/** For systemd, libmount and people. */
const FOR_OTHERS = /^(x-|X-|_netdev$|comment=|user=|uhelper=|helper=)/;

/** @throws {DatasetError} `bad-input` */
export function helperCall(args: readonly string[]): HelperCall {
  const { values, positionals } = parsed(args);
  const [spec, directory, ...more] = positionals;
  if (spec === undefined || directory === undefined || more.length > 0)
    throw wrong(args.join(" "), "give what to mount, a folder, and options: SPEC DIR [-sfnv] [-o OPTIONS]");
  if (values.N !== undefined) throw wrong("-N", "another namespace is entered with nsenter");
  const given = new Given(splitOptions((values.o ?? []).join(",")));
  const call: HelperCall = {
    reference: given.has("all") ? undefined : spec,
    directory,
    options: { ...optionsOf(given), source: spec },
    environment: given.environment(),
    environmentFile: given.value("environment_file"),
    fake: values.f ?? false,
    verbose: values.v ?? false,
  };
  // With `-s` what is unknown is left out: other file systems of the same line may know it.
  if (given.unknown !== undefined && !values.s) throw wrong(given.unknown, "there is no such option");
  return call;
}

function optionsOf(given: Given): MountOptions {
  const writable = given.has("writable");
  if (writable && given.isReadOnly) throw wrong("ro,writable", "the one is the opposite of the other");
  return {
    writable,
    allowOther: given.has("allow_other"),
    preserveOwner: given.has("preserve_owner"),
    offline: given.has("offline") || undefined,
    passthrough: !given.has("nopassthrough"),
    noexec: given.isWithoutPrograms,
    uid: given.number("uid"),
    gid: given.number("gid"),
    deadlineMs: seconds(given.number("deadline")),
    where: given.value("where"),
    globs: given.values("glob"),
    metrics: given.value("metrics"),
  };
}

function seconds(count: number | undefined): number | undefined {
  if (count === 0) throw wrong("deadline=0", "it must be above 0");
  return count && count * 1000;
}

/** The options of one mount, the later of two that contradict each other counting; knows which nobody has asked for. */
class Given {
  readonly #left: Set<string>;

  constructor(private readonly options: readonly string[]) {
    if (options.includes("remount")) throw wrong("remount", "a mount is taken away and made anew");
    this.#left = new Set(options.filter((option) => !WITHOUT_EFFECT.has(option) && !FOR_OTHERS.test(option)));
    this.#left.delete("noexec");
  }

  /** mount(8) gives `rw` where nobody has said anything. */
  get isReadOnly(): boolean {
    return this.options.findLast((option) => option === "ro" || option === "rw") === "ro";
  }

  /** `user` and `users` mean it too, and mount(8) then says so. */
  get isWithoutPrograms(): boolean {
    return this.options.findLast((option) => option === "noexec" || option === "exec") === "noexec";
  }

  has(name: string): boolean {
    this.#left.delete(name);
    return this.options.includes(name);
  }

  value(name: string): string | undefined {
    return this.values(name)?.at(-1);
  }

  values(name: string): string[] | undefined {
    const prefix = `${name}=`;
    const found = this.options.filter((option) => option.startsWith(prefix));
    for (const option of found) this.#left.delete(option);
    return found.length > 0 ? found.map((option) => option.slice(prefix.length)) : undefined;
  }

  number(name: string): number | undefined {
    const text = this.value(name);
    if (text === undefined) return undefined;
    if (/^\d+$/.test(text) && Number(text) < 2 ** 32 - 1) return Number(text);
    throw wrong(`${name}=${text}`, "it must be a whole number");
  }

  environment(): Record<string, string> {
    const set = Object.entries(VARIABLES).map(([name, variable]) => [variable, this.value(name)] as const);
    return Object.fromEntries(set.filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  /** The first that nobody has asked for. */
  get unknown(): string | undefined {
    return this.#left.values().next().value;
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        o: { type: "string", short: "o", multiple: true },
        t: { type: "string", short: "t" },
        N: { type: "string", short: "N" },
        s: { type: "boolean", short: "s" },
        f: { type: "boolean", short: "f" },
        n: { type: "boolean", short: "n" },
        v: { type: "boolean", short: "v" },
      },
    });
  } catch (error) {
    throw wrong(args.join(" "), (error as Error).message);
  }
}

/** Parts between commas; one in double quotes may hold commas. */
export function splitOptions(text: string): string[] {
  const parts = text.match(/(?:"[^"]*"|[^,"])+/g) ?? [];
  return parts.map((part) => part.replaceAll('"', ""));
}

/**
 * Lines `NAME=value`, as systemd reads them from an `EnvironmentFile`: `#` and `;` begin comments, quotes around a value go.
 * @throws {DatasetError} `bad-input`
 */
export function parseEnvironment(text: string, path: string): Record<string, string> {
  const lines = text.split("\n").map((line) => line.trim());
  const meant = lines.filter((line) => line !== "" && !/^[#;]/.test(line));
  return Object.fromEntries(
    meant.map((line) => {
      const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/.exec(line) ?? [];
      // The line itself is not shown: it may hold a secret.
      if (name === undefined) throw wrong(path, `line ${lines.indexOf(line) + 1} is not NAME=value`);
      return [name, value!.replace(/^(["'])(.*)\1$/, "$2")];
    }),
  );
}

function wrong(value: string, problem: string): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value }, `Cannot mount with "${value}": ${problem}`);
}
