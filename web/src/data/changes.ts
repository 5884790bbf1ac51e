// Changes of workspaces that this tab asked for: shown at once, told when they have ended, as they really ended.
import { tellNews, tellProblem } from '@/base/outcomes';
import { call, list, Problem } from '@/base/session';
import { Store } from '@/base/store';

import { keys, queryClient } from './client';
import type { Operation, Phase, Project, Workspace } from './types';

export type ChangeKind = 'start' | 'stop' | 'restart' | 'switch' | 'delete';

export interface Change {
  kind: ChangeKind;
  name: string; // of the workspace, for what is told when it is gone
  project: { id: string; name: string } | undefined;
  operation: string | undefined; // its id, once the server has said it
  requestId: string | undefined;
  began: number;
}

/** Workspace id → the change that this tab asked for last. */
export const changes = new Store<ReadonlyMap<string, Change>>(new Map());

// How each change is told: while it is under way, when it is done, when it is not.
export const words: Record<ChangeKind, { phase: Phase; done: (name: string, project: string) => string; failed: string }> = {
  start: { phase: 'queued', done: (name) => `${name} is running.`, failed: 'could not be started' },
  stop: { phase: 'stopping', done: (name) => `${name} has stopped. Its files are in its project.`, failed: 'could not be stopped' },
  restart: { phase: 'queued', done: (name) => `${name} is running again.`, failed: 'could not be restarted' },
  switch: { phase: 'switching', done: (name, project) => `${name} works on ${project} now.`, failed: 'could not switch its project' },
  delete: { phase: 'deleting', done: (name) => `${name} is deleted. The files of its project stay.`, failed: 'could not be deleted' },
};

function put(id: string, change: Change | undefined) {
  changes.set((now) => {
    const next = new Map(now);
    if (change) next.set(id, change);
    else next.delete(id);
    return next;
  });
}

function tellEnd(change: Change, operation: Pick<Operation, 'state' | 'error'>) {
  if (operation.state === 'succeeded') tellNews(words[change.kind].done(change.name, change.project?.name ?? 'its project'));
  else if (operation.state === 'failed') tellProblem(`${change.name} ${words[change.kind].failed}`, new Problem(0, { error: operation.error, requestId: change.requestId }, undefined));
  else tellNews(`${change.name}: a newer request took the place of this one.`);
}

/** Of two operations of a workspace, the one that was asked for last; of one, its later state. */
export const newer = (known: Operation | undefined, operation: Operation) => (known && known.createdAt > operation.createdAt ? known : operation);

const lookFor = (workspace: string, operation: string) =>
  list<Operation>(`/api/workspaces/${workspace}/operations`)
    .then((all) => all.filter((each) => each.id === operation).forEach(heard))
    .catch(() => {});

export const isOver = (operation: Operation) => operation.state !== 'pending' && operation.state !== 'running';

/** An operation as the server tells it. */
export function heard(operation: Operation) {
  const change = changes.get().get(operation.workspaceId);
  if (change?.operation !== operation.id || !isOver(operation)) return;
  put(operation.workspaceId, undefined);
  // A deleted workspace says no more than that it is gone.
  tellEnd(change, operation);
}

/** All has been told anew, or one is gone: what ended unseen is looked for. */
export function heardAll(there: ReadonlySet<string> | undefined, gone?: string) {
  for (const [id, change] of changes.get()) {
    const isGone = there ? !there.has(id) : id === gone;
    // It may be gone before the request for that is answered.
    if (isGone && change.kind === 'delete') {
      put(id, undefined);
      tellEnd(change, { state: 'succeeded', error: null });
    } else if (isGone) {
      put(id, undefined);
    } else if (there && change.operation) {
      void lookFor(id, change.operation);
    }
  }
}

const paths: Record<ChangeKind, (id: string) => { method: 'POST' | 'DELETE'; path: string }> = {
  start: (id) => ({ method: 'POST', path: `/api/workspaces/${id}/start` }),
  stop: (id) => ({ method: 'POST', path: `/api/workspaces/${id}/stop` }),
  restart: (id) => ({ method: 'POST', path: `/api/workspaces/${id}/restart` }),
  switch: (id) => ({ method: 'POST', path: `/api/workspaces/${id}/switch-project` }),
  delete: (id) => ({ method: 'DELETE', path: `/api/workspaces/${id}` }),
};

/** Asks for a change and shows it at once. Never throws: how it ends is told. `force` is for stop and delete. */
export async function ask(kind: ChangeKind, workspace: Pick<Workspace, 'id' | 'name'>, { project, force = false }: { project?: Pick<Project, 'id' | 'name'> | undefined; force?: boolean } = {}) {
  const { id, name } = workspace;
  const change: Change = { kind, name, project: project && { id: project.id, name: project.name }, operation: undefined, requestId: undefined, began: Date.now() };
  put(id, change);
  const { method, path } = paths[kind](id);
  const json = kind === 'switch' ? { projectId: project?.id } : kind === 'delete' ? undefined : {};
  try {
    const answer = await call<{ data: Operation | Workspace | null }>(`${path}${force ? '?force=true' : ''}`, { method, json, headers: { Prefer: 'respond-async' } });
    if (changes.get().get(id) !== change) return;
    if (answer.data && 'state' in answer.data) {
      const known = queryClient.getQueryData<Operation>(keys.operation(id));
      put(id, { ...change, operation: answer.data.id, requestId: answer.requestId });
      // The event may have come before the answer, and that of a newer one after it.
      if (known?.id === answer.data.id) heard(known);
      else if (known && known.createdAt > answer.data.createdAt) void lookFor(id, answer.data.id);
      else queryClient.setQueryData(keys.operation(id), answer.data);
    } else {
      put(id, undefined);
      tellEnd(change, { state: 'succeeded', error: null });
    }
  } catch (problem) {
    if (changes.get().get(id) !== change) return;
    put(id, undefined);
    tellProblem(`${name} ${words[kind].failed}`, problem);
  }
}
