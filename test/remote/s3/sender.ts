/** Puts a stream of noise into the S3 server that the environment names: `node sender.js SIZE_BYTES SHA256 CHECKSUMS`. */
import { openRemote } from "../../../src/remote/open.js";
import { withRetry } from "../../../src/remote/with-retry.js";
import { noiseStream } from "../noise-stream.js";

const [sizeBytes, sha256, checksums] = process.argv.slice(2) as [string, string, string];
const remote = withRetry(await openRemote(`s3://bucket/data?checksums=${checksums}`));
const chunks = () => noiseStream(Number(sizeBytes));
await remote.put(`packs/${sha256}`, { sizeBytes: Number(sizeBytes), chunks }, { sha256 });
await remote.close();
process.stdout.write("sent\n");
