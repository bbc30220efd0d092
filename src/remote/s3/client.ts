/** The SDK's client for one location. The SDK is loaded here, when the first request is made, and nowhere else. */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";

import type { S3, S3ClientConfig } from "@aws-sdk/client-s3";

import { MAX_CONNECTIONS } from "../requests.js";
import type { S3Location } from "./location.js";

/** Costs 100 to 225 ms for loading the SDK. */
export async function makeS3Client(location: S3Location): Promise<S3> {
  // Its advice about versions of Node is for the project, not for who runs a command.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const { S3 } = await import("@aws-sdk/client-s3");
  const client = new S3(configOf(location));
  signKnownHash(client, location.checksums);
  return client;
}

function configOf({ endpoint, region, pathStyle, checksums, anonymous }: S3Location): S3ClientConfig {
  const agent = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
  const mode = checksums ? "WHEN_SUPPORTED" : "WHEN_REQUIRED";
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(anonymous ? UNSIGNED : {}),
    forcePathStyle: pathStyle,
    requestChecksumCalculation: mode,
    responseChecksumValidation: mode,
    maxAttempts: 1, // `with-retry.ts` is patient enough.
    expectContinueHeader: false, // A round trip before each body, to spare a body where a request is refused.
    logger: SILENT,
    requestHandler: { httpAgent: new HttpAgent(agent), httpsAgent: new HttpsAgent(agent), logger: SILENT },
  };
}

const nothing = () => undefined;
/** The SDK writes warnings to the console unless it is given somewhere else. */
const SILENT = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

const UNSIGNED: S3ClientConfig = {
  credentials: async () => ({ accessKeyId: "anonymous", secretAccessKey: "anonymous" }),
  signer: { sign: async (request) => request },
};

/**
 * The SHA-256 of a body, given to the SDK as its checksum, is also what the signature covers, so that any store checks it
 * and it is computed once. A store that is not to be sent checksums gets it in the signature alone.
 */
function signKnownHash(client: S3, sendsChecksums: boolean): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      const { "x-amz-checksum-sha256": checksum, ...others } = headers;
      if (checksum !== undefined) {
        const hash = { "x-amz-content-sha256": Buffer.from(checksum, "base64").toString("hex") };
        Object.assign(args.request as object, {
          headers: sendsChecksums ? { ...headers, ...hash } : { ...others, ...hash },
        });
      }
      return next(args);
    },
    { step: "build", priority: "low", name: "signKnownHash" },
  );
}
