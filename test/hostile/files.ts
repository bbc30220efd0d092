/** Files of this machine that are read again: bundles, state, journals, catalogs; and what comes over the control socket. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { ZipFile } from "yazl";
import { buffer } from "node:stream/consumers";

import { openCatalog } from "../../src/catalog/catalog.js";
import { serveControl } from "../../src/daemon/control.js";
import { liveMounts, readMountState, writeMountState } from "../../src/daemon/mount-state.js";
import { thisProcess } from "../../src/daemon/process.js";
import { FactsFile } from "../../src/dataset/copies/facts-file.js";
import { abandonedOverlays, listOverlays } from "../../src/dataset/overlays.js";
import { trustKey, trustedKeys } from "../../src/dataset/signing/key-files.js";
import { newSecretKey, signingKeyOf } from "../../src/dataset/signing/keys.js";
import { DatasetError } from "../../src/errors.js";
import { FileSystemError } from "../../src/fs/errno.js";
import { openOverlay } from "../../src/fs/overlay/overlay.js";
import { openSnapshot } from "../../src/fs/overlay/snapshot.js";
import { openHostileFile } from "./open-file.js";
import { homeOf } from "../../src/home.js";
import { openZip, zipUrlOf } from "../../src/remote/zip/zip.js";
import { MemoryBase } from "../overlay/support/memory-base.js";
import { CALLER } from "../overlay/support/client.js";
import { atEnd } from "../support/cleanup.js";
import type { Bench } from "./decoders.js";
import type { Decoder } from "./fuzz.js";

export async function fileDecoders(bench: Bench): Promise<Decoder[]> {
  return [
    {
      name: "zip of a bundle",
      share: 0.2,
      samples: [await zip({ "varve.json": "{}", "packs/aa/bb": "x".repeat(500) })],
      decode: (bytes) => readZip(bench, bytes),
    },
    mountState(bench),
    overlayState(bench),
    trusted(bench),
    facts(bench),
    await journal(bench),
    await catalog(bench),
    await control(bench),
  ];
}

async function zip(members: Record<string, string>): Promise<Uint8Array> {
  const archive = new ZipFile();
  for (const [name, content] of Object.entries(members))
    archive.addBuffer(Buffer.from(content), name, { compress: false });
  archive.end();
  return buffer(archive.outputStream);
}

async function readZip({ folder }: Bench, bytes: Uint8Array): Promise<void> {
  const path = join(folder, "bundle.zip");
  writeFileSync(path, bytes);
  const remote = openZip(new URL(zipUrlOf(path)));
  try {
    for await (const { key } of remote.list("")) await remote.readWhole(key);
  } finally {
    await remote.close();
  }
}

/** Damaged ones are skipped, so that the others are found. */
function mountState({ folder }: Bench): Decoder {
  const home = homeOf({ VARVE_HOME: join(folder, "mounts-home") });
  const state = {
    format: 1 as const,
    mountpoint: "/mnt/x",
    ...thisProcess(),
    id: null,
    dataset: null,
    version: null,
  };
  writeMountState(home, {
    ...state,
    writable: false,
    transport: "kernel",
    socket: "/tmp/x.sock",
    startedAtMs: 1,
  });
  const file = openHostileFile(home.mountsDir, ".json");
  return {
    name: "state of a mount",
    json: true,
    samples: [file.original],
    decode: (bytes) => {
      file.write(bytes);
      readMountState(home, "/mnt/x");
      liveMounts(home);
    },
  };
}

function overlayState({ folder }: Bench): Decoder {
  const home = homeOf({ VARVE_HOME: join(folder, "overlays-home") });
  const directory = join(home.overlaysDir, "aabbccddeeff");
  mkdirSync(directory, { recursive: true });
  const state = {
    ...{
      format: 1,
      id: "aabbccddeeff",
      base: "a".repeat(32),
      parent: "a".repeat(32),
      dataset: "lab/data",
      version: "1.0.0",
    },
    ...{
      mountpoint: "/mnt/x",
      transport: "kernel",
      pid: 1,
      startTicks: 1,
      createdAtMs: 1,
      state: "uncommitted",
    },
    asked: { message: "m", tags: ["x"] },
  };
  const path = join(directory, "overlay.json");
  return {
    name: "state of an overlay",
    json: true,
    samples: [Buffer.from(JSON.stringify(state))],
    decode: (bytes) => {
      writeFileSync(path, bytes);
      listOverlays(home);
      abandonedOverlays(home);
    },
  };
}

function trusted({ folder }: Bench): Decoder {
  const home = homeOf({ VARVE_HOME: join(folder, "keys-home") });
  const { publicKey } = signingKeyOf(newSecretKey(undefined), "key", undefined);
  trustKey(home, publicKey, ["vision/*"]);
  const path = join(home.keysDir, "trusted.json");
  return {
    name: "keys that are trusted",
    json: true,
    samples: [readFileSync(path)],
    decode: (bytes) => {
      writeFileSync(path, bytes);
      trustedKeys(home);
    },
  };
}

/** Rows that are not what the system says make files be looked at anew. */
function facts({ folder }: Bench): Decoder {
  const path = join(folder, "facts");
  return {
    name: "facts of a copy",
    samples: [Buffer.from(new Float64Array(40).fill(1.5).buffer)],
    decode: (bytes) => {
      writeFileSync(path, bytes);
      const file = new FactsFile(path);
      try {
        file.read([0, 1, 5, 9]);
      } finally {
        file.close();
      }
    },
  };
}

/** SQLite finds damage where it reads it, which an operation of the file system answers with an errno. */
async function journal({ folder }: Bench): Promise<Decoder> {
  const base = new MemoryBase({ "a/b": { content: Buffer.from("b") }, c: { content: Buffer.from("c") } });
  const directory = join(folder, "overlay");
  const path = join(directory, "journal.db");
  const made = openOverlay(directory, base, { reserveBytes: 0 });
  made.mkdir(1, "new", 0o755, CALLER);
  made.setxattr(1, "user.x", Buffer.from("y"), 0);
  made.close();
  const sample = readFileSync(path);
  return {
    name: "journal of an overlay",
    share: 0.05,
    samples: [sample],
    isClear: (error) =>
      error instanceof FileSystemError ||
      /^SQLITE_(CORRUPT|NOTADB|IOERR)/.test((error as { code?: string }).code ?? ""),
    decode: async (bytes) => {
      rmSync(directory, { recursive: true });
      mkdirSync(directory);
      writeFileSync(path, bytes);
      const overlay = openOverlay(directory, base, { reserveBytes: 0 });
      try {
        overlay.readdir(1, 0, () => true);
        overlay.lookup(1, "new");
      } finally {
        overlay.close();
      }
      const snapshot = await openSnapshot(directory, base.forSnapshot);
      try {
        for await (const change of snapshot.changes()) JSON.stringify(change.kind);
      } finally {
        snapshot.close();
      }
    },
  };
}

async function catalog({ folder }: Bench): Promise<Decoder> {
  const path = join(folder, "catalog", "catalog.db");
  const made = await openCatalog(path);
  const dataset = await made.ensureDataset({ id: "a".repeat(32), project: "lab", name: "data" });
  await made.close();
  const sample = readFileSync(path);
  return {
    name: "catalog",
    share: 0.02,
    samples: [sample],
    isClear: (error) => /^SQLITE_/.test((error as { code?: string }).code ?? ""),
    decode: async (bytes) => {
      rmSync(join(folder, "catalog"), { recursive: true });
      mkdirSync(join(folder, "catalog"));
      writeFileSync(path, bytes);
      const opened = await openCatalog(path);
      try {
        await opened.listProjects();
        await opened.listVersions(dataset.id);
        await opened.listRemotes();
      } finally {
        await opened.close();
      }
    },
  };
}

/** The mount answers, or hangs up, and goes on serving. */
async function control({ folder, scope }: Bench): Promise<Decoder> {
  const path = join(folder, "control.sock");
  const server = await serveControl(path, ({ operation, arguments: given }) =>
    Promise.resolve({ operation, given }),
  );
  atEnd(scope, () => server.close());
  const real = Buffer.from(`${JSON.stringify({ operation: "status", arguments: { cache: true } })}\n`);
  return { name: "control socket", share: 0.2, samples: [real], decode: (bytes) => ask(path, bytes) };
}

async function ask(path: string, bytes: Uint8Array): Promise<void> {
  const socket = connect(path);
  socket.on("error", () => undefined);
  socket.write(bytes);
  socket.end("\n");
  const said = (await buffer(socket)).toString();
  if (said === "") throw new DatasetError("bad-input", { value: "" }, "it hung up");
  const reply = JSON.parse(said.split("\n")[0]!) as { failure?: { code?: string; message: string } };
  if (!reply.failure) return;
  if (reply.failure.code !== "bad-input") throw new Error(`it failed by itself: ${reply.failure.message}`);
  throw new DatasetError("bad-input", { value: "" }, reply.failure.message);
}
