/** Requests to S3. */
import type { S3 } from "@aws-sdk/client-s3";

import { type Requests, requestsTo } from "../requests.js";
import { makeS3Client } from "./client.js";
import { explainS3 } from "./failure.js";
import type { S3Location } from "./location.js";

export interface S3Requests extends Requests<S3> {
  readonly location: S3Location;
}

/** @param silenceMs Longest wait for anything of an answer. Default 15 s. */
export function s3Requests(location: S3Location, url: string, silenceMs?: number): S3Requests {
  const requests = requestsTo({
    url,
    silenceMs,
    open: () => makeS3Client(location),
    close: (s3) => s3.destroy(),
    explain: (error, attempted) => explainS3(error, { ...attempted, location }),
  });
  return { ...requests, location };
}
