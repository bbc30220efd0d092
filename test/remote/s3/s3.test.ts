/** The S3 adapter: the contract, in both modes of checksums, bare and with what wraps it. */
import { s3RemoteOn, s3Server, useAccount } from "../../support/s3.js";
import { remoteSuite } from "../suite.js";

for (const checksums of [true, false])
  remoteSuite(checksums ? "s3 with checksums" : "s3 with checksums only where required", async (t) => {
    const server = await s3Server(t);
    useAccount(server);
    return s3RemoteOn(t, server, { prefix: "some/prefix/", checksums });
  });
