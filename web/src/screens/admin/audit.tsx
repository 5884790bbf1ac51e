import { ScrollText, Search } from 'lucide-react';
import { useState } from 'react';

import { moment } from '@/base/format';
import { useAudit, type AuditSearch } from '@/data/account';
import { Button } from '@/parts/button';
import { CheckField, TextField } from '@/parts/field';
import { Failed } from '@/parts/notice';
import { Badge, Empty, Skeleton } from '@/parts/page';
import { More } from '@/parts/refresh';

const nothing: AuditSearch = { who: '', target: '', since: '', until: '', failed: false };

// A year of five digits is no date of the API.
const lastDay = '9999-12-31';

/** Who did what: found as it is asked for, the newest first. */
export function AuditPart() {
  const [typed, setTyped] = useState(nothing);
  const [search, setSearch] = useState(nothing);
  const audit = useAudit(search);
  const put = (fields: Partial<AuditSearch>) => setTyped({ ...typed, ...fields });
  const rows = audit.data?.pages.flatMap((each) => each.data) ?? [];
  return (
    <div className="grid grid-cols-1 gap-4">
      <form
        className="grid items-end gap-3 rounded-2xl border border-line bg-surface p-4 shadow-card sm:grid-cols-2 lg:grid-cols-[1fr_1fr_auto_auto_auto_auto]"
        onSubmit={(event) => {
          event.preventDefault();
          setSearch(typed);
        }}
      >
        <TextField label="Who" placeholder="Address or id" value={typed.who} onChange={(event) => put({ who: event.target.value })} autoComplete="off" />
        <TextField label="What" placeholder="An id, or a part of the path" value={typed.target} onChange={(event) => put({ target: event.target.value })} autoComplete="off" />
        <TextField label="From" type="date" max={lastDay} value={typed.since} onChange={(event) => put({ since: event.target.value })} />
        <TextField label="Until" type="date" max={lastDay} value={typed.until} onChange={(event) => put({ until: event.target.value })} />
        <div className="flex min-h-9 items-center"><CheckField label="Refused only" checked={typed.failed} onChange={(event) => put({ failed: event.target.checked })} /></div>
        <Button type="submit" look="primary" icon={Search} busy={audit.isFetching && !audit.isFetchingNextPage}>Search</Button>
      </form>
      {audit.isPending && <Skeleton className="h-64" />}
      {audit.isLoadingError && <Failed what="The audit log" problem={audit.error} again={audit.refetch} />}
      {audit.data && rows.length === 0 && <Empty icon={ScrollText} title="Nothing was found.">Every request that changed something, or tried to, is kept for a while.</Empty>}
      {rows.length > 0 && (
        <div className="overflow-x-auto rounded-2xl border border-line bg-surface shadow-card" tabIndex={0} role="region" aria-label="What was found">
          <table className="w-full min-w-[48rem] text-left text-sm">
            <thead className="border-b border-line text-xs text-muted">
              <tr>{['When', 'Who', 'What', 'Outcome', 'Request'].map((each) => <th key={each} scope="col" className="px-4 py-2 font-medium">{each}</th>)}</tr>
            </thead>
            <tbody className="divide-y divide-line">
              {rows.map((each) => (
                <tr key={each.id} className="align-top">
                  <td className="px-4 py-2 whitespace-nowrap"><time dateTime={each.at}>{moment(each.at)}</time></td>
                  <td className="max-w-56 px-4 py-2 wrap-anywhere">{each.who ?? '–'}<span className="block text-xs text-muted">{each.address}{each.credential?.startsWith('token:') && ' · by token'}</span></td>
                  <td className="px-4 py-2 wrap-anywhere">{each.action}<span className="block text-xs text-muted">{each.target}</span></td>
                  <td className="px-4 py-2"><Badge kind={each.status < 400 ? 'good' : 'bad'}>{each.status}</Badge>{each.code && <span className="block text-xs text-muted">{each.code}</span>}</td>
                  <td className="px-4 py-2"><code className="text-xs text-muted">{each.requestId}</code></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More of={audit} what="the audit log">Show older ones</More>
    </div>
  );
}
