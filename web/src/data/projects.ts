// Projects, their files, and the trash.
import { useQuery } from '@tanstack/react-query';

import { call, list, open } from '@/base/session';

import { keys, queryClient, untold } from './client';
import { newestFirst, ToldList } from './told_list';
import type { Backup, Directory, Project, ProjectVolume, TrashedVolume } from './types';

interface Data<T> {
  data: T;
}
const get = <T,>(path: string) => call<Data<T>>(path).then((answer) => answer.data);

export const toldProjects = new ToldList<Project>(keys.projects, '/api/projects', (rows, row) => [...rows.filter((each) => each.id !== row.id), row].sort(newestFirst));
export const useProjects = () => useQuery({ queryKey: keys.projects, queryFn: toldProjects.read });
/** What one is called; whoever shows it is drawn anew only when that changes. */
export const useProjectName = (id: string | null) => useQuery({ queryKey: keys.projects, queryFn: toldProjects.read, select: (all) => all.find((each) => each.id === id)?.name }).data;
export const useVolume = (id: string) => useQuery({ queryKey: keys.volume(id), queryFn: () => get<ProjectVolume>(`/api/projects/${id}/volume`) });
export const useBackups = (id: string) => useQuery({ queryKey: keys.backups(id), queryFn: () => list<Backup>(`/api/projects/${id}/backups`) });
export const useFiles = (id: string, path: string) =>
  useQuery({ queryKey: keys.files(id, path), queryFn: () => get<Directory>(`/api/projects/${id}/files?path=${encodeURIComponent(path)}&limit=1000`), staleTime: 0 });
export const readTrash = () => get<TrashedVolume[]>('/api/trash');
// No event tells what time takes out of it: it is read again when somebody looks.
export const useTrash = () => useQuery({ queryKey: keys.trash, queryFn: readTrash, ...untold });

const lists = () => {
  void queryClient.invalidateQueries({ queryKey: keys.projects });
  void queryClient.invalidateQueries({ queryKey: keys.trash });
};

export const createProject = (fields: { name: string; description: string | null }) =>
  toldProjects.answered(undefined, call<Data<Project>>('/api/projects', { method: 'POST', json: fields }).then((answer) => answer.data)).finally(lists);

export const changeProject = (id: string, fields: { name: string; description: string | null }) =>
  toldProjects.answered(id, call<Data<Project>>(`/api/projects/${id}`, { method: 'PUT', json: fields }).then((answer) => answer.data)).finally(lists);

export const deleteProject = (id: string) => call(`/api/projects/${id}`, { method: 'DELETE' }).finally(lists);

export const measure = (id: string) => get<ProjectVolume>(`/api/projects/${id}/volume?measure=true`).then((volume) => queryClient.setQueryData(keys.volume(id), volume));

export const assignProject = (workspace: string, projectId: string) => call(`/api/workspaces/${workspace}/assign-project`, { method: 'POST', json: { projectId } }).finally(lists);
export const unassignProject = (workspace: string, projectId: string) => call(`/api/workspaces/${workspace}/unassign-project`, { method: 'POST', json: { projectId } }).finally(lists);

/** It is in the list by then, so that there is a screen of it. */
export const importProject = (name: string, archive: Blob) =>
  toldProjects
    .answered(undefined, call<Data<Project>>(`/api/projects/import?name=${encodeURIComponent(name)}`, { method: 'POST', body: archive, headers: { 'Content-Type': 'application/octet-stream' }, within: null }).then((answer) => answer.data))
    .finally(lists);

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
