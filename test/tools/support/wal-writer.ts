/**
 * One of several processes that write to one SQLite database in WAL mode: `wal-writer.js FILE NAME ROWS`. Each row is a
 * transaction; now and then it reads all rows and moves the log into the database. Then it begins a transaction that it
 * never ends, says "written", and waits to be killed.
 */
import Database from "better-sqlite3";

const [file, name, rows] = process.argv.slice(2) as [string, string, string];
const db = new Database(file, { timeout: 30_000 });
if (db.pragma("journal_mode = wal", { simple: true }) !== "wal") throw new Error("There is no WAL here");
db.exec(
  "create table if not exists rows (writer text, number integer, filler blob, primary key (writer, number))",
);
const insert = db.prepare("insert into rows values (?, ?, randomblob(500))");
const mine = db.prepare<[string], number>("select count(*) from rows where writer = ?").pluck();

for (let number = 0; number < Number(rows); number++) {
  insert.run(name, number);
  if (mine.get(name) !== number + 1) throw new Error("A row that was committed is not there");
  if (number % 100 === 99) db.pragma("wal_checkpoint(passive)");
}
console.log("written");
process.stdin
  .once("data", () => {
    db.exec("begin immediate");
    for (let number = 0; number < 1_000; number++) insert.run(`${name}, never committed`, number);
    console.log("begun");
  })
  .resume();
