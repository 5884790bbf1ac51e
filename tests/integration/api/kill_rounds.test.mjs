// kill -9 at random moments while several clients work: a few rounds. kill_rounds.mjs beside this file does many.
import { test } from 'node:test';

import { killRounds, someOf } from '../../support/kill_rounds.mjs';
import { startPostgres } from '../../support/postgres_server.mjs';
import { startServer } from '../../support/server.mjs';

// The command beside this file holds the servers to five seconds; a machine that is busy with tests may take longer.
const within = 20_000;
const seed = Number(process.env.AGENTDB9_TEST_SEED ?? Math.floor(Date.now() / 1000) % 1_000_000);

async function run(context, servers, options) {
  try {
    const result = await killRounds({ servers, seed, within, ...options });
    context.diagnostic(`seed ${seed}: ${JSON.stringify(result)}`);
  } catch (error) {
    error.message += `\nthe servers' last words:\n${servers.map((server) => server.log.slice(-30).map((each) => JSON.stringify(each)).join('\n')).join('\n\n')}`;
    throw error;
  }
}

test('a server that dies at any moment loses nothing', async (context) => {
  const server = await startServer();
  try {
    await run(context, [server], { rounds: 15 });
  } finally {
    await server.close();
  }
});

test('of two servers on one PostgreSQL one dies at any moment, or both, and nothing is lost', async (context) => {
  const postgres = await startPostgres();
  const servers = [];
  try {
    servers.push(await startServer({ postgres }));
    servers.push(await startServer({ beside: servers[0] }));
    await run(context, servers, { rounds: 8, victims: someOf });
  } finally {
    await Promise.all(servers.map((each) => each.close()));
    await postgres.close();
  }
});
