// The one event stream of this tab: what the server tells of the user's workspaces goes into the cache, so that no
// screen has to ask again. Who comes again is told everything anew, hence a lost connection loses nothing. A tab that
// nobody sees gives its connection back: a browser has only six to a server.
import { list as readList, setReachable } from '@/base/session';
import { follow, type ServerEvent } from '@/base/sse';
import { Store } from '@/base/store';

import { heard, heardAll, newer } from './changes';
import { keys, queryClient } from './client';
import type { LifeEvent, Operation, Workspace } from './types';

export type LiveState = 'connecting' | 'open' | 'lost';
export const live = new Store<LiveState>('connecting');

/** Default first, then the newest: as the server lists them. */
export const inOrder = (workspaces: readonly Workspace[]) =>
  [...workspaces].sort((a, b) => Number(b.isDefault) - Number(a.isDefault) || b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id));

/** The list with this workspace as it is now. */
export function withWorkspace(list: readonly Workspace[], workspace: Workspace): Workspace[] {
  // Two defaults for the moment between two events would be one too many.
  const others = list.filter((each) => each.id !== workspace.id).map((each) => (workspace.isDefault && each.isDefault ? { ...each, isDefault: false } : each));
  return inOrder([...others, workspace]);
}

/** The history with this event, newest first; an event is told once. */
export const withEvent = (history: readonly LifeEvent[], event: LifeEvent): LifeEvent[] =>
  history.some((each) => each.id === event.id) ? [...history] : [event, ...history].sort((a, b) => b.at.localeCompare(a.at) || b.id.localeCompare(a.id));

// What events told while a list was on its way: it may have been read before.
type Heard = Map<string, Workspace | undefined>;
const readings = new Set<Heard>();
const note = (id: string, workspace: Workspace | undefined) => readings.forEach((each) => each.set(id, workspace));

/** The list with what was told meanwhile. */
export function withHeard(rows: readonly Workspace[], heardOf: ReadonlyMap<string, Workspace | undefined>): Workspace[] {
  const others = rows.filter((each) => !heardOf.has(each.id));
  return inOrder([...others, ...[...heardOf.values()].filter((each) => each !== undefined)]);
}

export async function readWorkspaces(): Promise<Workspace[]> {
  const heardOf: Heard = new Map();
  readings.add(heardOf);
  try {
    return withHeard(await readList<Workspace>('/api/workspaces'), heardOf);
  } finally {
    readings.delete(heardOf);
  }
}

let settling: ReturnType<typeof setTimeout> | undefined;
// What hangs on workspaces: which project is in use, what the trash holds, how much of a quota is used.
function lookAround() {
  clearTimeout(settling);
  settling = setTimeout(() => {
    for (const queryKey of [keys.projects, keys.trash, keys.quota]) void queryClient.invalidateQueries({ queryKey });
  }, 250);
}

function forget(ids: (workspace: Workspace) => boolean) {
  queryClient.setQueryData<Workspace[]>(keys.workspaces, (list) => list?.filter((each) => !ids(each)));
  lookAround();
}

export function take({ event, data }: ServerEvent) {
  if (event === 'workspace') {
    const workspace = JSON.parse(data) as Workspace;
    note(workspace.id, workspace);
    const before = queryClient.getQueryData<Workspace[]>(keys.workspaces)?.find((each) => each.id === workspace.id);
    queryClient.setQueryData<Workspace[]>(keys.workspaces, (list) => list && withWorkspace(list, workspace));
    if (before?.phase !== workspace.phase || before.currentProjectId !== workspace.currentProjectId) {
      lookAround();
      void queryClient.invalidateQueries({ queryKey: ['workspace', workspace.id], refetchType: 'active' });
    }
  } else if (event === 'operation') {
    const operation = JSON.parse(data) as Operation;
    queryClient.setQueryData<Operation>(keys.operation(operation.workspaceId), (known) => newer(known, operation));
    heard(operation);
  } else if (event === 'history') {
    const happened = JSON.parse(data) as LifeEvent;
    queryClient.setQueryData<LifeEvent[]>(keys.history(happened.workspaceId), (history) => history && withEvent(history, happened));
  } else if (event === 'snapshot') {
    const { workspaceIds } = JSON.parse(data) as { workspaceIds: string[] };
    const there = new Set(workspaceIds);
    forget((each) => !there.has(each.id));
    heardAll(there);
  } else if (event === 'deleted') {
    const { id } = JSON.parse(data) as { id: string };
    note(id, undefined);
    forget((each) => each.id === id);
    heardAll(undefined, id);
  }
}

/** While somebody is signed in. The returned function ends it. */
export function startLive(): () => void {
  let stop: (() => void) | undefined;
  let lost = false;
  const begin = () => {
    stop ??= follow('/api/workspaces/events', {
      onEvent: take,
      onOpen: () => {
        setReachable(true);
        live.set('open');
        if (lost) void queryClient.invalidateQueries();
        lost = false;
      },
      onLost: () => {
        lost = true;
        live.set('lost');
      },
      onRefused: () => live.set('lost'),
    });
  };
  const pause = () => {
    stop?.();
    stop = undefined;
  };
  const look = () => {
    if (!document.hidden) begin();
    else pause();
  };
  document.addEventListener('visibilitychange', look);
  look();
  return () => {
    document.removeEventListener('visibilitychange', look);
    pause();
    clearTimeout(settling);
    live.set('connecting');
  };
}
