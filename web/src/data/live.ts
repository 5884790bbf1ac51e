// The one event stream of this tab: what the server tells of the user's workspaces and projects goes into the cache, so that no
// screen has to ask again. Who comes again is told everything anew, hence a lost connection loses nothing. A tab that
// nobody sees gives its connection back: a browser has only six to a server.
import { hashKey, type QueryFilters } from '@tanstack/react-query';

import { setReachable } from '@/base/session';
import { followSeen, type ServerEvent } from '@/base/sse';
import { Store } from '@/base/store';

import { heard, heardAll, newer } from './changes';
import { keys, queryClient } from './client';
import { heardAllOperations, heardOperation } from './project_operations';
import { toldProjects } from './projects';
import { tell } from './told';
import { newestFirst, ToldList } from './told_list';
import type { LifeEvent, Operation, Project, ProjectOperation, Workspace } from './types';

export type LiveState = 'connecting' | 'open' | 'lost';
export const live = new Store<LiveState>('connecting');

/** Default first, then the newest: as the server lists them. */
export const inOrder = (workspaces: readonly Workspace[]) =>
  [...workspaces].sort((a, b) => Number(b.isDefault) - Number(a.isDefault) || newestFirst(a, b));

/** The list with this workspace as it is now. */
export function withWorkspace(list: readonly Workspace[], workspace: Workspace): Workspace[] {
  // Two defaults for the moment between two events would be one too many.
  const others = list.filter((each) => each.id !== workspace.id).map((each) => (workspace.isDefault && each.isDefault ? { ...each, isDefault: false } : each));
  return inOrder([...others, workspace]);
}

/** The history with this event, newest first; an event is told once. */
export const withEvent = (history: readonly LifeEvent[], event: LifeEvent): LifeEvent[] =>
  history.some((each) => each.id === event.id) ? [...history] : [event, ...history].sort((a, b) => b.at.localeCompare(a.at) || b.id.localeCompare(a.id));

export const toldWorkspaces = new ToldList<Workspace>(keys.workspaces, '/api/workspaces', withWorkspace);

let settling: ReturnType<typeof setTimeout> | undefined;
const due = new Map<string, QueryFilters>();
/** Reads again, where it is on the screen, what hangs on something that was told: once for all that is told in one moment. */
function readAgain(filters: QueryFilters) {
  due.set(hashKey(filters.queryKey!), filters);
  settling ??= setTimeout(() => {
    settling = undefined;
    for (const each of due.values()) void queryClient.invalidateQueries({ ...each, refetchType: 'active' });
    due.clear();
  }, 250);
}
// On workspaces and projects: what the trash holds, how much of a quota is used.
function lookAround() {
  for (const queryKey of [keys.trash, keys.quota]) readAgain({ queryKey });
}
// On what happens to one: its health, when it will stop, its limits, who may use it. Its history is told.
const lookAt = (workspace: string) => readAgain({ queryKey: ['workspace', workspace], predicate: ({ queryKey }) => queryKey[2] !== 'history' });

// What is read of one workspace or project. No event tells of all of it, nor of what ended while nobody listened.
const isOfOne = ({ queryKey: [of] }: { queryKey: readonly unknown[] }) => of === 'workspace' || of === 'project';

const takers: Record<string, (data: unknown) => void> = {
  workspace(data) {
    const workspace = data as Workspace;
    const before = toldWorkspaces.known()?.find((each) => each.id === workspace.id);
    toldWorkspaces.put(workspace);
    lookAt(workspace.id);
    if (before?.phase !== workspace.phase || before.currentProjectId !== workspace.currentProjectId) lookAround();
  },
  operation(data) {
    const operation = data as Operation;
    queryClient.setQueryData<Operation>(keys.operation(operation.workspaceId), (known) => newer(known, operation));
    heard(operation);
  },
  history(data) {
    const happened = data as LifeEvent;
    tell<LifeEvent[]>(keys.history(happened.workspaceId), (history) => withEvent(history, happened));
    lookAt(happened.workspaceId);
  },
  project(data) {
    const project = data as Project;
    const before = toldProjects.known()?.find((each) => each.id === project.id);
    toldProjects.put(project);
    if (!before) lookAround();
    if (before?.volumeName !== project.volumeName) void queryClient.invalidateQueries({ queryKey: keys.volume(project.id) });
  },
  'project-operation': (data) => heardOperation(data as ProjectOperation),
  snapshot(data) {
    const { workspaceIds, projectIds } = data as { workspaceIds: string[]; projectIds: string[] };
    const there = new Set(workspaceIds);
    toldWorkspaces.keepOnly(there);
    toldProjects.keepOnly(new Set(projectIds));
    lookAround();
    // Those on the screen at once, the others when they are looked at.
    void queryClient.invalidateQueries({ predicate: isOfOne, refetchType: 'active' });
    heardAll(there);
    heardAllOperations();
  },
  deleted(data) {
    const { id } = data as { id: string };
    toldWorkspaces.remove(id);
    lookAround();
    heardAll(undefined, id);
  },
  'project-deleted'(data) {
    toldProjects.remove((data as { id: string }).id);
    lookAround();
  },
};

/** An event of the server's; one of a later server's, of a kind that is not known here, is passed over. */
export const take = ({ event, data }: ServerEvent) => takers[event]?.(JSON.parse(data));

/** While somebody is signed in. The returned function ends it. */
export function startLive(): () => void {
  let lost = false;
  const stop = followSeen('/api/workspaces/events', {
    onEvent: take,
    onOpen: () => {
      setReachable(true);
      live.set('open');
      // The rest is read again with the snapshot that follows.
      if (lost) void queryClient.invalidateQueries({ predicate: (query) => !isOfOne(query) });
      lost = false;
    },
    onLost: () => {
      lost = true;
      live.set('lost');
    },
    onRefused: () => live.set('lost'),
  });
  return () => {
    stop();
    clearTimeout(settling);
    settling = undefined;
    due.clear();
    live.set('connecting');
  };
}
