import { Clock, HeartPulse } from 'lucide-react';
import type { ReactNode } from 'react';

import { bytes, megabytes, moment, percent, plural } from '@/base/format';
import { tellNews, tellProblem } from '@/base/outcomes';
import type { ContainerStats } from '@/data/types';
import { useUsage } from '@/data/usage';
import { keepAlive, useActivity, useHealth, useHistory, useLimits, type Seen } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { Link } from '@/parts/link';
import { Failed, Notice } from '@/parts/notice';
import { Card } from '@/parts/page';
import { Sparkline } from '@/parts/sparkline';
import { Ago } from '@/parts/time';

import { Happened } from './history';
import type { PartProps } from './workspace';

export function Overview({ seen, type }: PartProps) {
  const { workspace } = seen;
  const limits = useLimits(workspace.id);
  const history = useHistory(workspace.id);
  const inForce = limits.data?.inForce;
  return (
    <div className="grid grid-cols-1 gap-4 lg:grid-cols-3">
      <div className="grid grid-cols-1 content-start gap-4 lg:col-span-2">
        <Usage seen={seen} cores={inForce?.cpus} />
        <Card title="What happened" actions={<Link to={`/workspaces/${workspace.id}/history`} className="text-sm font-medium text-accent hover:underline">All of it</Link>}>
          {history.isLoadingError && <Failed what="Its history" problem={history.error} again={history.refetch} />}
          {history.data?.length === 0 && <p className="text-sm text-muted">Nothing yet.</p>}
          <ol className="grid grid-cols-1 gap-3 min-h-32 content-start">{history.data?.slice(0, 5).map((each) => <Happened key={each.id} event={each} />)}</ol>
        </Card>
      </div>
      <div className="grid grid-cols-1 content-start gap-4">
        <Condition seen={seen} />
        <Idle seen={seen} />
        <Card title="About">
          <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-2 text-sm">
            <Fact name="Type">{type?.name ?? workspace.type}</Fact>
            <Fact name="Processor">{inForce ? plural(inForce.cpus, 'core') : '…'}</Fact>
            <Fact name="Memory">{inForce ? megabytes(inForce.memory) : '…'}</Fact>
            <Fact name="Created"><Ago time={workspace.createdAt} /></Fact>
            <Fact name="Container"><code className="text-xs wrap-anywhere">{workspace.containerName ?? '–'}</code></Fact>
            <Fact name="Id"><code className="text-xs wrap-anywhere">{workspace.id}</code></Fact>
          </dl>
          {limits.isLoadingError && <div className="mt-3"><Failed what="Its limits" problem={limits.error} again={limits.refetch} /></div>}
          {workspace.description && <p className="mt-3 border-t border-line pt-3 text-sm whitespace-pre-line">{workspace.description}</p>}
        </Card>
      </div>
    </div>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <>
    <dt className="text-muted">{name}</dt>
    <dd className="min-w-0">{children}</dd>
  </>
);

/** By how much a counter grows a second, between each two samples. */
export function rates(samples: readonly ContainerStats[], of: (sample: ContainerStats) => number): number[] {
  return samples.slice(1).map((each, index) => {
    const before = samples[index]!;
    const seconds = (Date.parse(each.time) - Date.parse(before.time)) / 1000;
    return seconds > 0 ? Math.max(0, (of(each) - of(before)) / seconds) : 0;
  });
}

function Usage({ seen, cores }: { seen: Seen; cores: number | undefined }) {
  const running = seen.phase === 'running' || seen.phase === 'switching';
  const samples = useUsage(seen.workspace.id, running);
  const last = samples.at(-1);
  const network = rates(samples, (each) => each.network.receivedBytes + each.network.sentBytes);
  const disk = rates(samples, (each) => each.blockIo.readBytes + each.blockIo.writtenBytes);
  const speed = (values: number[]) => (values.length > 0 ? `${bytes(values.at(-1)!)}/s` : undefined);
  const charts = [
    { name: 'Processor', now: last && percent(last.cpu.percent), hint: last && `of ${Math.round(Math.min(cores ?? last.cpu.cpus, last.cpu.cpus) * 100)} %`, values: samples.map((each) => each.cpu.percent), most: Math.max(20, ...samples.map((each) => each.cpu.percent * 1.1)) },
    { name: 'Memory', now: last && bytes(last.memory.usedBytes), hint: last && `of ${megabytes(Math.round(last.memory.limitBytes / 1024 ** 2))}`, values: samples.map((each) => each.memory.usedBytes), most: last?.memory.limitBytes ?? 1 },
    { name: 'Network', now: speed(network), hint: last && `${bytes(last.network.receivedBytes)} in, ${bytes(last.network.sentBytes)} out in all`, values: network, most: Math.max(10_000, ...network) },
    { name: 'Disk', now: speed(disk), hint: last && `${bytes(last.blockIo.readBytes)} read, ${bytes(last.blockIo.writtenBytes)} written in all`, values: disk, most: Math.max(10_000, ...disk) },
  ];
  return (
    <Card title="Usage" hint={running ? 'The last minute' : 'It is measured while it runs.'}>
      <div className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
        {charts.map(({ name, now, hint, values, most }) => (
          <div key={name}>
            <div className="flex items-baseline gap-2">
              <h3 className="text-sm text-muted">{name}</h3>
              <p className="tabular ml-auto text-lg font-semibold">{now ?? '–'}</p>
            </div>
            <Sparkline values={values} most={most} width={320} height={64} className="h-16 w-full" text={now ? `${name}: ${now} now${hint ? `, ${hint}` : ''}` : `${name}: not measured`} />
            <p className="min-h-5 text-xs text-muted">{hint}</p>
          </div>
        ))}
      </div>
    </Card>
  );
}

const conditions = { healthy: ['good', 'It answers.'], starting: ['info', 'It is starting.'], unhealthy: ['bad', 'It does not answer.'], stopped: ['info', 'It is not running.'], unknown: ['warn', 'The container engine does not answer. What was asked for goes on by itself when it does.'] } as const;

function Condition({ seen }: { seen: Seen }) {
  const { data: health, isLoadingError, error, refetch } = useHealth(seen.workspace.id);
  if (!health) return <Card title="Health"><div className="min-h-11">{isLoadingError && <Failed what="Its health" problem={error} again={refetch} />}</div></Card>;
  const [kind, text] = conditions[health.status];
  return (
    <Card title="Health">
      {health.status === 'stopped' ? <p className="flex min-h-11 items-center gap-2 text-sm text-muted"><HeartPulse aria-hidden className="size-4" />{text}</p> : <Notice kind={kind}>{text}</Notice>}
      {health.status !== 'healthy' && health.status !== 'stopped' && (
        <ul className="mt-2 grid grid-cols-1 gap-1 text-sm">
          {health.checks.filter((each) => !each.passed).map((each) => <li key={each.name}>{each.message}</li>)}
        </ul>
      )}
      {health.recentCrashes > 0 && <p className="mt-2 text-sm text-warn">Its application ended by itself {plural(health.recentCrashes, 'time')} in the last ten minutes.</p>}
    </Card>
  );
}

function Idle({ seen }: { seen: Seen }) {
  const { id } = seen.workspace;
  const { data: activity, isLoadingError, error, refetch } = useActivity(id);
  const keep = (hours: number) => keepAlive(id, hours * 3600).then(() => tellNews(`It is kept on for ${plural(hours, 'hour')}, used or not.`), (problem) => tellProblem('It could not be kept on', problem));
  if (!activity) return <Card title="When it stops"><div className="min-h-24">{isLoadingError && <Failed what="When it stops" problem={error} again={refetch} />}</div></Card>;
  return (
    <Card title="When it stops">
      {/* As high when it runs as when it does not: what is below stays. */}
      <div className="min-h-24">
        <ul className="grid grid-cols-1 gap-1.5 text-sm">
          <li className="flex items-start gap-2">
            <Clock aria-hidden className="mt-0.5 size-4 shrink-0 text-muted" />
            {activity.idleStopMinutes === null ? 'Only when it is stopped: it has no idle time.' : `After ${plural(activity.idleStopMinutes, 'minute')} without use.`}
          </li>
          {activity.willStopAt && <li>Unless it is used, it stops at {moment(activity.willStopAt)}.</li>}
          {activity.keepAliveUntil && <li>Kept on until {moment(activity.keepAliveUntil)}.</li>}
          {activity.nextScheduledStart && <li>Next start by its schedule: {moment(activity.nextScheduledStart)}.</li>}
          {activity.nextScheduledStop && <li>Next stop by its schedule: {moment(activity.nextScheduledStop)}.</li>}
          {!activity.running && activity.lastStop && <li className="text-muted">Last: {activity.lastStop.why}</li>}
        </ul>
        {activity.running && activity.idleStopMinutes !== null && <Button size="small" className="mt-3" onClick={() => void keep(1)}>Keep it on for an hour</Button>}
      </div>
    </Card>
  );
}
