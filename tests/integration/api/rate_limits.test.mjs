// Guessing is slowed down, per account and per address; who knows the password is not in the way of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startServer, userPassword } from '../../support/server.mjs';

let server;
before(async () => (server = await startServer({ rateLimit: true, toml: '[server]\ntrustedProxies = ["127.0.0.1"]\n' })));
after(() => server.close());

// From another address each, as a trusted proxy tells.
const from = (address) => ({ headers: { 'X-Forwarded-For': address } });
const login = (email, password, address) => server.nobody().post('/api/auth/login', { email, password }, from(address));

async function guess(count, attempt) {
  for (let tries = 1; tries <= count; ++tries) {
    const answer = await attempt(tries);
    if (answer.status === 429) return { tries, answer };
    answer.expect(401, 'invalid_credentials');
  }
  return undefined;
}

test('an account is guarded from every address together, with a time to wait', async () => {
  const { body } = (await server.nobody().post('/api/auth/register', { email: 'target@example.test', username: 't', password: userPassword }, from('10.0.0.1'))).expect(201);
  const refused = await guess(20, (tries) => login('target@example.test', `guess number ${tries}`, `10.0.1.${tries}`));
  assert.ok(refused, 'twenty guesses went through');
  assert.ok(refused.tries > 5, `a person who mistypes ${refused.tries} times is locked out`);
  refused.answer.expect(429, 'rate_limited');
  assert.ok(Number(refused.answer.headers['retry-after']) >= 1);
  // The right password from elsewhere does not help while the account is being guessed at …
  (await login('target@example.test', userPassword, '10.0.9.9')).expect(429);
  // … but who is in stays in, and other accounts are open.
  (await server.nobody().with(body.accessToken).get('/api/auth/profile')).expect(200);
  (await server.nobody().post('/api/auth/register', { email: 'bystander@example.test', username: 'b', password: userPassword }, from('10.0.0.2'))).expect(201);
  (await login('bystander@example.test', userPassword, '10.0.1.1')).expect(200);
});

test('an address is guarded over all accounts together, and no other address suffers', async () => {
  const answers = await Promise.all(Array.from({ length: 45 }, (_, tries) => login(`somebody${tries}@example.test`, 'guess', '10.0.2.1')));
  const refused = answers.filter((each) => each.status === 429);
  assert.ok(refused.length > 0, 'forty-five guesses went through');
  assert.ok(refused.length < 35, 'ten people behind one address cannot mistype');
  (await login('bystander@example.test', userPassword, '10.0.2.2')).expect(200);
});

test('those who know their password are never counted', async () => {
  for (let count = 0; count < 12; ++count) (await login('bystander@example.test', userPassword, '10.0.3.1')).expect(200);
});

test('the current password of a session cannot be guessed at either', async () => {
  const { body } = (await server.nobody().post('/api/auth/register', { email: 'inside@example.test', username: 'i', password: userPassword }, from('10.0.4.1'))).expect(201);
  const user = server.nobody().with(body.accessToken);
  let limited;
  for (let tries = 0; tries < 20 && !limited; ++tries) {
    const answer = await user.post('/api/auth/change-password', { currentPassword: `guess ${tries}`, newPassword: 'whatever it may be' });
    if (answer.status === 429) limited = answer;
    else answer.expect(400, 'wrong_password');
  }
  assert.ok(limited, 'twenty guesses went through');
});
