// The account: profile, password, tokens. And what an administrator may look at.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';

import { useSyncExternalStore } from 'react';

import { call, read, sessionState, setUser, subscribe } from '@/base/session';

import { keys, queryClient, untold } from './client';
import type { ApiToken, AuditEntry, NewApiToken, NewApiTokenRequest, User, UserQuota } from './types';

interface Data<T> {
  data: T;
}
const get = <T,>(path: string) => call<Data<T>>(path).then((answer) => answer.data);

export const useSession = () => useSyncExternalStore(subscribe, sessionState, sessionState);

/** What the page has to know before anybody has signed in. */
export const pageFacts = { queryKey: keys.page, queryFn: () => read<{ registrationOpen: boolean; sharing: boolean }>('/page.json'), staleTime: 300_000 };
export const usePageFacts = () => useQuery(pageFacts);

export interface Profile {
  email: string;
  username: string;
  firstName: string;
  lastName: string;
}
export const profileOf = ({ email, username, firstName, lastName }: User): Profile => ({ email, username, firstName: firstName ?? '', lastName: lastName ?? '' });

/** Another address needs the password, which is sent as it was typed: spaces at its ends are of it. */
export function profileChange(user: Pick<User, 'email'>, typed: Profile, password: string): Record<string, string> {
  const { email, ...others } = Object.fromEntries(Object.entries(typed).map(([name, value]) => [name, value.trim()])) as unknown as Profile;
  return email === user.email ? others : { ...others, email, currentPassword: password };
}
export const changeProfile = (fields: Record<string, string>) =>
  call<Data<User>>('/api/auth/profile', { method: 'PATCH', json: fields }).then((answer) => setUser(answer.data));
export const changePassword = (currentPassword: string, newPassword: string) => call('/api/auth/change-password', { method: 'POST', json: { currentPassword, newPassword } });

export const useTokens = () => useQuery({ queryKey: keys.tokens, queryFn: () => get<ApiToken[]>('/api/auth/tokens'), ...untold });
export const createToken = (wanted: NewApiTokenRequest) =>
  call<Data<NewApiToken>>('/api/auth/tokens', { method: 'POST', json: wanted }).then((answer) => {
    void queryClient.invalidateQueries({ queryKey: keys.tokens });
    return answer.data;
  });
export const revokeToken = (id: string) => call(`/api/auth/tokens/${id}`, { method: 'DELETE' }).finally(() => queryClient.invalidateQueries({ queryKey: keys.tokens }));

export interface AuditSearch {
  who: string;
  target: string;
  since: string;
  until: string;
  failed: boolean;
}
/** When a day begins in the reader's zone, or one so many days later: of 23 and 25 hours are some. Nothing where it is no day. */
function midnight(day: string, later = 0): string | undefined {
  const time = new Date(`${day}T00:00:00`);
  time.setDate(time.getDate() + later);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
export function auditQuery(search: AuditSearch): string {
  const query = new URLSearchParams({ limit: '100' });
  for (const name of ['who', 'target'] as const) if (search[name].trim()) query.set(name, search[name].trim());
  const since = midnight(search.since);
  if (since) query.set('since', since);
  const until = midnight(search.until, 1);
  if (until) query.set('until', until);
  if (search.failed) query.set('failed', 'true');
  return query.toString();
}
export const useAudit = (search: AuditSearch) =>
  useInfiniteQuery({
    queryKey: keys.audit(auditQuery(search)),
    queryFn: ({ pageParam }) => call<Data<AuditEntry[]> & { nextCursor?: string }>(`/api/admin/audit?${auditQuery(search)}${pageParam ? `&cursor=${encodeURIComponent(pageParam)}` : ''}`),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextCursor,
    staleTime: 5_000,
  });

export const useUserQuota = (user: string) => useQuery({ queryKey: keys.userQuota(user), queryFn: () => get<UserQuota>(`/api/admin/users/${user}/quota`), enabled: user !== '' });
export const setUserQuota = (user: string, change: Record<string, number | null>) =>
  call<Data<UserQuota>>(`/api/admin/users/${user}/quota`, { method: 'PUT', json: change }).then((answer) => queryClient.setQueryData(keys.userQuota(user), answer.data));
