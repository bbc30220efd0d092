/** Tests of datasets that are about the catalog, with it on PostgreSQL. All of them: `VARVE_TEST_CATALOG=postgres scripts/test dataset`. */
import "./support/on-postgres.js";

import "./drafts.test.js";
import "./finding.test.js";
import "./heads.test.js";
import "./labels.test.js";
import "./rebuild.test.js";
import "./roll-forward.test.js";
import "./sync.test.js";
