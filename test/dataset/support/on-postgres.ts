/** Imported before tests of datasets: their users' catalogs are on PostgreSQL. */
process.env["VARVE_TEST_CATALOG"] = "postgres";
