// Screens as they are drawn, without a browser: what stands on them, not how it looks.
import { QueryClientProvider } from '@tanstack/react-query';
import { createElement, type ComponentType, type ReactElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { beforeEach, expect, test, vi } from 'vitest';

import { Problem } from '@/base/session';
import { keys, queryClient } from '@/data/client';
import type { LifeEvent, Project, Workspace } from '@/data/types';
import { asSeen } from '@/data/workspaces';
import { BackupsPart } from '@/screens/projects/backups';
import { ProjectScreen } from '@/screens/projects/project';
import { ProjectsScreen } from '@/screens/projects/projects';
import { TrashScreen } from '@/screens/projects/trash';
import { Home } from '@/screens/home/home';
import { ApplicationPart } from '@/screens/workspace/application';
import { HistoryPart } from '@/screens/workspace/history';
import { TerminalPart } from '@/screens/workspace/terminal';
import { WorkspaceScreen } from '@/screens/workspace/workspace';

// They draw in a browser only.
vi.mock('@xterm/xterm', () => ({ Terminal: class {} }));
vi.mock('@/screens/workspace/xterm_styles', () => ({ withSheets: () => {} }));
vi.mock('@xterm/addon-fit', () => ({ FitAddon: class {} }));

vi.stubGlobal('document', { fullscreenEnabled: false });
vi.stubGlobal('location', { pathname: '/', search: '', hash: '' });
beforeEach(() => queryClient.clear());

const at = '2026-01-01T00:00:00.000Z';
const workspace = (more: Partial<Workspace> = {}) => ({ id: 'w', name: 'Sheets', type: 'spreadsheet', phase: 'running', isDefault: false, createdAt: at, updatedAt: at, currentProjectId: null, ...more }) as Workspace;
const project = { id: 'p', name: 'Novel', createdAt: at, updatedAt: at } as Project;

const draw = (screen: ComponentType<never>, props: object = {}) => drawn(createElement(screen as ComponentType<object>, props));
const drawn = (element: ReactElement) => renderToStaticMarkup(createElement(QueryClientProvider, { client: queryClient }, element));

/** What was read once, and could not be read again since. */
function stale(queryKey: readonly string[], data: unknown) {
  queryClient.setQueryData(queryKey, data);
  queryClient.getQueryCache().find({ queryKey })!.setState({ status: 'error', error: new Problem(503, { error: 'Come later.' }, undefined) });
}

test('what was read stays on the screen when it cannot be read anew', () => {
  stale(keys.workspaces, [workspace()]);
  stale(keys.projects, [project]);
  stale(keys.trash, [{ id: 't', name: 'Old', kind: 'project', deletedAt: at, purgeAfter: at }]);
  stale(keys.history('w'), [{ id: 'h', kind: 'started', at, by: { kind: 'server' }, why: 'A test said so.' } as LifeEvent]);
  stale(keys.backups('p'), [{ id: 'b', name: 'Before', state: 'failed', error: 'Full.', createdAt: at }]);
  const seen = asSeen(workspace(), undefined, undefined);
  for (const [screen, props, text] of [
    [Home, {}, 'Sheets'],
    [WorkspaceScreen, { id: 'w', part: 'ports' }, 'Sheets'],
    [HistoryPart, { seen }, 'A test said so.'],
    [ProjectsScreen, {}, 'Novel'],
    [ProjectScreen, { id: 'p', part: 'settings' }, 'Novel'],
    [BackupsPart, { project }, 'Before'],
    [TrashScreen, {}, 'Old'],
  ] as const) {
    const html = draw(screen, props);
    expect(html).toContain(text);
    expect(html).not.toContain('could not be read');
  }
});

test('of a thousand projects those are drawn first that fit on the screen', () => {
  queryClient.setQueryData(keys.projects, Array.from({ length: 1_000 }, (_, index) => ({ ...project, id: `p${index}`, name: `Project ${index}` })));
  const rows = draw(ProjectsScreen).match(/<li /g) ?? [];
  expect(rows.length).toBeLessThan(100);
  expect(rows.length).toBeGreaterThan(10);
});

test('what goes on is said aloud once, and not how far it is', () => {
  queryClient.setQueryData(keys.projectOperations('p'), [{ id: 'o', projectId: 'p', kind: 'backup', state: 'running', phase: 'reading', progress: 40, error: null, createdAt: at }]);
  queryClient.setQueryData(keys.backups('p'), []);
  const html = draw(BackupsPart, { project });
  expect(html).toContain('40 %');
  expect([...html.matchAll(/<(\w+) role="status"[^>]*>(.*?)<\/\1>/g)].map(([, , text]) => text)).toEqual(['A backup is being made…']);
});

test('a stop that is asked for ends neither a shell nor an application: its end does', () => {
  const change = { kind: 'stop', name: 'Sheets', project: undefined, operation: undefined, requestId: undefined, began: 0 } as const;
  for (const part of [ApplicationPart, TerminalPart]) {
    const seen = (phase: Workspace['phase']) => asSeen(workspace({ phase }), undefined, change);
    expect(seen('running').phase).toBe('stopping');
    expect(draw(part, { seen: seen('running') })).not.toContain('Stopping…');
    expect(draw(part, { seen: seen('stopping') })).toContain('Stopping…');
  }
});
