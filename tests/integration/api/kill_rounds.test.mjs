// kill -9 at random moments while several clients work: a few rounds. kill_rounds.mjs beside this file does many.
import { test } from 'node:test';

import { killRounds } from '../../support/kill_rounds.mjs';
import { startServer } from '../../support/server.mjs';

test('a server that dies at any moment loses nothing', async (context) => {
  const seed = Number(process.env.AGENTDB9_TEST_SEED ?? Math.floor(Date.now() / 1000) % 1_000_000);
  const server = await startServer();
  try {
    const result = await killRounds({ servers: [server], rounds: 15, seed });
    context.diagnostic(`seed ${seed}: ${JSON.stringify(result)}`);
  } finally {
    await server.close();
  }
});
