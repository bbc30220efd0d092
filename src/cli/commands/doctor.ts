/** `varve doctor`: what this machine has and lacks. */
import { examine } from "../../doctor.js";
import { type Cli, run } from "../context.js";
import { ExitCode } from "../exit-codes.js";
import { renderTable } from "../table.js";

export function addDoctorCommand(cli: Cli): void {
  cli.command(
    "doctor",
    "Find out what is missing on this machine",
    (yargs) => yargs.example("$0 doctor", "exit code 1 when something needed is missing"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const checks = await examine(workspace.home);
        if (json) output.json(checks);
        else {
          const rows = checks.map(({ name, ok, needed, found, advice }) => [
            ok ? "ok" : needed ? "missing" : "limited",
            name,
            found,
            advice,
          ]);
          output.data(
            renderTable(
              [{ title: "" }, { title: "check" }, { title: "found" }, { title: "advice", shrinks: true }],
              rows,
            ),
          );
        }
        if (checks.some(({ ok, needed }) => needed && !ok)) process.exitCode = ExitCode.failed;
      }),
  );
}
