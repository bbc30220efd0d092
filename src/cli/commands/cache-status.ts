/** `varve cache status`: what is in the cache, what is pinned by whom, and who uses it. */
import * as z from "zod";

import type { CacheReport } from "../../cache/housekeeping.js";
import type { Pin } from "../../cache/pin-index.js";
import type { CacheHits } from "../../daemon/config.js";
import { liveMounts } from "../../daemon/mount-state.js";
import { type PinFacts, factsOfPin } from "../../dataset/cached-content.js";
import type { Home } from "../../home.js";
import { type Cli, run } from "../context.js";
import { formatBytes, formatCount, formatCountOf, formatTime } from "../format.js";
import type { Output } from "../output.js";
import { renderFacts, renderTable } from "../table.js";
import { nameOfPinned } from "./prefetch.js";
import { askStatus } from "./status.js";

const userSchema = z.object({
  use: z.enum(["mount", "prefetch"]),
  reference: z.string(),
  mountpoint: z.string().optional(),
  pid: z.number(),
  user: z.string(),
  sinceMs: z.number(),
});

/** What a process that uses the cache says of itself. */
type UserFacts = z.infer<typeof userSchema>;

interface CacheUser extends UserFacts {
  /** Where the mount tells: those of other users do not. */
  hits?: CacheHits | undefined;
}

interface StatusPin extends PinFacts {
  bytes: number;
  /** False while it is being fetched, or when some of it was damaged since. */
  complete: boolean;
  /** The process it is pinned for, by its number; null for one that stays until `unpin`. */
  heldBy: number | null;
}

interface CacheStatus extends Omit<CacheReport, "pins" | "holders" | "isPrivate"> {
  directory: string;
  maxBytes: number;
  shared: boolean;
  pins: StatusPin[];
  users: CacheUser[];
}

export function addCacheStatusCommand(cli: Cli): void {
  cli.command(
    "status",
    "Show what is in the cache, what is pinned, and who uses it",
    (yargs) => yargs.example("$0 cache status --json", "the same for programs"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const status = await statusOf(workspace.home, workspace.housekeeping().report());
        if (json) output.json(status);
        else print(output, status);
      }),
  );
}

async function statusOf(
  home: Home,
  { pins, holders, isPrivate, ...totals }: CacheReport,
): Promise<CacheStatus> {
  const users = new Map(holders.map(({ id, facts }) => [id, userOf(facts)]));
  const statusPin = (pin: Pin): StatusPin => {
    const heldBy = users.get(pin.holder ?? "")?.pid ?? null;
    return { ...factsOfPin(pin), bytes: pin.bytes, complete: pin.isComplete, heldBy };
  };
  return {
    directory: home.cacheDir,
    maxBytes: home.cacheBytes,
    ...totals,
    shared: !isPrivate,
    pins: pins.map(statusPin),
    users: await Promise.all([...users.values()].map((user) => withHits(home, user))),
  };
}

/** Others may write to a shared cache. */
function userOf(facts: unknown): UserFacts {
  const unknown = { use: "mount", reference: "?", pid: 0, user: "?", sinceMs: 0 } as const;
  return userSchema.safeParse(facts).data ?? unknown;
}

async function withHits(home: Home, user: UserFacts): Promise<CacheUser> {
  const mount = liveMounts(home).find(
    ({ pid, mountpoint }) => pid === user.pid && mountpoint === user.mountpoint,
  );
  const answer = mount && (await askStatus(mount, { cache: true }));
  return { ...user, hits: answer?.cache };
}

function print(output: Output, status: CacheStatus): void {
  const { directory, bytes, maxBytes, files, blocks, wholes, pinnedBytes, shared, pins, users } = status;
  const whole = `${formatCountOf(wholes.files, "large file")} whole, ${formatBytes(wholes.bytes)}`;
  output.data(
    renderFacts(
      [
        ["folder", `${directory}${shared ? ", shared with others" : ""}`],
        ["taken", `${formatBytes(bytes)} of ${formatBytes(maxBytes)}`],
        ["holds", `${formatCountOf(blocks, "block")} in ${formatCountOf(files, "file")}; ${whole}`],
        ["pinned", formatBytes(pinnedBytes)],
      ],
      output.style.data,
    ),
  );
  const options = { widthColumns: output.widthColumns, style: output.style.data };
  if (pins.length > 0) output.data(`\n${renderTable(PIN_COLUMNS, pins.map(pinCells), options)}`);
  if (users.length > 0) output.data(`\n${renderTable(USER_COLUMNS, users.map(userCells), options)}`);
}

const PIN_COLUMNS = [
  { title: "pinned", shrinks: true },
  { title: "size", align: "right" as const },
  { title: "state" },
  { title: "until" },
];

function pinCells({ reference, paths, bytes, complete, heldBy }: StatusPin): string[] {
  const until = heldBy === null ? "unpin" : `process ${heldBy} ends`;
  return [nameOfPinned(reference, paths), formatBytes(bytes), complete ? "complete" : "incomplete", until];
}

const USER_COLUMNS = [
  { title: "used by", shrinks: true },
  { title: "version" },
  { title: "user" },
  { title: "pid", align: "right" as const },
  { title: "since" },
  { title: "hits", align: "right" as const },
];

function userCells({ use, mountpoint, reference, user, pid, sinceMs, hits }: CacheUser): string[] {
  const share = hits && `${formatCount(hits.hits)} of ${formatCount(hits.hits + hits.misses)}`;
  return [mountpoint ?? use, reference, user, String(pid), formatTime(sinceMs), share ?? "-"];
}
