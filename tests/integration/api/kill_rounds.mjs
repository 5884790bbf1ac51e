// usage: node tests/integration/api/kill_rounds.mjs [ROUNDS] [SEED]
// Rounds of kill -9 at random moments on SQLite (200 by default), against the real engine: support/kill_rounds.mjs
// says what must be true after each. Prints the seed, and how long it took at most until all was well again.
import { killRounds } from '../../support/kill_rounds.mjs';
import { startServer } from '../../support/server.mjs';

const rounds = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? Math.floor(Date.now() / 1000) % 1_000_000);
console.log(`${rounds} rounds, seed ${seed}`);
const server = await startServer();
let failure;
try {
  const result = await killRounds({
    servers: [server], rounds, seed,
    tell: (number, all) => number % 10 === 0 && console.log(`${number} rounds, all well again within ${all.slowest} ms`),
  });
  console.log(JSON.stringify(result));
} catch (error) {
  failure = error;
  console.error(error);
  console.error(server.log.slice(-60).map((each) => JSON.stringify(each)).join('\n'));
}
await server.close();
process.exit(failure ? 1 : 0);
