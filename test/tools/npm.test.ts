/** npm on a writable mount, offline. */
import assert from "node:assert/strict";

import { toolTest } from "./support/workshop.js";

const FILES = 1000;
/** A package of many files with a program, as a tarball; another as a folder; and a project that has neither yet. */
const PACKAGES = `
mkdir -p "$LOCAL/package/lib" local project && cd "$LOCAL/package"
for i in $(seq ${FILES}); do echo "module.exports = $i;" >lib/m$i.js; done
echo '{"name":"many","version":"1.0.0","bin":{"many":"cli.js"}}' >package.json
printf '#!/usr/bin/env node\\nconsole.log(require("./lib/m7.js") + require("local"));\\n' >cli.js
cd - && tar -czf many-1.0.0.tgz -C "$LOCAL" package
echo '{"name":"local","version":"2.0.0"}' >local/package.json && echo 'module.exports = 100;' >local/index.js
echo '{"name":"project","version":"0.0.1","private":true}' >project/package.json`;

toolTest(
  "npm install fills node_modules with many files and links to programs, which run from the version",
  { needs: ["npm", "tar"], base: PACKAGES },
  async ({ sh, committed }) => {
    const npm = `npm --offline --no-audit --no-fund --no-update-notifier --cache "$LOCAL/cache"`;
    await sh(`cd project && ${npm} install --install-links ../many-1.0.0.tgz ../local`);
    assert.equal(
      await sh("readlink project/node_modules/.bin/many && project/node_modules/.bin/many"),
      "../many/cli.js\n107\n",
    );
    await sh(`cd project && rm -r node_modules/local && ${npm} ci --install-links`);
    const path = await committed();
    assert.equal(await sh(`${path}/project/node_modules/.bin/many`), "107\n");
    assert.equal(await sh(`ls ${path}/project/node_modules/many/lib | wc -l`), `${FILES}\n`);
  },
);
