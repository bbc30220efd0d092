/** The other mounts of buckets: which are here, how each is told to mount. They run in the foreground, as our children. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { findMount } from "../../src/fs/transport/kernel/mounts.js";
import { type Bucket, putFolder } from "./bucket.js";
import type { Place } from "./place.js";

/** How a peer is started, and where it then shows the files. */
interface Peer {
  name: "rclone" | "s3fs" | "restic";
  args: (mountpoint: string, cache: string) => string[];
  env?: NodeJS.ProcessEnv;
  shown?: string;
}

/** The bucket of a file an object, and that of a repository. */
const [FILES, REPOSITORY] = ["files", "restic"];
const PASSWORD = { RESTIC_PASSWORD: "bench" };
const LOOK_EVERY_MS = 2;

/** Installs what is missing where that may be done; says what is missing after it. */
export function presentPeers(): Peer["name"][] {
  const all: Peer["name"][] = ["rclone", "s3fs", "restic"];
  const isHere = (name: string) => spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;
  const missing = all.filter((name) => !isHere(name));
  if (missing.length > 0 && process.getuid?.() === 0)
    spawnSync("apt-get", ["install", "-y", "-q", ...missing], { stdio: "ignore" });
  const present = all.filter(isHere);
  for (const name of all.filter((each) => !present.includes(each)))
    console.error(`There is no ${name} here: its rows are missing (as root: apt-get install ${name})`);
  return present;
}

/** Puts the files into the bucket as each peer wants them; gives the peers, not mounted yet. */
export async function peersOn(bucket: Bucket, work: string, files: string): Promise<Place[]> {
  const present = presentPeers();
  await putFolder(bucket, FILES, files);
  if (present.includes("restic")) await putRepository(bucket, work, files);
  const peers = [rclone(bucket, work), s3fs(bucket, work), restic(bucket)];
  return peers.filter(({ name }) => present.includes(name)).map((peer) => placeOf(bucket, work, peer));
}

/** What never changes is believed for a day, and asked no second time for its time. */
function rclone({ server: { endpoint, account } }: Bucket, work: string): Peer {
  const config = join(work, "rclone.conf");
  const { accessKeyId, secretAccessKey, region } = account;
  const keys = `access_key_id = ${accessKeyId}\nsecret_access_key = ${secretAccessKey}`;
  const place = `endpoint = ${endpoint}\nregion = ${region}\nforce_path_style = true`;
  writeFileSync(config, `[s3]\ntype = s3\nprovider = Other\n${keys}\n${place}\n`);
  const trusted = [
    "--dir-cache-time=24h",
    "--attr-timeout=1h",
    "--use-server-modtime",
    "--vfs-fast-fingerprint",
  ];
  const cached = ["--vfs-cache-mode=full", "--vfs-cache-max-size=10G"];
  return {
    name: "rclone",
    args: (mountpoint, cache) => [
      ...[`--config=${config}`, "mount", `s3:${FILES}`, mountpoint, "--read-only"],
      ...[...trusted, ...cached, `--cache-dir=${cache}`],
    ],
  };
}

function s3fs({ server: { endpoint, account } }: Bucket, work: string): Peer {
  const passwords = join(work, "s3fs.password");
  writeFileSync(passwords, `${account.accessKeyId}:${account.secretAccessKey}\n`, { mode: 0o600 });
  const store = [`url=${endpoint}`, "use_path_request_style", `endpoint=${account.region}`];
  const wide = [
    "parallel_count=16",
    "multipart_size=16",
    "stat_cache_expire=3600",
    "max_stat_cache_size=200000",
  ];
  const options = (cache: string) => [...store, `passwd_file=${passwords}`, `use_cache=${cache}`, ...wide];
  return {
    name: "s3fs",
    args: (mountpoint, cache) => [FILES, mountpoint, "-f", "-o", options(cache).join()],
  };
}

function restic({ server: { endpoint } }: Bucket): Peer {
  const repository = `s3:${endpoint}/${REPOSITORY}`;
  return {
    name: "restic",
    args: (mountpoint, cache) => [
      `--repo=${repository}`,
      `--cache-dir=${cache}`,
      "--no-lock",
      "mount",
      mountpoint,
    ],
    env: PASSWORD,
    shown: "snapshots/latest",
  };
}

/** Made in a folder and put: it sends bodies in a way that the server does not speak. */
async function putRepository(bucket: Bucket, work: string, files: string): Promise<void> {
  const repository = join(work, "repository");
  const options = { env: { ...process.env, ...PASSWORD }, stdio: "ignore" } as const;
  const common = ["--quiet", "--no-cache", `--repo=${repository}`];
  execFileSync("restic", [...common, "init"], options);
  execFileSync("restic", [...common, "backup", "."], { ...options, cwd: files });
  await putFolder(bucket, REPOSITORY, repository);
}

function placeOf(bucket: Bucket, work: string, { name, args, env, shown = "" }: Peer): Place {
  const [mountpoint, cache, log] = [join(work, name), join(work, `${name}-cache`), join(work, `${name}.log`)];
  mkdirSync(mountpoint);
  let child: ChildProcess | undefined;
  const all: NodeJS.ProcessEnv = { ...process.env, ...bucket.environment, ...env };
  delete all["AWS_CA_BUNDLE"]; // rclone of Debian 12 ends at once where it is set.
  const place: Place = {
    name,
    path: join(mountpoint, shown),
    caches: [cache],
    pid: 0,
    async mount() {
      mkdirSync(cache, { recursive: true });
      const said = openSync(log, "a");
      child = spawn(name, args(mountpoint, cache), { env: all, stdio: ["ignore", said, said] });
      place.pid = child.pid!;
      while (!findMount(mountpoint)) await waitWhileRunning(child, log);
    },
    async unmount() {
      if (!child) return;
      const isOver = child.exitCode !== null;
      const ended = isOver || once(child, "exit");
      while (findMount(mountpoint) && spawnSync(...unmounting(mountpoint)).status !== 0) await sleep(50);
      await ended;
      child = undefined;
      place.pid = 0;
    },
  };
  return place;
}

async function waitWhileRunning(child: ChildProcess, log: string): Promise<void> {
  await sleep(LOOK_EVERY_MS);
  if (child.exitCode === null) return;
  throw new Error(`Cannot mount with ${child.spawnfile}: ${readFileSync(log, "utf8")}`);
}

function unmounting(mountpoint: string): [string, string[], { stdio: "ignore" }] {
  const isRoot = process.getuid?.() === 0;
  return isRoot
    ? ["umount", [mountpoint], { stdio: "ignore" }]
    : ["fusermount3", ["-u", mountpoint], { stdio: "ignore" }];
}
