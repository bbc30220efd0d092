/** Packs a bundle into one zip beside its folder. Members are stored as they are: packs are compressed already. */
import { createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import { fileRemote } from "../remote/file/file.js";

/** @returns Path of the zip. It appears whole, and replaces an earlier one. */
export async function zipBundle(folder: string): Promise<string> {
  const path = `${folder}.zip`;
  const aside = `${path}.${process.pid}.tmp`;
  try {
    await writeZip(folder, aside);
    await rename(aside, path);
  } finally {
    await rm(aside, { force: true });
  }
  return path;
}

async function writeZip(folder: string, path: string): Promise<void> {
  const zip = new ZipFile();
  const written = pipeline(zip.outputStream, createWriteStream(path, { mode: 0o600 }));
  // A file that cannot be read is told by the zip, and must end the writing too.
  const failed = new Promise<never>((_, reject) => zip.once("error", reject));
  for await (const { key } of fileRemote(folder).list(""))
    zip.addFile(join(folder, key), key, { compress: false });
  zip.end();
  await Promise.race([written, failed]);
  const file = await open(path);
  await file.sync().finally(() => file.close());
}
