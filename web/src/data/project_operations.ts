// Backups, restores and copies: begun here, followed by the tab's event stream, told when they have ended, as they
// really ended, whichever screen shows then.
import { useQuery } from '@tanstack/react-query';

import { tellNews, tellProblem } from '@/base/outcomes';
import { call, list, Problem } from '@/base/session';

import { keys, queryClient } from './client';
import { readTold, tell } from './told';
import type { Project, ProjectOperation } from './types';

export const readOperations = (project: string) =>
  readTold(keys.projectOperations(project), () => call<{ data: ProjectOperation[] }>(`/api/projects/${project}/operations?limit=20`).then((answer) => answer.data));

/** Newest first, with how far each is. */
export const useProjectOperations = (id: string) =>
  useQuery<ProjectOperation[]>({ queryKey: keys.projectOperations(id), queryFn: () => readOperations(id), refetchOnMount: 'always', staleTime: Infinity });

export const withOperation = (known: readonly ProjectOperation[], operation: ProjectOperation) =>
  [operation, ...known.filter((each) => each.id !== operation.id)].sort((a, b) => b.createdAt.localeCompare(a.createdAt));

const isOver = (operation: ProjectOperation) => operation.state !== 'pending' && operation.state !== 'running';

function settled(project: string) {
  for (const queryKey of [keys.backups(project), keys.volume(project), keys.trash]) void queryClient.invalidateQueries({ queryKey });
}

const told: Record<ProjectOperation['kind'], { done: (name: string) => string; failed: string }> = {
  backup: { done: (name) => `The backup of ${name} is made.`, failed: 'could not be backed up' },
  restore: { done: (name) => `The backup of ${name} is restored.`, failed: 'could not be restored' },
  clone: { done: (name) => `The copy of ${name} is made.`, failed: 'could not be copied' },
  import: { done: (name) => `${name} is imported.`, failed: 'could not be imported' },
};

interface Begun {
  project: string;
  name: string;
  requestId: string | undefined;
}
// What this tab asked for and has not heard the end of.
const begun = new Map<string, Begun>();
// What ended lately: it may have done so before the request for it was answered.
const ended = new Map<string, ProjectOperation>();
const endedAtMost = 20;
// What was told of and has not ended.
const underWay = new Set<string>();

/** The session is over: whoever comes next asked for none of it. */
export function forgetOperations() {
  begun.clear();
  ended.clear();
  underWay.clear();
}

function tellEnd({ name, requestId }: Begun, operation: ProjectOperation) {
  if (operation.state === 'succeeded') tellNews(told[operation.kind].done(name));
  else tellProblem(`${name} ${told[operation.kind].failed}`, new Problem(0, { error: operation.error ?? 'the server does not say why.', requestId }, undefined));
}

/** An operation as the server tells it. */
export function heardOperation(operation: ProjectOperation) {
  tell<ProjectOperation[]>(keys.projectOperations(operation.projectId), (known) => withOperation(known, operation));
  if (!isOver(operation)) {
    if (!underWay.has(operation.id)) settled(operation.projectId);
    underWay.add(operation.id);
    return;
  }
  underWay.delete(operation.id);
  settled(operation.projectId);
  const mine = begun.get(operation.id);
  begun.delete(operation.id);
  if (mine) {
    tellEnd(mine, operation);
  } else {
    ended.set(operation.id, operation);
    for (const id of [...ended.keys()].slice(0, -endedAtMost)) ended.delete(id);
  }
}

/** All that is under way has been told anew: what ended unseen is looked for. */
export function heardAllOperations() {
  for (const [id, { project }] of begun) {
    list<ProjectOperation>(`/api/projects/${project}/operations`)
      .then((all) => all.filter((each) => each.id === id && isOver(each)).forEach(heardOperation))
      .catch(() => {});
  }
}

/** Begins something that goes on; who waits for this waits for that alone. Answers whether it does: the end may be told before. */
async function begin({ id, name }: Pick<Project, 'id' | 'name'>, path: string, json: unknown): Promise<boolean> {
  const { data, requestId } = await call<{ data: ProjectOperation }>(`/api/projects/${id}/${path}`, { method: 'POST', json, headers: { Prefer: 'respond-async' } });
  const mine = { project: id, name, requestId };
  const over = ended.get(data.id) ?? (isOver(data) ? data : undefined);
  if (over) {
    tellEnd(mine, over);
    return false;
  }
  begun.set(data.id, mine);
  // What was told of it before this answer is newer.
  tell<ProjectOperation[]>(keys.projectOperations(id), (known) => (known.some((each) => each.id === data.id) ? known : withOperation(known, data)));
  return true;
}

type Named = Pick<Project, 'id' | 'name'>;
export const backUp = (project: Named, fields: { name: string | null; pause: boolean }) => begin(project, 'backups', fields);
export const restoreBackup = (project: Named, backupId: string, newProject?: { name: string | null }) => begin(project, 'restore', newProject ? { backupId, newProject } : { backupId });
export const cloneProject = (project: Named, name: string | null) => begin(project, 'clone', { name });
export const deleteBackup = (id: string, backupId: string) => call(`/api/projects/${id}/backups/${backupId}`, { method: 'DELETE' }).finally(() => settled(id));
