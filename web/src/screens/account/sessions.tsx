import { useState } from 'react';

import { exactMoment, plural } from '@/base/format';
import { tellNews } from '@/base/outcomes';
import { deviceOf, endOtherSessions, endSession, useSessions } from '@/data/sessions';
import { Button } from '@/parts/button';
import { confirm } from '@/parts/dialog';
import { useFocusKept } from '@/parts/focus';
import { Failed } from '@/parts/notice';
import { Badge, Card, Skeleton } from '@/parts/page';
import { Refresh } from '@/parts/refresh';
import { Ago } from '@/parts/time';

const few = 6;

/** Where one is signed in: this browser first, then as they were last used. */
export function Sessions() {
  const sessions = useSessions();
  useFocusKept(sessions.data?.length);
  const [all, setAll] = useState(false);
  const others = sessions.data?.filter((each) => !each.current).length ?? 0;
  const shown = all ? sessions.data : sessions.data?.slice(0, few);
  const endOthers = () =>
    confirm({
      title: `End ${plural(others, 'other session')}?`,
      text: 'Whoever uses them has to sign in again; what they have open is closed. This session and your API tokens stay.',
      verb: 'End them',
      act: () => endOtherSessions().then((ended) => tellNews(`${plural(ended, 'session')} ended.`)),
    });
  return (
    <Card
      title="Sessions"
      hint="Where you are signed in. End what you do not know."
      actions={<div className="flex flex-wrap gap-2"><Refresh of={sessions} what="The sessions" small />{others > 0 && <Button size="small" look="danger-quiet" onClick={endOthers}>End all others</Button>}</div>}
    >
      {sessions.isPending && <Skeleton className="h-16" count={2} />}
      {sessions.isLoadingError && <Failed what="Your sessions" problem={sessions.error} again={sessions.refetch} />}
      <ul className="grid grid-cols-1 gap-2">
        {shown?.map((each) => {
          const device = deviceOf(each.userAgent);
          return (
            <li key={each.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-xl border border-line py-2 pr-2 pl-3 text-sm">
              <div className="min-w-0 grow basis-48">
                <p className="font-medium wrap-anywhere" title={each.userAgent}>{device} {each.current && <Badge kind="good">This one</Badge>}</p>
                <p className="text-xs text-muted wrap-anywhere">
                  From {each.address || 'an unknown address'} · {each.current ? 'in use now' : <>last used <Ago time={each.lastUsedAt} /></>} · <span title={exactMoment(each.createdAt)}>signed in <Ago time={each.createdAt} /></span>
                </p>
              </div>
              {!each.current && (
                <Button
                  size="small"
                  look="danger-quiet"
                  aria-label={`End: ${device}, from ${each.address}`}
                  onClick={() => confirm({ title: `End the session of ${device}?`, text: `It was begun from ${each.address || 'an unknown address'}. What is open there is closed.`, verb: 'End session', act: () => endSession(each.id).then(() => tellNews('The session is ended.')) })}
                >
                  End
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      {!all && (sessions.data?.length ?? 0) > few && <Button size="small" look="quiet" className="mt-2" onClick={() => setAll(true)}>Show all {sessions.data!.length}</Button>}
      {others === 0 && sessions.data && <p className="mt-2 text-sm text-muted">You are signed in nowhere else.</p>}
    </Card>
  );
}
