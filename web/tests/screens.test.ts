import { expect, test, vi } from 'vitest';

import { auditQuery, profileChange } from '@/data/account';
import type { ContainerStats, Project, Workspace } from '@/data/types';
import { withSample } from '@/data/usage';
import { compatible, userOf } from '@/data/workspaces';
import { answered, askNothing, confirm, question } from '@/parts/dialog';
import { isMissing } from '@/parts/form';
import { linePoints } from '@/parts/sparkline';
import { usesOf } from '@/screens/projects/use_of';
import { ErrorBoundary } from '@/shell/error_boundary';

const sample = (seconds: number, more = {}) => ({ time: new Date(seconds * 1000).toISOString(), ...more }) as ContainerStats;

test('a line ends at the right, and stays in its box', () => {
  expect(linePoints([0, 50, 200], 100, 100, 20, 5)).toBe('50.0,20.0 75.0,10.0 100.0,0.0');
  expect(linePoints([5], 0, 100, 20, 5)).toBe('100.0,0.0');
});

test('samples are kept in order, the last sixty, and a gap begins anew', () => {
  const many = Array.from({ length: 70 }, (_, at) => sample(at)).reduce<readonly ContainerStats[]>((all, each) => withSample(all, each), []);
  expect(many).toHaveLength(60);
  expect(withSample(many, sample(69))).toBe(many);
  expect(withSample(many, sample(200))).toEqual([sample(200)]);
});

test('a project is offered where its type fits, and is another’s while that runs', () => {
  const project = (id: string, workspaceType: string | null) => ({ id, workspaceType }) as Project;
  const all = [project('any', null), project('sheet', 'spreadsheet'), project('code', 'vscode')];
  expect(compatible(all, 'vscode').map((each) => each.id)).toEqual(['any', 'code']);
  expect(compatible(all, 'vscode', 'sheet').map((each) => each.id)).toEqual(['any', 'sheet', 'code']);
  const workspaces = [{ id: 'w', currentProjectId: 'any', phase: 'running' }, { id: 'x', currentProjectId: 'code', phase: 'stopped' }] as Workspace[];
  expect(userOf(all[0]!, workspaces)?.id).toBe('w');
  expect(userOf(all[0]!, workspaces, 'w')).toBeUndefined();
  expect(userOf(all[2]!, workspaces)).toBeUndefined();
});

test('a project’s use is told with whoever has it', () => {
  const of = (id: string, currentProjectId: string | null, phase: string) => ({ id, name: id, currentProjectId, phase }) as Workspace;
  const useOf = usesOf([of('A', 'p', 'stopped'), of('B', 'p', 'starting'), of('C', 'q', 'failed'), of('D', null, 'running')]);
  expect(useOf({ id: 'p' })).toEqual({ busy: true, text: 'In use by A, B' });
  expect(useOf({ id: 'q' })).toEqual({ busy: false, text: 'Current project of C' });
  expect(useOf({ id: 'r' })).toEqual({ busy: false, text: 'Not in use' });
});

test('the audit log is asked for whole days of the reader’s zone', () => {
  const query = new URLSearchParams(auditQuery({ who: ' a@b ', target: '', since: '2026-03-01', until: '2026-03-01', failed: true }));
  expect(query.get('who')).toBe('a@b');
  expect(query.has('target')).toBe(false);
  expect(query.get('failed')).toBe('true');
  expect(Date.parse(query.get('until')!) - Date.parse(query.get('since')!)).toBe(86_400_000);
});

test('a day on which the clocks change is asked for with all its hours, and what is no day is not asked for', () => {
  vi.stubEnv('TZ', 'Europe/Berlin');
  const of = (since: string, until: string) => {
    const query = new URLSearchParams(auditQuery({ who: '', target: '', since, until, failed: false }));
    return [query.get('since'), query.get('until')];
  };
  expect(of('2025-10-26', '2025-10-26')).toEqual(['2025-10-25T22:00:00.000Z', '2025-10-26T23:00:00.000Z']);
  expect(of('2026-03-29', '2026-03-29')).toEqual(['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z']);
  expect(of('12345-01-01', '12345-01-01')).toEqual([null, null]);
  vi.unstubAllEnvs();
});

test('a screen that failed is tried again at another address, and not before', () => {
  const { getDerivedStateFromError: failed, getDerivedStateFromProps: shown } = ErrorBoundary;
  const state = { at: '/a', problem: undefined, ...failed(new Error('a mistake')) };
  expect(shown({ at: '/a' }, state)).toBeNull();
  expect(shown({ at: '/b' }, state)).toEqual({ at: '/b', problem: undefined });
});

test('a question goes with its own answer, and with the session; never with the answer to another', () => {
  const ask = (title: string) => {
    confirm({ title, text: '', verb: 'Do it', act: () => {} });
    return question.get()!.id;
  };
  const first = ask('One?');
  const second = ask('One?');
  answered(first);
  expect(question.get()?.id).toBe(second);
  answered(second);
  expect(question.get()).toBeUndefined();
  ask('Two?');
  askNothing();
  expect(question.get()).toBeUndefined();
});

test('spaces at the ends of a password are of it, and of nothing else', () => {
  const typed = { email: ' new@example.test ', username: ' ada ', firstName: '', lastName: ' L ' };
  expect(profileChange({ email: 'old@example.test' }, typed, ' my secret ')).toEqual({ email: 'new@example.test', username: 'ada', firstName: '', lastName: 'L', currentPassword: ' my secret ' });
  expect(profileChange({ email: 'new@example.test' }, typed, '')).toEqual({ username: 'ada', firstName: '', lastName: 'L' });
  expect(isMissing({ required: true, type: 'password', value: '  ' })).toBe(false);
  expect(isMissing({ required: true, type: 'password', value: '' })).toBe(true);
  expect(isMissing({ required: true, type: 'text', value: '  ' })).toBe(true);
});
