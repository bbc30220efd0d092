/** What stores and servers answer: real answers of HTTP, mutated, told to the adapters by a socket. */
import { type Server, createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { azureRemote } from "../../src/remote/azure/azure.js";
import { gcsRemote } from "../../src/remote/gcs/gcs.js";
import type { Remote } from "../../src/remote/remote.js";
import { openLinks } from "../../src/remote/links/links.js";
import { s3Remote } from "../../src/remote/s3/s3.js";
import { atEnd } from "../support/cleanup.js";
import type { Bench } from "./decoders.js";
import type { Decoder } from "./fuzz.js";

/** Answers that never end are given up on after this. */
const SILENCE_MS = 5_000;

export async function answerDecoders({ scope }: Bench): Promise<Decoder[]> {
  const { server, url, say } = await liar();
  const links = openLinks({ attempts: 1 });
  atEnd(scope, () => links.close());
  atEnd(scope, () => new Promise<void>((resolve) => server.close(() => resolve())));
  const s3 = s3Remote(
    {
      bucket: "bucket",
      prefix: "",
      endpoint: url,
      region: "us-east-1",
      pathStyle: true,
      checksums: false,
      anonymous: true,
    },
    "s3://bucket",
    { silenceMs: SILENCE_MS },
  );
  const gcs = gcsRemote({ bucket: "bucket", prefix: "", endpoint: url, anonymous: true }, "gs://bucket", {
    silenceMs: SILENCE_MS,
  });
  const azure = azureRemote(
    { account: "a", container: "abc", prefix: "", endpoint: url, anonymous: true },
    "azure://a/abc",
    { silenceMs: SILENCE_MS },
  );
  for (const remote of [s3, gcs, azure]) atEnd(scope, () => remote.close());
  say(Buffer.from(http("404 Not Found", ""), "latin1"));
  // The clouds' own code is loaded with the first request, which may take longer than an answer may.
  for (const remote of [s3, gcs, azure]) await remote.stat("warm").catch(() => undefined);
  const of = (name: string, samples: readonly string[], ask: () => Promise<unknown>): Decoder => ({
    name,
    share: 0.02,
    samples: samples.map((sample) => Buffer.from(sample, "latin1")),
    others: REFUSALS,
    decode: async (bytes) => {
      say(bytes);
      await ask();
    },
  });
  const bodies = (remote: Remote, name: string) => [
    of(
      `${name}: range`,
      [http("206 Partial Content", "hello", "content-range: bytes 0-4/9", ...OF_OBJECT)],
      () => remote.read("a/b", 0, 5),
    ),
    of(`${name}: object`, [http("200 OK", "hello", ...OF_OBJECT)], () =>
      remote.readWhole("a/b", { maxBytes: 1_000_000 }),
    ),
  ];
  return [
    ...bodies(s3, "S3"),
    of("S3: list", [http("200 OK", S3_LIST, "content-type: application/xml")], () => all(s3)),
    ...bodies(gcs, "GCS"),
    of("GCS: list", [http("200 OK", GCS_LIST, "content-type: application/json")], () => all(gcs)),
    of(
      "GCS: look-up",
      [http("200 OK", '{"size":"5","updated":"2024-01-01T00:00:00Z"}', "content-type: application/json")],
      () => gcs.stat("a/b"),
    ),
    ...bodies(azure, "Azure"),
    of("Azure: list", [http("200 OK", AZURE_LIST, "content-type: application/xml")], () => all(azure)),
    of("HTTP link", [http("206 Partial Content", "hello", 'content-range: bytes 0-4/5\r\netag: "x"')], () =>
      links.read({ url: `${url}/x`, sizeBytes: 5, pin: 'etag:"x"' }, 0, 5),
    ),
  ];
}

/** A server that says the same bytes to whoever asks, and hangs up. */
async function liar(): Promise<{ server: Server; url: string; say: (bytes: Uint8Array) => void }> {
  let answer: Uint8Array = new Uint8Array();
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { server, url, say: (bytes) => (answer = bytes) };
}

/** More objects than this are not waited for: who lists forever is stopped by who reads. */
const MOST_LISTED = 50_000;

async function all(remote: Remote): Promise<void> {
  let left = MOST_LISTED;
  for await (const { key } of remote.list("")) if (key === "" || --left === 0) return;
}

function http(status: string, body: string, ...headers: string[]): string {
  const length = `content-length: ${Buffer.byteLength(body, "latin1")}`;
  return [`HTTP/1.1 ${status}`, length, ...headers, "connection: close", "", body].join("\r\n");
}

const OF_OBJECT = ['etag: "x"', "last-modified: Mon, 01 Jan 2024 00:00:00 GMT"];
const XML_ERROR = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>';
/** What is told in place of an answer. */
const REFUSALS = [
  http("403 Forbidden", XML_ERROR, "content-type: application/xml"),
  http("404 Not Found", '{"error":{"code":404,"message":"no"}}', "content-type: application/json"),
  http("503 Slow Down", "", "retry-after: 0"),
  http("302 Found", "", "location: http://127.0.0.1:1/"),
].map((text) => Buffer.from(text, "latin1"));
const S3_LIST =
  '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>bucket</Name><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>' +
  "<Contents><Key>a</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><Size>5</Size></Contents>" +
  "<Contents><Key>b/c</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><Size>6</Size></Contents></ListBucketResult>";
const GCS_LIST = JSON.stringify({
  items: [
    { name: "a", size: "5", updated: "2024-01-01T00:00:00Z" },
    { name: "b/c", size: "6", updated: "2024-01-01T00:00:00Z" },
  ],
});
const AZURE_LIST =
  '<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="abc"><Blobs>' +
  "<Blob><Name>a</Name><Properties><Last-Modified>Mon, 01 Jan 2024 00:00:00 GMT</Last-Modified><Content-Length>5</Content-Length></Properties></Blob>" +
  "<Blob><Name>b/c</Name><Properties><Last-Modified>Mon, 01 Jan 2024 00:00:00 GMT</Last-Modified><Content-Length>6</Content-Length></Properties></Blob>" +
  "</Blobs><NextMarker/></EnumerationResults>";
