/** What a collector reads of a remote beside versions: leases, intents, lists, other remotes that need it. */
import { collectionsIn, readLists, readPublished } from "../../src/dataset/collect/collection.js";
import { settleIntents } from "../../src/dataset/collect/intents.js";
import { leasesIn } from "../../src/dataset/collect/leases.js";
import { referrersOf } from "../../src/dataset/collect/referrers.js";
import { Workspace } from "../../src/dataset/workspace.js";
import { homeOf } from "../../src/home.js";
import type { Remote } from "../../src/remote/remote.js";
import { atEnd } from "../support/cleanup.js";
import { memoryRemote } from "../support/memory-remote.js";
import type { Bench } from "./decoders.js";
import type { Decoder } from "./fuzz.js";

const ID = "1".repeat(32);
const HASH = "a".repeat(64);
const ROOT = { remote: ID, key: `roots/${ID}/1`, hash: HASH, bytes: 500 };
const LEASE = {
  format: 1,
  what: "draft lab/data@1.0.0",
  holder: "a@b",
  roots: [ROOT],
  sinceMs: 5,
  holdMs: 9,
};
const RECORD = { kind: "record", key: `datasets/${ID}/versions/1.0.0`, version: ID, label: "1.0.0" };
const AMENDMENT = { kind: "amendment", key: `datasets/${ID}/amendments/0000000001`, dataset: ID };

export async function collectionDecoders({ folder, scope }: Bench): Promise<Decoder[]> {
  const home = homeOf({ VARVE_HOME: `${folder}/collector` });
  const workspace = new Workspace({ home, notice: () => {} });
  atEnd(scope, () => workspace.close());
  const { id } = await workspace.openRemote(`${folder}/collected`);
  const { id: other } = await workspace.openRemote(`${folder}/referring`);
  const intents = [RECORD, AMENDMENT].map((point) => ({
    format: 1,
    by: "a@b",
    remote: id,
    url: "file:///x",
    point,
  }));
  return [
    of("lease", `leases/${ID}`, [LEASE, { ...LEASE, roots: [], sinceMs: null }], leasesIn),
    of("intent", `intents/${ID}`, intents, (remote) => settleIntents(workspace, remote, 0)),
    of(
      "list of a collection",
      `collections/${ID}/list-1`,
      [{ format: 1, keys: [`packs/aa/${HASH}`] }],
      readAllLists,
    ),
    of(
      "published collection",
      `collections/${ID}/published`,
      [{ format: 1, by: "a@b", objects: 1, bytes: 5 }],
      readAll,
    ),
    of("referrer", `referrers/${other}`, [{ format: 1, url: "file:///referring" }], (remote) =>
      referrersOf(workspace, { id, remote }),
    ),
  ];
}

function of(
  name: string,
  key: string,
  samples: readonly object[],
  read: (remote: Remote) => Promise<unknown>,
): Decoder {
  return {
    name,
    json: true,
    samples: samples.map((sample) => Buffer.from(JSON.stringify(sample))),
    decode: async (bytes) => {
      const remote = memoryRemote();
      await remote.put(key, bytes);
      return read(remote);
    },
  };
}

async function readAllLists(remote: Remote): Promise<unknown> {
  return Promise.all((await collectionsIn(remote)).map((collection) => readLists(remote, collection)));
}

async function readAll(remote: Remote): Promise<unknown> {
  return Promise.all((await collectionsIn(remote)).map((collection) => readPublished(remote, collection)));
}
