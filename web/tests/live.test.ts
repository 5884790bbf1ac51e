import { QueryObserver } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { outcomes } from '@/base/outcomes';
import { changes, heard, heardAll, type Change } from '@/data/changes';
import { keys, queryClient } from '@/data/client';
import { inOrder, take, toldWorkspaces, withEvent, withWorkspace } from '@/data/live';
import { backUp, forgetOperations, readOperations } from '@/data/project_operations';
import { importProject } from '@/data/projects';
import type { LifeEvent, Operation, Project, ProjectOperation, Workspace } from '@/data/types';
import { clone } from '@/screens/projects/project_menu';
import { asSeen, makeDefault, readHistory } from '@/data/workspaces';

const workspace = (id: string, more: Partial<Workspace> = {}) => ({ id, name: id, phase: 'stopped', isDefault: false, createdAt: `2026-01-0${id.length}T00:00:00.000Z`, updatedAt: '2026-02-01', currentProjectId: null, ...more }) as Workspace;
const operation = (more: Partial<Operation> = {}) => ({ id: 'op', workspaceId: 'a', kind: 'start', state: 'running', error: null, createdAt: '2026-01-01T00:00:00.000Z', startedAt: null, progress: null, ...more }) as Operation;
const project = (id: string, more: Partial<Project> = {}) => ({ id, name: id, volumeName: null, createdAt: `2026-01-0${id.length}T00:00:00.000Z`, ...more }) as Project;
const projects = () => queryClient.getQueryData<Project[]>(keys.projects)?.map((each) => [each.id, each.name]);
const backup = (more: Partial<ProjectOperation>) => ({ projectId: 'p', kind: 'backup', state: 'pending', error: null, createdAt: '2026-01-01T00:00:00.000Z', progress: null, ...more }) as ProjectOperation;
const tell = (event: string, data: unknown) => take({ event, data: JSON.stringify(data), id: undefined });
const change = (more: Partial<Change> = {}): Change => ({ kind: 'start', name: 'A', project: undefined, operation: 'op', requestId: 'r-1', began: 5, ...more });
const told = () => outcomes.get().map(({ kind, text, requestId }) => ({ kind, text, requestId }));
const list = () => queryClient.getQueryData<Workspace[]>(keys.workspaces);

beforeEach(() => {
  queryClient.clear();
  changes.set(new Map());
  forgetOperations();
  outcomes.set([]);
  vi.useFakeTimers();
});
// What waits for a moment of quiet is no other test's.
afterEach(() => void vi.runOnlyPendingTimers());

test('workspaces stand as the server lists them: the default first, then the newest', () => {
  expect(inOrder([workspace('a'), workspace('bbb'), workspace('cc', { isDefault: true })]).map((each) => each.id)).toEqual(['cc', 'bbb', 'a']);
  const after = withWorkspace([workspace('a', { isDefault: true }), workspace('bbb')], workspace('bbb', { isDefault: true }));
  expect(after.map((each) => [each.id, each.isDefault])).toEqual([['bbb', true], ['a', false]]);
});

test('events change what is there, and what is not in the snapshot is gone', () => {
  queryClient.setQueryData(keys.workspaces, [workspace('a'), workspace('bb')]);
  take({ event: 'workspace', data: JSON.stringify(workspace('a', { phase: 'running' })), id: undefined });
  expect(list()?.find((each) => each.id === 'a')?.phase).toBe('running');
  tell('snapshot', { workspaceIds: ['a'], projectIds: [] });
  expect(list()?.map((each) => each.id)).toEqual(['a']);
  take({ event: 'deleted', data: '{"id":"a"}', id: undefined });
  expect(list()).toEqual([]);
  take({ event: 'of a later server', data: '{}', id: undefined });
});

test('a list that has not been read is not made up from one event', () => {
  take({ event: 'workspace', data: JSON.stringify(workspace('a')), id: undefined });
  expect(list()).toBeUndefined();
});

// A server that lets everybody in, and answers in turn.
const answers = (...bodies: unknown[]) =>
  vi.stubGlobal('fetch', (path: string) => Promise.resolve(path.startsWith('/api/auth/') ? Response.json({ user: {}, accessToken: 'token', expiresIn: 900 }) : bodies.shift()).then((body) => (body instanceof Response ? body : Response.json(body))));

// Reads with what is told meanwhile: `data` is how things stood before.
async function readWhile<T>(read: () => Promise<T>, data: unknown, meanwhile: () => void): Promise<T> {
  let answer: ((body: unknown) => void) | undefined;
  answers(new Promise((resolve) => (answer = resolve)));
  const reading = read();
  meanwhile();
  answer?.({ success: true, data });
  return reading;
}

test('what was told while the list was on its way counts more than the list', async () => {
  const rows = await readWhile(toldWorkspaces.read, [workspace('ccc'), workspace('bb'), workspace('a')], () => {
    tell('workspace', workspace('a', { phase: 'running' }));
    tell('workspace', workspace('dddd'));
    tell('deleted', { id: 'bb' });
  });
  expect(rows.map((each) => [each.id, each.phase])).toEqual([['dddd', 'stopped'], ['ccc', 'stopped'], ['a', 'running']]);
});

// Somebody looks at these: what of them is read again meanwhile.
function looksAt(...all: (readonly string[])[]) {
  const reads: string[] = [];
  const stops = all.map((queryKey) => {
    queryClient.setQueryData(queryKey, []);
    const queryFn = () => {
      reads.push(queryKey.join(' '));
      return [];
    };
    return new QueryObserver(queryClient, { queryKey, queryFn, staleTime: Infinity }).subscribe(() => {});
  });
  return { reads, leave: () => stops.forEach((stop) => stop()) };
}

test('who listens again reads again what is on the screen, for what ended unheard; the rest when it is looked at', async () => {
  const onScreen = [keys.projectOperations('p'), keys.backups('p'), keys.history('a'), keys.health('a')];
  const { reads, leave } = looksAt(...onScreen);
  queryClient.setQueryData(keys.backups('unseen'), []);
  queryClient.setQueryData(keys.types, []);
  tell('snapshot', { workspaceIds: ['a'], projectIds: ['p'] });
  await vi.advanceTimersByTimeAsync(0);
  expect(reads).toEqual(onScreen.map((each) => each.join(' ')));
  expect(queryClient.getQueryState(keys.backups('unseen'))?.isInvalidated).toBe(true);
  expect(queryClient.getQueryState(keys.types)?.isInvalidated).toBe(false);
  leave();
});

test('what happens to a workspace has its condition read again, once for all that is told at a time, and not its history', async () => {
  const { reads, leave } = looksAt(keys.history('a'), keys.health('a'), keys.activity('a'), keys.health('bb'));
  tell('history', { id: '1', workspaceId: 'a', at: '2026-01-01' });
  tell('history', { id: '2', workspaceId: 'a', at: '2026-01-01' });
  tell('workspace', workspace('a'));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(reads).toEqual(['workspace a health', 'workspace a activity']);
  leave();
});

test('a row that is gone from the snapshot does not come back with a list that was read before it', async () => {
  const rows = await readWhile(toldWorkspaces.read, [workspace('bb'), workspace('a')], () => {
    tell('snapshot', { workspaceIds: ['a'], projectIds: [] });
    tell('workspace', workspace('ccc'));
  });
  expect(rows.map((each) => each.id)).toEqual(['ccc', 'a']);
});

test('the end of a backup that is told while its project’s operations are being read is not lost', async () => {
  const operations = await readWhile(() => readOperations('p'), [backup({ id: 'one', state: 'running' })], () => tell('project-operation', backup({ id: 'one', state: 'succeeded' })));
  expect(operations.map((each) => [each.id, each.state])).toEqual([['one', 'succeeded']]);
});

test('what happens while the history is being read is in it', async () => {
  const event = (id: string) => ({ id, workspaceId: 'a', at: `2026-01-0${id}` }) as LifeEvent;
  const history = await readWhile(() => readHistory('a'), [event('1')], () => tell('history', event('2')));
  expect(history.map((each) => each.id)).toEqual(['2', '1']);
});

test('an answer takes the place of nothing newer that was told while its request was under way', async () => {
  const asked = async (before: Workspace[] | undefined, meanwhile: () => void) => {
    queryClient.clear();
    if (before) queryClient.setQueryData(keys.workspaces, before);
    await readWhile(() => makeDefault('a'), workspace('a', { isDefault: true, phase: 'queued', updatedAt: '2026-02-02' }), meanwhile);
    return list()?.map((each) => [each.id, each.phase, each.isDefault]);
  };
  expect(await asked([workspace('bb', { isDefault: true }), workspace('a')], () => {})).toEqual([['a', 'queued', true], ['bb', 'stopped', false]]);
  // As new, and its status has gone on: not every change of that changes the row.
  expect(await asked([workspace('a')], () => tell('workspace', workspace('a', { isDefault: true, phase: 'running', updatedAt: '2026-02-02' })))).toEqual([['a', 'running', true]]);
  expect(await asked([workspace('a')], () => tell('workspace', workspace('a', { phase: 'running', updatedAt: '2026-02-01T12' })))).toEqual([['a', 'queued', true]]);
  expect(await asked([workspace('a')], () => tell('deleted', { id: 'a' }))).toEqual([]);
  // A list that has not been read is not made up.
  expect(await asked(undefined, () => {})).toBeUndefined();
});

test('an imported project is in the list when it is answered', async () => {
  queryClient.setQueryData(keys.projects, [project('a')]);
  answers({ success: true, data: project('bb') });
  await importProject('bb', new Blob());
  expect(projects()?.map(([id]) => id)).toEqual(['bb', 'a']);
});

test('projects are kept as they are told, too', () => {
  queryClient.setQueryData(keys.projects, [project('bb'), project('a')]);
  tell('project', project('ccc'));
  tell('project', project('a', { name: 'renamed' }));
  expect(projects()).toEqual([['ccc', 'ccc'], ['bb', 'bb'], ['a', 'renamed']]);
  tell('project-deleted', { id: 'bb' });
  expect(projects()).toEqual([['ccc', 'ccc'], ['a', 'renamed']]);
  tell('snapshot', { workspaceIds: [], projectIds: ['a'] });
  expect(projects()).toEqual([['a', 'renamed']]);
});

test('how far a backup is shows while it runs; its end is told once, by the tab that asked for it', async () => {
  queryClient.setQueryData(keys.projectOperations('p'), []);
  answers({ success: true, data: backup({ id: 'mine' }) });
  await backUp({ id: 'p', name: 'P' }, { name: null, pause: false });
  tell('project-operation', backup({ id: 'mine', state: 'running', progress: 40 }));
  expect(queryClient.getQueryData<ProjectOperation[]>(keys.projectOperations('p'))?.map((each) => each.progress)).toEqual([40]);
  tell('project-operation', backup({ id: 'another tab’s', state: 'succeeded' }));
  expect(told()).toEqual([]);
  tell('project-operation', backup({ id: 'mine', state: 'succeeded' }));
  tell('project-operation', backup({ id: 'mine', state: 'succeeded' }));
  expect(told().map((each) => each.text)).toEqual(['The backup of P is made.']);
});

test('a backup that ends before its request is answered is told, too', async () => {
  answers({ success: true, data: backup({ id: 'fast' }) });
  tell('project-operation', backup({ id: 'fast', state: 'failed', error: 'The disk is full.' }));
  await backUp({ id: 'p', name: 'P' }, { name: null, pause: false });
  expect(told().map((each) => each.text)).toEqual(['P could not be backed up: The disk is full.']);
});

test('whoever signs in next hears nothing of what was begun before them', async () => {
  answers({ success: true, data: backup({ id: 'theirs' }) });
  await backUp({ id: 'p', name: 'P' }, { name: null, pause: false });
  forgetOperations();
  tell('project-operation', backup({ id: 'theirs', state: 'succeeded' }));
  expect(told()).toEqual([]);
});

test('what has ended by the time it is answered is not said to go on', async () => {
  for (const state of ['succeeded', 'pending'] as const) {
    outcomes.set([]);
    answers({ success: true, data: backup({ id: `clone ${state}`, kind: 'clone' }) });
    if (state === 'succeeded') tell('project-operation', backup({ id: `clone ${state}`, kind: 'clone', state }));
    await clone(project('p'));
    expect(told().map((each) => each.text)).toEqual([state === 'succeeded' ? 'The copy of p is made.' : 'p is being copied.']);
  }
  tell('project-operation', backup({ id: 'clone pending', kind: 'clone', state: 'succeeded' }));
  expect(told().at(-1)?.text).toBe('The copy of p is made.');
});

test('a backup that ended while nobody told is looked for', async () => {
  answers({ success: true, data: backup({ id: 'unseen' }) }, { success: true, data: [backup({ id: 'unseen', state: 'succeeded' })] });
  await backUp({ id: 'p', name: 'P' }, { name: null, pause: false });
  tell('snapshot', { workspaceIds: [], projectIds: [] });
  await vi.waitUntil(() => told().length > 0);
  expect(told().map((each) => each.text)).toEqual(['The backup of P is made.']);
});

test('an older operation takes the place of no newer one', () => {
  take({ event: 'operation', data: JSON.stringify(operation({ id: 'new', createdAt: '2026-01-02T00:00:00.000Z' })), id: undefined });
  take({ event: 'operation', data: JSON.stringify(operation({ id: 'old' })), id: undefined });
  expect(queryClient.getQueryData<Operation>(keys.operation('a'))?.id).toBe('new');
});

test('history is told once, newest first', () => {
  const event = (id: string, at: string) => ({ id, at }) as LifeEvent;
  const history = withEvent(withEvent([event('1', '2026-01-01')], event('2', '2026-01-02')), event('1', '2026-01-01'));
  expect(history.map((each) => each.id)).toEqual(['2', '1']);
});

test('how a change ended is told once, by its own operation and no other', () => {
  changes.set(new Map([['a', change()]]));
  heard(operation());
  heard(operation({ id: 'another', state: 'succeeded' }));
  expect(told()).toEqual([]);
  heard(operation({ state: 'failed', error: 'The image is missing.' }));
  heard(operation({ state: 'failed', error: 'The image is missing.' }));
  expect(told()).toEqual([{ kind: 'problem', text: 'A could not be started: The image is missing.', requestId: 'r-1' }]);
  expect(changes.get().size).toBe(0);
});

test('a deletion has ended when the workspace is gone; any other change of it has nothing to tell', () => {
  changes.set(new Map([['a', change({ kind: 'delete' })], ['b', change({ kind: 'stop' })]]));
  heardAll(undefined, 'a');
  heardAll(undefined, 'b');
  expect(told().map((each) => each.text)).toEqual(['A is deleted. The files of its project stay.']);
});

test('a deletion that ends before its request is answered is told, too, and once', () => {
  const asked = change({ kind: 'delete', operation: undefined });
  changes.set(new Map([['a', asked]]));
  heardAll(undefined, 'a');
  heardAll(new Set(), undefined);
  expect(told().map((each) => each.text)).toEqual(['A is deleted. The files of its project stay.']);
});

test('what was asked for shows before the server’s first word, then the server’s word counts', () => {
  const asked = asSeen(workspace('a'), undefined, change({ operation: undefined }));
  expect([asked.phase, asked.since]).toEqual(['queued', 5]);
  const current = operation({ progress: 40, startedAt: '2026-01-01T00:00:10.000Z', queue: { position: 2, of: 3, reason: 'x' } });
  const queued = asSeen(workspace('a', { phase: 'queued' }), current, change());
  expect([queued.phase, queued.progress, queued.queue?.position, queued.since]).toEqual(['queued', 40, 2, Date.parse('2026-01-01T00:00:10.000Z')]);
  const over = asSeen(workspace('a', { phase: 'running' }), operation({ state: 'succeeded' }), undefined);
  expect([over.progress, over.since, over.queue]).toEqual([undefined, undefined, undefined]);
});

test('between the answer and the server’s first word of it, what was asked for goes on showing', () => {
  const pending = operation({ state: 'pending' });
  const shown = (phase: Workspace['phase'], known: Operation | undefined, kind: Change['kind'] = 'start') => asSeen(workspace('a', { phase }), known, change({ kind })).phase;
  expect(shown('stopped', pending)).toBe('queued');
  expect(shown('stopped', undefined)).toBe('queued');
  expect(shown('running', pending, 'stop')).toBe('stopping');
  expect(asSeen(workspace('a'), pending, change()).since).toBe(Date.parse(pending.createdAt));
  expect(shown('probing', pending)).toBe('probing');
  expect(shown('running', operation({ state: 'succeeded' }))).toBe('running');
  // A newer one, of another client, is what the server's word is about.
  expect(shown('stopped', operation({ id: 'newer', state: 'failed' }))).toBe('stopped');
});

test('a switch shows the project that is wanted', () => {
  const seen = asSeen(workspace('a', { currentProjectId: 'p1' }), undefined, change({ kind: 'switch', project: { id: 'p2', name: 'Two' } }));
  expect(seen.projectId).toBe('p2');
});
