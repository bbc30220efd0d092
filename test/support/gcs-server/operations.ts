/** From the name of an operation to what does it. */
import type { Reply } from "../object-server/reply.js";
import type { Pace } from "../object-server/server.js";
import { GcsError } from "./error.js";
import { deleteObject, downloadObject, getObject, listObjects, putMedia, putMultipart } from "./objects.js";
import type { GcsRequest } from "./request.js";
import { type Session, beginUpload, cancelUpload, putPiece } from "./resumable.js";
import type { Bucket, Store } from "./store.js";

export interface Context {
  store: Store;
  folder: string;
  sessions: Map<string, Session>;
}

export type Operation = (
  request: GcsRequest,
  bucket: Bucket,
  context: Context,
  pace: Pace,
) => Reply | Promise<Reply>;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  "objects.get": getObject,
  "objects.download": downloadObject,
  "objects.delete": deleteObject,
  "objects.list": listObjects,
  "upload.media": putMedia,
  "upload.multipart": putMultipart,
  "upload.begin": beginUpload,
  "upload.piece": putPiece,
  "upload.cancel": cancelUpload,
};

/** @throws {GcsError} as the operation does */
export async function perform(request: GcsRequest, context: Context, pace: Pace): Promise<Reply> {
  const work = OPERATIONS[request.operation];
  if (!work) throw new GcsError(501, "notImplemented", "Not implemented");
  return work(request, context.store.bucket(request.bucket), context, pace);
}
