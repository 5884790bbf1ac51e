import { FolderGit2, House, RotateCcw, Trash2 } from 'lucide-react';
import { useState } from 'react';

import { day } from '@/base/format';
import { tellNews, tellProblem } from '@/base/outcomes';
import { purgeTrashed, restoreTrashed, useTrash } from '@/data/projects';
import type { TrashedVolume } from '@/data/types';
import { Button } from '@/parts/button';
import { confirm } from '@/parts/dialog';
import { useFocusKept } from '@/parts/focus';
import { Failed } from '@/parts/notice';
import { Empty, Skeleton, Title } from '@/parts/page';

const kinds: Record<TrashedVolume['kind'], string> = { project: 'Project', home: 'Workspace with its settings', replaced: 'Files that a restored backup took the place of' };

export function TrashScreen() {
  const trash = useTrash();
  useFocusKept(trash.data?.length);
  return (
    <>
      <Title below={<p className="mt-1 text-sm text-muted">What was deleted can be restored for a while.</p>}>Trash</Title>
      {trash.isPending && <Skeleton className="mb-2 h-16" count={3} />}
      {trash.isLoadingError && <Failed what="The trash" problem={trash.error} again={trash.refetch} />}
      {trash.data?.length === 0 && <Empty icon={Trash2} title="The trash is empty.">Deleted projects and workspaces come here first.</Empty>}
      {trash.data && trash.data.length > 0 && (
        <ul id="trash" className="divide-y divide-line rounded-2xl border border-line bg-surface shadow-card">
          {trash.data.map((each) => <Row key={each.id} item={each} />)}
        </ul>
      )}
    </>
  );
}

function Row({ item }: { item: TrashedVolume }) {
  const [busy, setBusy] = useState(false);
  const Icon = item.kind === 'home' ? House : FolderGit2;
  const restore = async () => {
    setBusy(true);
    await restoreTrashed(item.id).then(() => tellNews(`${item.name} is restored.`), (problem) => tellProblem(`${item.name} could not be restored`, problem));
    setBusy(false);
  };
  const purge = () =>
    confirm({
      title: `Delete “${item.name}” for good?`,
      text: 'Its files are removed now and for ever: this cannot be undone.',
      verb: 'Delete for good',
      act: () => purgeTrashed(item.id).then(() => tellNews(`${item.name} is gone for good.`)),
    });
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5">
      <Icon aria-hidden className="size-5 shrink-0 text-muted" />
      <div className="min-w-0 grow basis-60">
        <h2 className="truncate font-medium">{item.name}</h2>
        <p className="text-sm text-muted">{kinds[item.kind]} · deleted {day(item.deletedAt)} · removed for good after {day(item.purgeAfter)}</p>
      </div>
      <Button size="small" icon={RotateCcw} busy={busy} aria-label={`Restore: ${item.name}`} onClick={() => void restore()}>Restore</Button>
      <Button size="small" look="danger-quiet" aria-label={`Delete for good: ${item.name}`} onClick={purge}>Delete for good</Button>
    </li>
  );
}
