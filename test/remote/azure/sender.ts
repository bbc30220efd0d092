/** Puts a stream of noise into a remote, with credentials from the environment: `node sender.js URL SIZE_BYTES SHA256`. */
import { openRemote } from "../../../src/remote/open.js";
import { withRetry } from "../../../src/remote/with-retry.js";
import { noiseStream } from "../noise-stream.js";

const [url, sizeBytes, sha256] = process.argv.slice(2) as [string, string, string];
const remote = withRetry(await openRemote(url));
const chunks = () => noiseStream(Number(sizeBytes));
await remote.put(`packs/${sha256}`, { sizeBytes: Number(sizeBytes), chunks }, { sha256 });
await remote.close();
process.stdout.write("sent\n");
