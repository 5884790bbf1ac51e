import { CircleCheck } from 'lucide-react';
import type { ReactNode } from 'react';

import { bytes, elapsed, exactMoment, megabytes, plural } from '@/base/format';
import { reserved, useOverview, workspaceQuery } from '@/data/admin';
import type { Overview } from '@/data/types';
import { Link } from '@/parts/link';
import { Failed, Notice } from '@/parts/notice';
import { Badge, Card, Empty, Skeleton } from '@/parts/page';
import { Refresh } from '@/parts/refresh';
import { Ago } from '@/parts/time';

import { Cell, Table } from './table';
import { operationNames, statusNames } from './words';

/** The installation in numbers. */
export function OverviewPart() {
  const overview = useOverview();
  return (
    <div className="grid grid-cols-1 gap-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-sm text-muted">{overview.data ? <>As it was <Ago time={new Date(overview.dataUpdatedAt).toISOString()} />.</> : 'The installation in numbers.'}</p>
        <Refresh of={overview} what="The overview" />
      </div>
      {overview.isPending && <><Skeleton className="h-24" /><Skeleton className="h-64" count={2} /></>}
      {overview.isLoadingError && <Failed what="The overview" problem={overview.error} again={overview.refetch} />}
      {overview.data && <Numbers now={overview.data} />}
    </div>
  );
}

function Numbers({ now }: { now: Overview }) {
  const { engine, users, workspaces, running, volumes } = now;
  return (
    <>
      {!engine.answers && (
        <Notice kind="bad">
          <p className="font-medium">The container engine does not answer.</p>
          <p>{engine.problem ? `${engine.problem.replace(/\.?$/, '.')} ` : ''}Nothing can be started or stopped until it does. See that it runs, and that the server may use its socket. The rest below is what the database knows.</p>
        </Notice>
      )}
      <ul className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Figure to="/admin/users" label="Users" value={users.total} below={`${users.active} active, ${plural(users.admins, 'administrator')}`} />
        <Figure to="/admin/workspaces" label="Workspaces" value={workspaces.total} below={`${running.workspaces} running or about to${workspaces.deleting > 0 ? `, ${workspaces.deleting} being deleted` : ''}`} />
        <Figure label="Projects" value={now.projects} below={`${volumes.projects + volumes.homes} volumes, ${volumes.trash} in the trash`} />
        <Figure to="/admin/cleaning" label="Files" value={bytes(volumes.bytes)} below="in volumes, as far as measured" />
      </ul>
      <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
        <Capacity now={now} />
        <Kinds now={now} />
        <Operations now={now} />
        <Installation now={now} />
      </div>
      <Failures now={now} />
    </>
  );
}

function Figure({ to, label, value, below }: { to?: string; label: string; value: ReactNode; below: string }) {
  const look = 'block h-full rounded-2xl border border-line bg-surface px-4 py-3 shadow-card';
  const content = (
    <>
      <span className="block text-sm text-muted">{label}</span>
      <span className="tabular block text-2xl font-semibold tracking-tight">{value}</span>
      <span className="block text-xs text-muted">{below}</span>
    </>
  );
  return <li>{to ? <Link to={to} className={`${look} hover:border-edge`}>{content}</Link> : <div className={look}>{content}</div>}</li>;
}

function Bar({ label, text, share, over = false, to }: { label: string; text: string; share: number; over?: boolean; to?: string }) {
  return (
    <li>
      <div className="flex items-baseline justify-between gap-3 text-sm">
        {to ? <Link to={to} className="text-accent underline-offset-2 hover:underline">{label}</Link> : <span>{label}</span>}
        <span className="tabular text-right text-muted">{text}</span>
      </div>
      <div aria-hidden className="mt-1 h-1.5 overflow-hidden rounded-full bg-raised">
        <div className={`h-full rounded-full ${over ? 'bg-warn' : 'bg-accent'}`} style={{ width: `${share * 100}%` }} />
      </div>
    </li>
  );
}

function Capacity({ now: { engine, running, starts } }: { now: Overview }) {
  const cpus = reserved(running.cpus, engine.cpus);
  const memory = reserved(running.memory, engine.memory);
  const cores = Number(running.cpus.toFixed(2));
  const of = (total: string | null) => (total === null ? ', of an unknown host' : ` of the host’s ${total}`);
  return (
    <Card title="Capacity" hint="What running workspaces may use at most, beside what the host has.">
      <ul className="grid grid-cols-1 gap-3">
        <Bar label="Processor cores" text={`${cores}${of(engine.cpus === null ? null : String(engine.cpus))}`} {...cpus} />
        <Bar label="Memory" text={`${megabytes(running.memory)}${of(engine.memory === null ? null : megabytes(engine.memory))}`} {...memory} />
      </ul>
      {(cpus.over || memory.over) && <p className="mt-3 text-sm text-muted">More is promised than there is. That is fine while not all is used at once; when memory runs out, the host’s kernel ends programs.</p>}
      {running.ofUnknownType > 0 && <p className="mt-3 text-sm text-muted">{plural(running.ofUnknownType, 'workspace')} of a type that is not configured: not added up.</p>}
      <p className="mt-3 text-sm">
        {starts.queued === 0 ? 'No start waits for its turn' : `${plural(starts.queued, 'start')} ${starts.queued === 1 ? 'waits' : 'wait'} for a turn`}
        <span className="text-muted">{starts.limit > 0 ? `; ${starts.inProgress} of ${starts.limit} at a time are under way.` : `; ${starts.inProgress} under way.`}</span>
      </p>
    </Card>
  );
}

function Kinds({ now: { workspaces } }: { now: Overview }) {
  const share = (count: number) => (workspaces.total > 0 ? count / workspaces.total : 0);
  const statuses = (Object.keys(statusNames) as (keyof typeof statusNames)[]).filter((each) => workspaces.byStatus[each] > 0);
  const types = Object.entries(workspaces.byType).sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
  return (
    <Card title="Workspaces" hint="By state and by type.">
      {workspaces.total === 0 ? (
        <p className="text-sm text-muted">Nobody has made one yet.</p>
      ) : (
        <div className="grid grid-cols-1 gap-x-6 gap-y-4 sm:grid-cols-2">
          <ul aria-label="By state" className="grid grid-cols-1 content-start gap-3">
            {statuses.map((each) => <Bar key={each} label={statusNames[each]} text={String(workspaces.byStatus[each])} share={share(workspaces.byStatus[each])} to={`/admin/workspaces?${workspaceQuery({ status: each })}`} />)}
          </ul>
          <ul aria-label="By type" className="grid grid-cols-1 content-start gap-3">
            {types.map(([type, count]) => <Bar key={type} label={type} text={String(count)} share={share(count)} to={`/admin/workspaces?${workspaceQuery({ type })}`} />)}
          </ul>
        </div>
      )}
    </Card>
  );
}

function Operations({ now: { operations } }: { now: Overview }) {
  const kinds = [...new Set([...Object.keys(operations.byKind), ...Object.keys(operations.open)])].sort();
  const number = 'text-right tabular';
  return (
    <Card title="Operations" hint="That ended in the last 24 hours, and those under way.">
      {kinds.length === 0 ? (
        <p className="text-sm text-muted">None. Starts, stops and changes of project are counted here.</p>
      ) : (
        <table aria-label="Operations of a day" className="w-full text-left text-sm">
          <thead className="text-xs text-muted">
            <tr>
              <th scope="col" className="py-1 font-medium">Kind</th>
              {['Done', 'Failed', 'Replaced', 'Under way'].map((each) => <th key={each} scope="col" className="py-1 pl-2 text-right font-medium">{each}</th>)}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {kinds.map((kind) => {
              const ended = operations.byKind[kind] ?? { succeeded: 0, failed: 0, superseded: 0 };
              return (
                <tr key={kind}>
                  <th scope="row" className="py-1.5 font-normal">{operationNames[kind] ?? kind}</th>
                  <td className={`py-1.5 pl-2 ${number}`}>{ended.succeeded}</td>
                  <td className={`py-1.5 pl-2 ${number} ${ended.failed > 0 ? 'font-medium text-bad' : ''}`}>{ended.failed}</td>
                  <td className={`py-1.5 pl-2 ${number}`}>{ended.superseded}</td>
                  <td className={`py-1.5 pl-2 ${number}`}>{operations.open[kind] ?? 0}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Card>
  );
}

function Installation({ now: { server, database, engine } }: { now: Overview }) {
  const facts: [string, ReactNode][] = [
    ['Server', <>{server.version}, <span title={exactMoment(server.startedAt)}>up for {elapsed(server.uptimeSeconds * 1000)}</span></>],
    ['Database', `${database.kind === 'sqlite' ? 'SQLite' : 'PostgreSQL'} ${database.version.replace(/^(sqlite|postgresql)\s*/i, '')}`],
    ['Container engine', engine.answers ? `${engine.name ?? ''} ${engine.version ?? ''}${engine.apiVersion ? ` (API ${engine.apiVersion})` : ''}` : <Badge kind="bad">Does not answer</Badge>],
    ...server.servers.filter((each) => each.name !== null || server.servers.length > 1).map((each): [string, ReactNode] => [each.current ? 'This server' : 'Another server', `${each.name ?? 'without a name'}, at work on ${plural(each.workspaces, 'workspace')}`]),
  ];
  return (
    <Card title="Installation">
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-2 text-sm">
        {facts.map(([name, fact], index) => (
          <div key={index} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="min-w-0 text-right wrap-anywhere">{fact}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

function Failures({ now: { operations } }: { now: Overview }) {
  return (
    <section aria-label="Latest failures" className="grid grid-cols-1 gap-3">
      <h2 className="font-semibold">Latest failures</h2>
      {operations.failed.length === 0 ? (
        <Empty icon={CircleCheck} title="Nothing has failed.">When a start, stop or change of project fails, its reason and whose it was stand here.</Empty>
      ) : (
        <Table label="Latest failures" columns={[{ label: 'What' }, { label: 'Whose', look: 'hidden md:table-cell' }, { label: 'When', look: 'hidden md:table-cell' }]}>
          {operations.failed.map((each) => (
            <tr key={each.id}>
              <Cell look="w-full wrap-anywhere">
                <p className="font-medium">{operationNames[each.kind] ?? each.kind}: {each.workspaceName ?? 'a workspace that is gone'} {each.errorCode && <Badge kind="bad">{each.errorCode}</Badge>}</p>
                <p className="text-muted">{each.error ?? 'No reason was kept.'}</p>
                <p className="text-xs text-muted md:hidden">{each.userEmail ?? 'An account that is gone'}{each.finishedAt && <> · <Ago time={each.finishedAt} /></>}</p>
              </Cell>
              <Cell look="hidden md:table-cell"><div className="w-56 wrap-anywhere">{each.userEmail ?? 'An account that is gone'}</div></Cell>
              <Cell look="hidden whitespace-nowrap md:table-cell">{each.finishedAt ? <Ago time={each.finishedAt} /> : '–'}</Cell>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}
