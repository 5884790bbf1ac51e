import { ArrowLeft, UserX } from 'lucide-react';
import type { ReactNode } from 'react';

import { bytes, day } from '@/base/format';
import { Problem } from '@/base/session';
import { useUser, workspaceQuery } from '@/data/admin';
import { Link } from '@/parts/link';
import { Failed } from '@/parts/notice';
import { Card, Empty, Skeleton } from '@/parts/page';
import { Refresh } from '@/parts/refresh';
import { Ago } from '@/parts/time';

import { QuotaOf } from './quotas';
import { UserMenu } from './user_actions';
import { UserBadges } from './users';

/** One account: what it is and has, and what it may use. */
export function UserPart({ id }: { id: string }) {
  const found = useUser(id);
  const nobody = found.error instanceof Problem && (found.error.status === 404 || found.error.status === 400);
  // Of one that is gone by now nothing counts that was read before.
  const user = nobody ? undefined : found.data;
  const facts: [string, ReactNode][] = user
    ? [
        ['User name', user.username],
        ['Name', [user.firstName, user.lastName].filter(Boolean).join(' ') || '–'],
        ['Last seen', user.lastSeenAt ? <Ago time={user.lastSeenAt} /> : 'Never'],
        ['Last signed in', user.lastLoginAt ? <Ago time={user.lastLoginAt} /> : 'Never'],
        ['Account since', day(user.createdAt)],
        ['Workspaces', <Link to={`/admin/workspaces?${workspaceQuery({ user: user.id })}`} className="text-accent underline underline-offset-2">{user.workspaces}{user.running > 0 && `, ${user.running} running`}</Link>],
        ['Projects', user.projects],
        ['Files', user.volumeBytes === null ? 'not measured yet' : bytes(user.volumeBytes)],
        ['Id', <code className="text-xs">{user.id}</code>],
      ]
    : [];
  return (
    <div className="grid grid-cols-1 gap-4">
      <Link to="/admin/users" className="inline-flex items-center gap-1.5 justify-self-start text-sm text-accent underline-offset-2 hover:underline"><ArrowLeft aria-hidden className="size-4" />All users</Link>
      {found.isPending && <Skeleton className="h-56" count={2} />}
      {nobody ? <Empty icon={UserX} title="There is no such account." /> : found.isLoadingError && <Failed what="The account" problem={found.error} again={found.refetch} />}
      {user && (
        <>
          <div className="flex flex-wrap items-center gap-2">
            <h2 className="min-w-0 grow text-xl font-semibold wrap-anywhere">{user.email} <UserBadges user={user} /></h2>
            <Refresh of={found} what="The account" />
            <UserMenu user={user} page />
          </div>
          <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-3">
            <Card title="Account">
              <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-2 text-sm">
                {facts.map(([name, fact]) => (
                  <div key={name} className="contents">
                    <dt className="text-muted">{name}</dt>
                    <dd className="min-w-0 text-right wrap-anywhere">{fact}</dd>
                  </div>
                ))}
              </dl>
            </Card>
            <div className="lg:col-span-2"><QuotaOf user={user.id} /></div>
          </div>
        </>
      )}
    </div>
  );
}
