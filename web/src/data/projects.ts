// Projects, what is done with their files, and the trash.
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';

import { tellNews, tellProblem } from '@/base/outcomes';
import { call, list, open, Problem } from '@/base/session';
import { follow } from '@/base/sse';

import { keys, queryClient } from './client';
import type { Backup, Directory, Project, ProjectOperation, ProjectVolume, TrashedVolume } from './types';

interface Data<T> {
  data: T;
}
const get = <T,>(path: string) => call<Data<T>>(path).then((answer) => answer.data);

const readProjects = () => list<Project>('/api/projects');
// No event tells of projects that other clients make: they are read again when somebody looks.
const lately = { staleTime: 3_000, refetchOnWindowFocus: true };
export const useProjects = () => useQuery({ queryKey: keys.projects, queryFn: readProjects, ...lately });
/** What one is called; whoever shows it is drawn anew only when that changes. */
export const useProjectName = (id: string | null) => useQuery({ queryKey: keys.projects, queryFn: readProjects, select: (all) => all.find((each) => each.id === id)?.name }).data;
export const useVolume = (id: string) => useQuery({ queryKey: keys.volume(id), queryFn: () => get<ProjectVolume>(`/api/projects/${id}/volume`) });
export const useBackups = (id: string) => useQuery({ queryKey: keys.backups(id), queryFn: () => list<Backup>(`/api/projects/${id}/backups`) });
export const useFiles = (id: string, path: string) =>
  useQuery({ queryKey: keys.files(id, path), queryFn: () => get<Directory>(`/api/projects/${id}/files?path=${encodeURIComponent(path)}&limit=1000`), staleTime: 0 });
export const readTrash = () => get<TrashedVolume[]>('/api/trash');
export const useTrash = () => useQuery({ queryKey: keys.trash, queryFn: readTrash, ...lately });

/** How far backups, restores and clones are, newest first; followed while a screen shows them. */
export function useProjectOperations(id: string) {
  useEffect(
    () =>
      follow(`/api/projects/${id}/events`, {
        onEvent: ({ event, data }) => {
          if (event !== 'operation') return;
          const operation = JSON.parse(data) as ProjectOperation;
          const known = queryClient.getQueryData<ProjectOperation[]>(keys.projectOperations(id)) ?? [];
          const before = known.find((each) => each.id === operation.id);
          queryClient.setQueryData<ProjectOperation[]>(keys.projectOperations(id), withOperation(known, operation));
          if (before && before.state !== operation.state) settled(id);
        },
      }),
    [id],
  );
  return useQuery<ProjectOperation[]>({ queryKey: keys.projectOperations(id), queryFn: () => get<ProjectOperation[]>(`/api/projects/${id}/operations?limit=20`), staleTime: Infinity });
}

export const withOperation = (known: readonly ProjectOperation[], operation: ProjectOperation) =>
  [operation, ...known.filter((each) => each.id !== operation.id)].sort((a, b) => b.createdAt.localeCompare(a.createdAt));

function settled(id: string) {
  for (const queryKey of [keys.backups(id), keys.volume(id), keys.projects, keys.trash]) void queryClient.invalidateQueries({ queryKey });
}

const lists = () => {
  void queryClient.invalidateQueries({ queryKey: keys.projects });
  void queryClient.invalidateQueries({ queryKey: keys.trash });
};

export const createProject = (fields: { name: string; description: string | null }) =>
  call<Data<Project>>('/api/projects', { method: 'POST', json: fields }).then((answer) => {
    queryClient.setQueryData<Project[]>(keys.projects, (known) => known && [answer.data, ...known.filter((each) => each.id !== answer.data.id)]);
    lists();
    return answer.data;
  });

export const useCreateProject = () => useMutation({ mutationFn: createProject });

export const useChangeProject = (id: string) =>
  useMutation({ mutationFn: (fields: { name: string; description: string | null }) => call<Data<Project>>(`/api/projects/${id}`, { method: 'PUT', json: fields }).then((answer) => answer.data), onSettled: lists });

export const deleteProject = (id: string) => call(`/api/projects/${id}`, { method: 'DELETE' }).finally(lists);

export const measure = (id: string) => get<ProjectVolume>(`/api/projects/${id}/volume?measure=true`).then((volume) => queryClient.setQueryData(keys.volume(id), volume));

const told: Record<ProjectOperation['kind'], { done: (name: string) => string; failed: string }> = {
  backup: { done: (name) => `The backup of ${name} is made.`, failed: 'could not be backed up' },
  restore: { done: (name) => `The backup of ${name} is restored.`, failed: 'could not be restored' },
  clone: { done: (name) => `The copy of ${name} is made.`, failed: 'could not be copied' },
  import: { done: (name) => `${name} is imported.`, failed: 'could not be imported' },
};

function tellEnd(name: string, operation: ProjectOperation, requestId: string | undefined) {
  settled(operation.projectId);
  if (operation.state === 'succeeded') tellNews(told[operation.kind].done(name));
  else tellProblem(`${name} ${told[operation.kind].failed}`, new Problem(0, { error: operation.error ?? 'the server does not say why.', requestId }, undefined));
}

/** Something that goes on: begins it, and tells how it ended when it has, whichever screen shows then. */
async function begin({ id, name }: Pick<Project, 'id' | 'name'>, path: string, json: unknown) {
  const { data, requestId } = await call<Data<ProjectOperation>>(`/api/projects/${id}/${path}`, { method: 'POST', json, headers: { Prefer: 'respond-async' } });
  queryClient.setQueryData<ProjectOperation[]>(keys.projectOperations(id), (known) => withOperation(known ?? [], data));
  const stop = follow(`/api/projects/${id}/events`, {
    onEvent: ({ event, data: text }) => {
      if (event !== 'operation') return;
      const operation = JSON.parse(text) as ProjectOperation;
      if (operation.id !== data.id || operation.state === 'pending' || operation.state === 'running') return;
      stop();
      tellEnd(name, operation, requestId);
    },
    onRefused: () => settled(id),
  });
}
type Named = Pick<Project, 'id' | 'name'>;
export const backUp = (project: Named, fields: { name: string | null; pause: boolean }) => begin(project, 'backups', fields);
export const restoreBackup = (project: Named, backupId: string, newProject?: { name: string | null }) => begin(project, 'restore', newProject ? { backupId, newProject } : { backupId });
export const cloneProject = (project: Named, name: string | null) => begin(project, 'clone', { name });
export const deleteBackup = (id: string, backupId: string) => call(`/api/projects/${id}/backups/${backupId}`, { method: 'DELETE' }).finally(() => settled(id));

export const assignProject = (workspace: string, projectId: string) => call(`/api/workspaces/${workspace}/assign-project`, { method: 'POST', json: { projectId } }).finally(lists);
export const unassignProject = (workspace: string, projectId: string) => call(`/api/workspaces/${workspace}/unassign-project`, { method: 'POST', json: { projectId } }).finally(lists);

export const importProject = (name: string, archive: Blob) =>
  call<Data<Project>>(`/api/projects/import?name=${encodeURIComponent(name)}`, { method: 'POST', body: archive, headers: { 'Content-Type': 'application/octet-stream' }, within: null }).then((answer) => {
    lists();
    return answer.data;
  });

export const restoreTrashed = (id: string) => call(`/api/trash/${id}/restore`, { method: 'POST', json: {} }).finally(() => {
  lists();
  void queryClient.invalidateQueries({ queryKey: keys.workspaces });
});
export const purgeTrashed = (id: string) => call(`/api/trash/${id}`, { method: 'DELETE' }).finally(lists);

/** Downloads what a path answers under a name. The token goes with the request, so that no address holds it. */
export async function download(path: string, name: string) {
  const response = await open(path);
  saveBlob(await response.blob(), name);
}

export function saveBlob(blob: Blob, name: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
