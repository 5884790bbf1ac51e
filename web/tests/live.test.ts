import { beforeEach, expect, test, vi } from 'vitest';

import { outcomes } from '@/base/outcomes';
import { changes, heard, heardAll, type Change } from '@/data/changes';
import { keys, queryClient } from '@/data/client';
import { inOrder, take, withEvent, withHeard, withWorkspace } from '@/data/live';
import type { LifeEvent, Operation, Workspace } from '@/data/types';
import { asSeen } from '@/data/workspaces';

const workspace = (id: string, more: Partial<Workspace> = {}) => ({ id, name: id, phase: 'stopped', isDefault: false, createdAt: `2026-01-0${id.length}T00:00:00.000Z`, currentProjectId: null, ...more }) as Workspace;
const operation = (more: Partial<Operation> = {}) => ({ id: 'op', workspaceId: 'a', kind: 'start', state: 'running', error: null, createdAt: '2026-01-01T00:00:00.000Z', startedAt: null, progress: null, ...more }) as Operation;
const change = (more: Partial<Change> = {}): Change => ({ kind: 'start', name: 'A', project: undefined, operation: 'op', requestId: 'r-1', began: 5, ...more });
const told = () => outcomes.get().map(({ kind, text, requestId }) => ({ kind, text, requestId }));
const list = () => queryClient.getQueryData<Workspace[]>(keys.workspaces);

beforeEach(() => {
  queryClient.clear();
  changes.set(new Map());
  outcomes.set([]);
  vi.useFakeTimers();
});

test('workspaces stand as the server lists them: the default first, then the newest', () => {
  expect(inOrder([workspace('a'), workspace('bbb'), workspace('cc', { isDefault: true })]).map((each) => each.id)).toEqual(['cc', 'bbb', 'a']);
  const after = withWorkspace([workspace('a', { isDefault: true }), workspace('bbb')], workspace('bbb', { isDefault: true }));
  expect(after.map((each) => [each.id, each.isDefault])).toEqual([['bbb', true], ['a', false]]);
});

test('events change what is there, and what is not in the snapshot is gone', () => {
  queryClient.setQueryData(keys.workspaces, [workspace('a'), workspace('bb')]);
  take({ event: 'workspace', data: JSON.stringify(workspace('a', { phase: 'running' })), id: undefined });
  expect(list()?.find((each) => each.id === 'a')?.phase).toBe('running');
  take({ event: 'snapshot', data: '{"workspaceIds":["a"]}', id: undefined });
  expect(list()?.map((each) => each.id)).toEqual(['a']);
  take({ event: 'deleted', data: '{"id":"a"}', id: undefined });
  expect(list()).toEqual([]);
  take({ event: 'of a later server', data: '{}', id: undefined });
});

test('a list that has not been read is not made up from one event', () => {
  take({ event: 'workspace', data: JSON.stringify(workspace('a')), id: undefined });
  expect(list()).toBeUndefined();
});

test('what was told while the list was on its way counts more than the list', () => {
  const heardOf = new Map([['a', workspace('a', { phase: 'running' })], ['bb', undefined], ['dddd', workspace('dddd')]]);
  expect(withHeard([workspace('a'), workspace('bb'), workspace('ccc')], heardOf).map((each) => [each.id, each.phase])).toEqual([['dddd', 'stopped'], ['ccc', 'stopped'], ['a', 'running']]);
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

test('a switch shows the project that is wanted', () => {
  const seen = asSeen(workspace('a', { currentProjectId: 'p1' }), undefined, change({ kind: 'switch', project: { id: 'p2', name: 'Two' } }));
  expect(seen.projectId).toBe('p2');
});
