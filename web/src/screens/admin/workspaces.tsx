import { Boxes, Search, Square, X } from 'lucide-react';
import { useState } from 'react';

import { exactMoment } from '@/base/format';
import { tellNews, tellProblem } from '@/base/outcomes';
import { navigate, useSearch } from '@/base/router';
import { findOwner, stopAnybodys, useEverybodys, useUser, workspaceQuery, workspaceSearch, type WorkspaceSearch } from '@/data/admin';
import type { WorkspaceSummary } from '@/data/types';
import { isBusy, phaseNames, useTypes } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { confirm } from '@/parts/dialog';
import { SelectField, TextField } from '@/parts/field';
import { useFocusKept } from '@/parts/focus';
import { Form, textOf } from '@/parts/form';
import { Link } from '@/parts/link';
import { Failed } from '@/parts/notice';
import { Badge, Empty, Skeleton } from '@/parts/page';
import { More, Refresh } from '@/parts/refresh';
import { Ago } from '@/parts/time';

import { Cell, Table } from './table';
import { statusNames } from './words';

/** Everybody's workspaces, as rows: whose they are and what they do, and no door into them. What is looked for stands in the address. */
export function WorkspacesPart() {
  const search = workspaceSearch(useSearch());
  const types = useTypes();
  const owner = useUser(search.user);
  const found = useEverybodys(search);
  const rows = found.data?.pages.flatMap((each) => each.data) ?? [];
  const narrow = (change: Partial<WorkspaceSearch>) => {
    const query = workspaceQuery({ ...search, ...change });
    navigate(query ? `/admin/workspaces?${query}` : '/admin/workspaces', { replace: true });
  };
  const narrowed = workspaceQuery(search) !== '';
  useFocusKept(narrowed);
  // A type that is configured no more may still be looked for.
  const known = [...new Set([...(types.data?.map((each) => each.type) ?? []), ...(search.type ? [search.type] : [])])];
  const nameOf = (type: string) => types.data?.find((each) => each.type === type)?.name ?? type;
  return (
    <div className="grid grid-cols-1 gap-4">
      <div className="grid grid-cols-2 items-end gap-3 rounded-2xl border border-line bg-surface p-4 shadow-card md:grid-cols-[1fr_auto_auto_auto]">
        <Form
          className="col-span-2 flex flex-wrap items-end gap-2 md:col-span-1"
          act={async (fields, form) => {
            const typed = textOf(fields, 'owner');
            if (!typed) return narrow({ user: '' });
            const user = await findOwner(typed);
            form.reset();
            narrow({ user });
          }}
        >
          {(busy) => (
            <>
              <div className="min-w-0 grow basis-32"><TextField label="Owner" name="owner" type="search" placeholder="Address or name" autoComplete="off" /></div>
              <Button type="submit" icon={Search} busy={busy}>Find</Button>
            </>
          )}
        </Form>
        <SelectField label="Type" value={search.type} onChange={(event) => narrow({ type: event.target.value })}><option value="">Every type</option>{known.map((each) => <option key={each} value={each}>{nameOf(each)}</option>)}</SelectField>
        <SelectField label="State" value={search.status} onChange={(event) => narrow({ status: event.target.value })}><option value="">Every state</option>{Object.entries(statusNames).map(([each, name]) => <option key={each} value={each}>{name}</option>)}</SelectField>
        <div><Refresh of={found} what="The workspaces" /></div>
      </div>
      {search.user && (
        <p className="flex flex-wrap items-center gap-2 text-sm">
          <span className="wrap-anywhere">Of <Link to={`/admin/users/${search.user}`} className="text-accent underline underline-offset-2">{owner.data?.email ?? 'one account'}</Link> alone.</span>
          <Button size="small" icon={X} onClick={() => narrow({ user: '' })}>Everybody’s</Button>
        </p>
      )}
      {found.isPending && <Skeleton className="h-64" />}
      {found.isLoadingError && <Failed what="The workspaces" problem={found.error} again={found.refetch} />}
      {found.data && rows.length === 0 && (
        <Empty icon={Boxes} title={narrowed ? 'No workspace fits.' : 'There are no workspaces yet.'} action={narrowed && <Button onClick={() => narrow({ user: '', type: '', status: '' })}>Show all</Button>}>
          {!narrowed && 'Whatever anybody creates is listed here.'}
        </Empty>
      )}
      {rows.length > 0 && (
        <Table label="Workspaces" columns={[{ label: 'Workspace' }, { label: 'Owner', look: 'hidden md:table-cell' }, { label: 'State', look: 'hidden sm:table-cell' }, { label: 'Changed', look: 'hidden lg:table-cell' }, { label: 'Actions', silent: true }]}>
          {rows.map((each) => <Row key={each.id} workspace={each} type={nameOf(each.type)} />)}
        </Table>
      )}
      <More of={found} what="the workspaces">Show more</More>
    </div>
  );
}

function Row({ workspace, type }: { workspace: WorkspaceSummary; type: string }) {
  const [stopping, setStopping] = useState(false);
  const { id, name, phase, userId, userEmail, status, lastError, updatedAt } = workspace;
  const owner = userEmail ?? 'an account that is gone';
  const stop = async () => {
    setStopping(true);
    try {
      const over = await stopAnybodys(id);
      tellNews(over ? `${name} of ${owner} has stopped.` : `${name} of ${owner} is still stopping. Refresh to see how it ends.`);
    } catch (problem) {
      tellProblem(`${name} of ${owner} was not stopped`, problem);
    } finally {
      setStopping(false);
    }
  };
  const state = (
    <>
      <Badge kind={stopping || isBusy(phase) ? 'accent' : phase === 'running' ? 'good' : phase === 'failed' ? 'bad' : 'plain'}>{stopping ? phaseNames.stopping : status === 'active' && phase === 'stopped' ? statusNames.active : phaseNames[phase]}</Badge>
      {(status === 'inactive' || status === 'archived') && <> <Badge>{statusNames[status]}</Badge></>}
    </>
  );
  const ownerLink = userEmail ? <Link to={`/admin/users/${userId}`} className="text-accent underline-offset-2 hover:underline">{userEmail}</Link> : <span className="text-muted">An account that is gone</span>;
  const off = phase === 'stopped' || phase === 'failed' || phase === 'deleting';
  useFocusKept(off);
  return (
    <tr>
      <Cell look="w-full wrap-anywhere">
        <p className="font-medium">{name}</p>
        <p className="text-xs text-muted">{type}</p>
        <p className="text-xs md:hidden">{ownerLink}</p>
        <p className="mt-1 sm:hidden">{state}</p>
        {lastError && phase === 'failed' && <p className="mt-1 text-xs text-bad">{lastError}</p>}
      </Cell>
      <Cell look="hidden md:table-cell"><div className="w-56 wrap-anywhere xl:w-72">{ownerLink}</div></Cell>
      <Cell look="hidden whitespace-nowrap sm:table-cell">{state}</Cell>
      <Cell look="hidden whitespace-nowrap lg:table-cell"><span title={exactMoment(updatedAt)}><Ago time={updatedAt} /></span></Cell>
      <td className="py-1.5 pr-2 text-right align-top">
        {(!off || stopping) && (
          <Button
            size="small"
            icon={Square}
            busy={stopping || phase === 'stopping'}
            aria-label={`Stop: ${name}, of ${owner}`}
            onClick={() => confirm({ title: `Stop ${name} of ${owner}?`, text: 'What runs in it ends; files in its project stay. Its history tells the owner that an administrator asked for it, and they may start it again.', verb: 'Stop workspace', act: () => void stop() })}
          >
            Stop
          </Button>
        )}
      </td>
    </tr>
  );
}
