/** `npm run bench`: measures flowstate beside a reference. `--help` tells how. */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { verdictsOn } from './bounds.js';
import type { Options } from './options.js';
import { measureImports, USAGE as IMPORTS_USAGE } from './imports.js';
import { readOptions, USAGE } from './options.js';
import { measureInProcess } from './process.js';
import { boundTable, failuresIn, LEGEND, rowTable } from './report.js';
import { find as findPostgres } from '../test/servers/postgres.js';
import { runCell } from './rounds.js';
import type { Row } from './rows.js';
import { rowsOf } from './rows.js';
import { measureWorkers, USAGE as WORKERS_USAGE } from './workers/main.js';
import type { Workload } from './workloads.js';

const [first = '', ...others] = process.argv.slice(2);
// Two processes take part in it, and what is measured is not a cost.
if (first.toUpperCase() === 'W7') process.exitCode = await measureWorkers(others);
else if (first === 'import') process.exitCode = measureImports(others);
else {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(`${USAGE}\n\n${WORKERS_USAGE}\n\n${IMPORTS_USAGE}`);
  else process.exitCode = await main(options);
}

async function main(options: Options): Promise<number> {
  const { repeats, seed, directory, subjects, sizes, largest } = options;
  const temperatures = options.warm ? [false, true] : [false];
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${load()}, seed ${seed}\n${LEGEND}`,
  );
  const rows: Row[] = [];
  const failures: string[] = [];
  const isOnServer = ({ durable }: Workload) => durable === 'postgresql';
  const server = options.workloads.some(isOnServer) ? await findPostgres() : null;
  for (const workload of options.workloads) {
    if (isOnServer(workload) && server === null) {
      console.log(`\n${workload.id} is NOT MEASURED: there is no server (set FLOWSTATE_TEST_POSTGRES_URL)`);
      continue;
    }
    console.log(`\n${workload.id}: ${workload.title}; reference: ${workload.reference}`);
    for (const n of (sizes ?? workload.sizes).filter((size) => size <= largest)) {
      for (const isWarm of temperatures) {
        const cell = { workload, n, subjects, isWarm };
        const run = await runCell(cell, {
          repeats,
          seed,
          directory,
          server: server?.url ?? null,
          measure: measureInProcess,
        });
        const measured = rowsOf(run);
        const failed = failuresIn(run);
        rows.push(...measured);
        failures.push(...failed);
        console.log([`\n${rowTable(measured)}`, ...failed, `(${load()})`].join('\n'));
      }
    }
  }
  await server?.stop();
  const verdicts = verdictsOn(rows);
  console.log(`\nAll\n\n${rowTable(rows)}\n\nBounds\n\n${boundTable(verdicts)}`);
  if (failures.length > 0) console.log(`\nNot measured\n\n${failures.join('\n')}`);
  if (options.json !== null) await writeFile(options.json, `${JSON.stringify(rows, null, 2)}\n`);
  // Times depend on what else the machine does, counts do not.
  return failures.length > 0 || verdicts.some(({ kept, isCount }) => isCount && !kept) ? 1 : 0;
}

function load(): string {
  const averages = loadavg().map((average) => average.toFixed(2));
  return `load average ${averages.join(' ')}`;
}
