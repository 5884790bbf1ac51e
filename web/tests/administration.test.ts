import { expect, test } from 'vitest';

import { everyWords, ownerMeant, reserved, runWords, userQuery, workspaceQuery, workspaceSearch } from '@/data/admin';
import { deviceOf } from '@/data/sessions';
import { powersFor, scopeWords, tokenRequest } from '@/data/tokens';

test('an owner is meant by the whole address, or by as much of it as fits one account alone', () => {
  const ada = { id: 'a', email: 'Ada@example.com' };
  const adam = { id: 'b', email: 'adam@example.com' };
  expect(ownerMeant([adam, ada], ' ada@EXAMPLE.com ')).toBe('a');
  expect(ownerMeant([adam], 'ada')).toBe('b');
  expect(() => ownerMeant([adam, ada], 'ada')).toThrow('Several accounts fit: adam@example.com, Ada@example.com. Type more');
  expect(() => ownerMeant([], 'eve')).toThrow('No account has “eve”');
});

test('only what is looked for is asked for, and an address says it again', () => {
  expect(workspaceQuery({ user: '', type: 'vs code', status: 'error' })).toBe('type=vs+code&status=error');
  expect(workspaceSearch('?type=vs+code&status=error')).toEqual({ user: '', type: 'vs code', status: 'error' });
  expect(userQuery({ text: '  ', role: '', active: '' })).toBe('limit=50');
  expect(userQuery({ text: ' a&b ', role: 'admin', active: 'false' })).toBe('limit=50&search=a%26b&role=admin&active=false');
});

test('a schedule, and what came of a run, in words', () => {
  expect([0, 1, 15, 60, 90, 120, 1440, 10_080].map(everyWords)).toEqual(['Only when asked', 'Every minute', 'Every 15 minutes', 'Every hour', 'Every 90 minutes', 'Every 2 hours', 'Every day', 'Every 7 days']);
  const run = { startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:01Z', by: 'schedule' as const, done: 0, kept: 0, failed: [], problem: null };
  const failed = { kind: 'volume' as const, name: 'v', outcome: 'failed' as const, why: 'In use.', since: null };
  expect(runWords(null, false).text).toBe('Not yet run');
  expect(runWords(run, true).text).toBe('Under way');
  expect(runWords(run, false)).toEqual({ kind: 'plain', text: 'Nothing to do' });
  expect(runWords({ ...run, done: 2, kept: 1 }, false)).toEqual({ kind: 'good', text: '2 done, 1 left alone' });
  // What went wrong is told before what went well.
  expect(runWords({ ...run, done: 2, failed: [failed] }, false)).toEqual({ kind: 'bad', text: '1 failed' });
  expect(runWords({ ...run, failed: Array.from({ length: 20 }, () => failed) }, false).text).toBe('20 or more failed');
  expect(runWords({ ...run, done: 2, problem: 'The container engine does not answer.' }, false).kind).toBe('bad');
  expect(runWords({ ...run, finishedAt: null }, false).text).toBe('Without an end');
});

test('a bar is full at the most, and knows when more is promised than there is', () => {
  expect(reserved(2, 8)).toEqual({ share: 0.25, over: false });
  expect(reserved(8, 8)).toEqual({ share: 1, over: false });
  expect(reserved(12, 8)).toEqual({ share: 1, over: true });
  expect(reserved(12, null)).toEqual({ share: 0, over: false });
});

test('a token is asked for with no more than was chosen', () => {
  const wanted = { name: 'nightly', days: 1, power: 'read' as const, workspaceId: '' };
  expect(tokenRequest(wanted, 0)).toEqual({ name: 'nightly', expiresAt: '1970-01-02T00:00:00.000Z', scopes: ['read'], workspaceId: null });
  expect(tokenRequest({ ...wanted, days: 0, power: 'all' })).toEqual({ name: 'nightly', expiresAt: null, scopes: null, workspaceId: null });
  // One for a workspace says what it may, rather than "everything".
  expect(tokenRequest({ ...wanted, power: 'all', workspaceId: 'w' })).toMatchObject({ scopes: ['write'], workspaceId: 'w' });
  expect(powersFor('').map(([power]) => power)).toEqual(['read', 'write', 'all']);
  expect(powersFor('w').map(([power]) => power)).toEqual(['read', 'write']);
});

test('what a token may is said in words', () => {
  const nameOf = (id: string) => (id === 'w' ? 'Sheets' : undefined);
  expect(scopeWords({ scopes: null, workspaceId: null }, nameOf)).toBe('May do everything');
  expect(scopeWords({ scopes: ['read'], workspaceId: null }, nameOf)).toBe('May look only');
  expect(scopeWords({ scopes: ['read', 'write'], workspaceId: null }, nameOf)).toBe('May look and change');
  expect(scopeWords({ scopes: null, workspaceId: 'w' }, nameOf)).toBe('May look and change, in Sheets alone');
  expect(scopeWords({ scopes: ['read'], workspaceId: 'x' }, nameOf)).toBe('May look only, in a workspace that is gone');
});

test('a session is told by what it is used with', () => {
  const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
  expect(deviceOf(chrome)).toBe('Chrome on Linux');
  expect(deviceOf(`${chrome} Edg/140.0`)).toBe('Edge on Linux');
  expect(deviceOf('Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36')).toBe('Chrome on Android');
  expect(deviceOf('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1')).toBe('Safari on iOS');
  expect(deviceOf('Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0')).toBe('Firefox on Windows');
  expect(deviceOf('curl/8.5.0')).toBe('curl');
  expect(deviceOf('something of its own')).toBe('something of its own');
  expect(deviceOf('')).toBe('A program that does not say what it is');
});
