/** From the name of an operation to what does it. */
import { type Reply, empty } from "../object-server/reply.js";
import type { Pace } from "../object-server/server.js";
import { S3Error } from "./error.js";
import { listObjects, listObjectsV2 } from "./list.js";
import {
  abortUpload,
  completeUpload,
  createUpload,
  listParts,
  listUploads,
  uploadPart,
} from "./multipart.js";
import { deleteObject, deleteObjects, getObject, putObject } from "./objects.js";
import type { S3Request } from "./request.js";
import type { Bucket, Store } from "./store.js";
import { xmlReply } from "./xml.js";

type Operation = (request: S3Request, bucket: Bucket, store: Store, pace: Pace) => Reply | Promise<Reply>;

const IN_BUCKET: Readonly<Record<string, Operation>> = {
  GetObject: getObject,
  HeadObject: getObject,
  PutObject: putObject,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  CreateMultipartUpload: createUpload,
  UploadPart: uploadPart,
  CompleteMultipartUpload: completeUpload,
  AbortMultipartUpload: abortUpload,
  ListParts: listParts,
  ListMultipartUploads: listUploads,
  HeadBucket: () => empty(200),
  GetBucketLocation: () => xmlReply("LocationConstraint", ""),
};

/** @throws {S3Error} as the operation does */
export async function perform(request: S3Request, store: Store, pace: Pace): Promise<Reply> {
  const { operation, bucket } = request;
  if (operation === "CreateBucket") return (store.makeBucket(bucket), empty(200));
  if (operation === "ListBuckets")
    return xmlReply("ListAllMyBucketsResult", {
      Buckets: { Bucket: store.bucketNames.map((Name) => ({ Name })) },
    });
  const work = IN_BUCKET[operation];
  if (work) return work(request, store.bucket(bucket), store, pace);
  throw new S3Error(501, "NotImplemented", "A header or query you provided implies functionality that is not implemented"); // prettier-ignore
}
