// usage: node tests/integration/api/kill_rounds.mjs [ROUNDS [SEED [sqlite|postgres]]]
// Rounds of kill -9 at random moments (200 by default) against the real engine, of one server on SQLite or of two on
// one PostgreSQL: support/kill_rounds.mjs says what must be true after each. Prints the seed, and how long it took at
// most until all was well again.
import { killRounds, someOf } from '../../support/kill_rounds.mjs';
import { startPostgres } from '../../support/postgres_server.mjs';
import { startServer } from '../../support/server.mjs';

const rounds = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? Math.floor(Date.now() / 1000) % 1_000_000);
const database = process.argv[4] ?? 'sqlite';
if (!['sqlite', 'postgres'].includes(database)) throw new Error(`sqlite or postgres, not ${database}`);
console.log(`${rounds} rounds, seed ${seed}, ${database}`);
const postgres = database === 'postgres' ? await startPostgres() : undefined;
const servers = [];
let failure;
try {
  servers.push(await startServer({ postgres }));
  if (postgres) servers.push(await startServer({ beside: servers[0] }));
  const result = await killRounds({
    servers, rounds, seed, victims: postgres ? someOf : undefined,
    tell: (number, all) => number % 10 === 0 && console.log(`${number} rounds, all well again within ${all.slowest} ms`),
  });
  console.log(JSON.stringify(result));
} catch (error) {
  failure = error;
  console.error(error);
  for (const server of servers) console.error(server.log.slice(-60).map((each) => JSON.stringify(each)).join('\n') + '\n');
}
await Promise.all(servers.map((each) => each.close()));
await postgres?.close();
process.exit(failure ? 1 : 0);
