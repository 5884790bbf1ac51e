// What an administrator sees and does: the installation in numbers, everybody's accounts and workspaces, cleaning. No event
// tells of these: they are read anew when somebody comes back to the tab, after whatever is done here, and by a button.
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';

import { call } from '@/base/session';

import { keys, queryClient, untold } from './client';
import type { Cleaning, CleanUp, NewUser, Operation, Overview, UserChange, UserSummary, WorkspaceSummary } from './types';

interface Data<T> {
  data: T;
}
type Page<T> = Data<T[]> & { nextCursor?: string };
const get = <T,>(path: string) => call<Data<T>>(path).then((answer) => answer.data);
// What was done is told without waiting for the lists.
const anew = () => void queryClient.invalidateQueries({ queryKey: ['admin'] });

function usePages<T>(queryKey: readonly string[], path: string, query: string) {
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => call<Page<T>>(`${path}?${query}${pageParam ? `&cursor=${encodeURIComponent(pageParam)}` : ''}`),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextCursor,
    // What was found before stays until the next is there: nothing jumps while somebody types.
    placeholderData: keepPreviousData,
    ...untold,
  });
}

export const useOverview = () => useQuery({ queryKey: keys.overview, queryFn: () => get<Overview>('/api/admin/overview'), ...untold });

export interface UserSearch {
  text: string;
  role: string;
  active: string;
}
export function userQuery({ text, role, active }: UserSearch): string {
  const query = new URLSearchParams({ limit: '50' });
  if (text.trim()) query.set('search', text.trim());
  if (role) query.set('role', role);
  if (active) query.set('active', active);
  return query.toString();
}
export const useUsers = (search: UserSearch) => usePages<UserSummary>(keys.users(userQuery(search)), '/api/admin/users', userQuery(search));
export const useUser = (id: string) => useQuery({ queryKey: keys.user(id), queryFn: () => get<UserSummary>(`/api/admin/users/${encodeURIComponent(id)}`), enabled: id !== '', ...untold });

/** With its one-time password, which is kept nowhere but with whoever asked. */
export const createUser = (wanted: NewUser) => call<Data<UserSummary>>('/api/admin/users', { method: 'POST', json: wanted }).then((answer) => answer.data).finally(anew);
export const changeUser = (id: string, change: UserChange) => call<Data<UserSummary>>(`/api/admin/users/${id}`, { method: 'PATCH', json: change }).then((answer) => answer.data).finally(anew);

/** The one account that is meant by what was typed: the whole address, or enough of it that only one fits. */
export function ownerMeant(found: readonly Pick<UserSummary, 'id' | 'email'>[], typed: string): string {
  const wanted = typed.trim().toLowerCase();
  const exact = found.find((each) => each.email.toLowerCase() === wanted);
  if (exact) return exact.id;
  if (found.length === 1) return found[0]!.id;
  if (found.length === 0) throw new Error(`No account has “${typed.trim()}” in its address or name.`);
  const some = found.slice(0, 3).map((each) => each.email).join(', ');
  throw new Error(`Several accounts fit: ${some}${found.length > 3 ? ' and others' : ''}. Type more of the address.`);
}
export const findOwner = async (typed: string) => ownerMeant((await call<Page<UserSummary>>(`/api/admin/users?limit=100&search=${encodeURIComponent(typed.trim())}`)).data, typed);

export interface WorkspaceSearch {
  user: string;
  type: string;
  status: string;
}
export const workspaceSearch = (query: string): WorkspaceSearch => {
  const asked = new URLSearchParams(query);
  return { user: asked.get('user') ?? '', type: asked.get('type') ?? '', status: asked.get('status') ?? '' };
};
/** Of what is asked for alone: the server refuses an empty filter. */
export function workspaceQuery(search: Partial<WorkspaceSearch>): string {
  const query = new URLSearchParams();
  for (const name of ['user', 'type', 'status'] as const) if (search[name]) query.set(name, search[name]);
  return query.toString();
}
export const useEverybodys = (search: WorkspaceSearch) => usePages<WorkspaceSummary>(keys.everybodys(workspaceQuery(search)), '/api/admin/workspaces', `limit=100&${workspaceQuery(search)}`);

/** Whether it has stopped when the answer comes; else it goes on. The row says so before the outcome is told. */
export const stopAnybodys = (id: string) =>
  call<Data<WorkspaceSummary | Operation>>(`/api/admin/workspaces/${id}/stop`, { method: 'POST', json: {}, within: 120_000 }).then((answer) => !('kind' in answer.data)).finally(() => queryClient.invalidateQueries({ queryKey: ['admin'] }));

export const useCleaning = () => useQuery({ queryKey: keys.cleaning, queryFn: () => get<Cleaning>('/api/admin/cleaning'), ...untold });
/** What was done, or would be. Removing large images takes its time. */
export const cleanUp = (dryRun: boolean) =>
  call<Data<CleanUp>>(`/api/workspaces/cleanup?dryRun=${dryRun}`, { method: 'POST', json: {}, within: 600_000 }).then((answer) => answer.data).finally(anew);

/** "Every hour", "Every 15 minutes". */
export function everyWords(minutes: number): string {
  if (minutes === 0) return 'Only when asked';
  const [size, one] = minutes % 1440 === 0 ? [1440, 'day'] : minutes % 60 === 0 ? [60, 'hour'] : [1, 'minute'];
  const count = minutes / size;
  return count === 1 ? `Every ${one}` : `Every ${count} ${one}s`;
}

type Run = NonNullable<Cleaning['duties'][number]['lastRun']>;
/** What came of a run: how bad, and in words. */
export function runWords(run: Run | null, running: boolean): { kind: 'plain' | 'good' | 'bad' | 'accent'; text: string } {
  if (running) return { kind: 'accent', text: 'Under way' };
  if (!run) return { kind: 'plain', text: 'Not yet run' };
  if (run.problem) return { kind: 'bad', text: 'Not complete' };
  if (run.failed.length > 0) return { kind: 'bad', text: `${run.failed.length >= 20 ? '20 or more' : run.failed.length} failed` };
  if (!run.finishedAt) return { kind: 'plain', text: 'Without an end' };
  const told = [run.done > 0 && `${run.done} done`, run.kept > 0 && `${run.kept} left alone`].filter(Boolean).join(', ');
  return { kind: run.done > 0 ? 'good' : 'plain', text: told || 'Nothing to do' };
}

/** How much of what the host has is promised: for a bar, and whether it is too much. */
export function reserved(used: number, total: number | null): { share: number; over: boolean } {
  if (total === null || total <= 0) return { share: 0, over: false };
  return { share: Math.min(1, used / total), over: used > total };
}
