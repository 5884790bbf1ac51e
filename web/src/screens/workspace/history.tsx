import { CircleAlert, CirclePlay, CircleStop, Clock, HeartPulse, Power, RefreshCw, Repeat, Settings, Sparkles, Trash2, type LucideIcon } from 'lucide-react';
import { useState } from 'react';

import { moment } from '@/base/format';
import { useSession } from '@/data/account';
import type { LifeEvent } from '@/data/types';
import { useHistory } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { Failed } from '@/parts/notice';
import { Card, Empty, Skeleton } from '@/parts/page';
import { Ago } from '@/parts/time';

import type { PartProps } from './workspace';

const looks: Record<string, { icon: LucideIcon; look: string }> = {
  created: { icon: Sparkles, look: 'text-accent' },
  started: { icon: CirclePlay, look: 'text-good' },
  woken: { icon: CirclePlay, look: 'text-accent' },
  stopped: { icon: CircleStop, look: 'text-muted' },
  idle_stopped: { icon: Clock, look: 'text-muted' },
  idle_warning: { icon: Clock, look: 'text-warn' },
  kept_alive: { icon: Clock, look: 'text-accent' },
  restarted: { icon: RefreshCw, look: 'text-good' },
  restarted_by_server: { icon: RefreshCw, look: 'text-warn' },
  recovered: { icon: RefreshCw, look: 'text-warn' },
  switched: { icon: Repeat, look: 'text-good' },
  failed: { icon: CircleAlert, look: 'text-bad' },
  crashed: { icon: CircleAlert, look: 'text-bad' },
  unhealthy: { icon: HeartPulse, look: 'text-bad' },
  healthy: { icon: HeartPulse, look: 'text-good' },
  settings_changed: { icon: Settings, look: 'text-muted' },
  deleted: { icon: Trash2, look: 'text-muted' },
};
const asked = { icon: Power, look: 'text-muted' };

/** "start_requested" for a person: later servers may have more kinds than this page knows. */
export const kindName = (kind: string) => {
  const text = kind.replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
};

function byWhom({ by }: LifeEvent, me: string | undefined): string {
  if (by.kind === 'user') return by.id === me ? 'you' : 'another user';
  return { token: 'an API token', operator: 'the operator', server: 'the server' }[by.kind];
}

export function Happened({ event }: { event: LifeEvent }) {
  const session = useSession();
  const { icon: Icon, look } = looks[event.kind] ?? asked;
  return (
    <li className="flex gap-3 text-sm">
      <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${look}`} />
      <div className="min-w-0 grow">
        <p className="wrap-anywhere"><span className="font-medium">{kindName(event.kind)}</span> <span className="text-muted">by {byWhom(event, session.kind === 'open' ? session.user.id : undefined)}</span></p>
        <p className="text-muted wrap-anywhere">{event.why}</p>
      </div>
      <span className="shrink-0 text-xs text-muted" title={moment(event.at)}><Ago time={event.at} /></span>
    </li>
  );
}

export function HistoryPart({ seen }: PartProps) {
  const history = useHistory(seen.workspace.id);
  const [shown, setShown] = useState(50);
  if (history.isPending) return <Skeleton className="h-72" />;
  if (history.isLoadingError) return <Failed what="Its history" problem={history.error} again={history.refetch} />;
  if (history.data.length === 0) return <Empty icon={Clock} title="Nothing has happened yet." />;
  return (
    <Card title="What happened, and why" hint="The newest first.">
      <ol className="grid grid-cols-1 gap-4">{history.data.slice(0, shown).map((each) => <Happened key={each.id} event={each} />)}</ol>
      {history.data.length > shown && <Button className="mt-4" onClick={() => setShown(shown + 100)}>Show more</Button>}
    </Card>
  );
}
