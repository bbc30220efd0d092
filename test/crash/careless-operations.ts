/** Operations that do what none may, so that it is seen that this is found out. */
import { readFileSync, readdirSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OPERATIONS, type Operation } from "./operations.js";

const base = OPERATIONS["cache fill"]!;

export const CARELESS: Readonly<Record<string, Operation>> = {
  /** Takes a pack away before it writes it anew. */
  repack: {
    ...base,
    run: async ({ folder }) => {
      const packs = join(folder, "home/remote/packs");
      const path = readdirSync(packs, { recursive: true, encoding: "utf8" }).find((name) => name.length > 64);
      const bytes = readFileSync(join(packs, path!));
      unlinkSync(join(packs, path!));
      writeFileSync(join(packs, path!), bytes);
    },
    finish: base.run,
  },
  /** Never writes twice at the same place. */
  fickle: {
    ...base,
    run: async ({ folder }) => {
      const letters = Array.from({ length: 20 }, () => "ghijklmnop"[Math.floor(Math.random() * 10)]);
      writeFileSync(join(folder, letters.join("")), "");
    },
    finish: base.run,
  },
};
