import { ArrowUp, Download, File, Folder, Link2, RefreshCw } from 'lucide-react';
import { useLayoutEffect, useRef, useState } from 'react';

import { isLost } from '@/base/focus';
import { bytes } from '@/base/format';
import { tellProblem } from '@/base/outcomes';
import { Problem } from '@/base/session';
import { download, useFiles } from '@/data/projects';
import type { Project } from '@/data/types';
import { IconButton } from '@/parts/button';
import { Failed, Notice } from '@/parts/notice';
import { Empty, Skeleton } from '@/parts/page';
import { readAnew } from '@/parts/refresh';
import { Ago } from '@/parts/time';

const join = (path: string, name: string) => (path ? `${path}/${name}` : name);
const rank = { directory: 0, link: 1, file: 1, hardlink: 1, fifo: 1 };

/** What is in it, directory by directory; also while no workspace runs. */
export function FilesPart({ project }: { project: Project }) {
  const [path, setPath] = useState('');
  const [loading, setLoading] = useState<string>();
  const files = useFiles(project.id, path);
  const steps = path ? path.split('/') : [];
  // A directory’s button goes when it is opened: the focus goes to its name above.
  const way = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    if (path && isLost()) way.current?.querySelector<HTMLElement>('[aria-current]')?.focus();
  }, [path]);
  const save = async (name: string) => {
    setLoading(name);
    await download(`/api/projects/${project.id}/files/content?path=${encodeURIComponent(join(path, name))}`, name).catch((problem) => tellProblem(`${name} could not be downloaded`, problem));
    setLoading(undefined);
  };
  const without = files.error instanceof Problem && ['project_has_no_volume', 'volume_missing'].includes(files.error.code) && path === '';
  if (without) return <Empty icon={Folder} title="No files yet.">They are there once a workspace has started with this project.</Empty>;
  const entries = [...(files.data?.entries ?? [])].sort((a, b) => rank[a.type] - rank[b.type] || a.name.localeCompare(b.name, undefined, { numeric: true }));
  return (
    <div className="overflow-hidden rounded-2xl border border-line bg-surface shadow-card">
      <div className="flex items-center gap-1 border-b border-line px-2 py-1">
        <IconButton label="Up" icon={ArrowUp} off={steps.length === 0} onClick={() => setPath(steps.slice(0, -1).join('/'))} />
        <nav ref={way} aria-label="Path" className="min-w-0 grow overflow-x-auto">
          <ol className="flex items-center text-sm whitespace-nowrap">
            {['', ...steps].map((step, index) => (
              <li key={index} className="flex items-center">
                {index > 0 && <span aria-hidden className="text-muted">/</span>}
                <button type="button" aria-current={index === steps.length ? 'location' : undefined} className="rounded px-1.5 py-0.5 hover:bg-raised aria-[current]:font-medium" onClick={() => setPath(steps.slice(0, index).join('/'))}>
                  {step || 'Files'}
                </button>
              </li>
            ))}
          </ol>
        </nav>
        <IconButton label="Read again" icon={RefreshCw} busy={files.isFetching && !files.isPending} onClick={() => readAnew(files, 'The files')} />
      </div>
      {files.isPending && <div className="p-4"><Skeleton className="h-40" /></div>}
      {files.isLoadingError && <div className="p-4"><Failed what="The files" problem={files.error} again={files.refetch} /></div>}
      {files.data && entries.length === 0 && <p className="px-4 py-10 text-center text-sm text-muted">Nothing is in here.</p>}
      {entries.length > 0 && (
        <ul className="divide-y divide-line">
          {entries.map((entry) => {
            const Icon = entry.type === 'directory' ? Folder : entry.type === 'link' ? Link2 : File;
            const isFile = entry.type === 'file' || entry.type === 'hardlink';
            return (
              <li key={entry.name} className="flex min-h-11 items-center gap-3 pr-2 pl-4 text-sm">
                <Icon aria-hidden className={`size-4 shrink-0 ${entry.type === 'directory' ? 'text-accent' : 'text-muted'}`} />
                <div className="min-w-0 grow truncate">
                  {entry.type === 'directory' ? (
                    <button type="button" className="max-w-full truncate py-2 font-medium hover:underline" onClick={() => setPath(join(path, entry.name))}>{entry.name}</button>
                  ) : (
                    entry.name
                  )}
                  {entry.target && <span className="text-muted"> → {entry.target}</span>}
                </div>
                <span className="tabular w-16 shrink-0 text-right text-muted">{isFile ? bytes(entry.size) : ''}</span>
                <span className="w-28 shrink-0 text-right text-muted max-sm:hidden"><Ago time={entry.modifiedAt} /></span>
                <span className="size-9 shrink-0">{isFile && <IconButton label={`Download ${entry.name}`} icon={Download} busy={loading === entry.name} onClick={() => void save(entry.name)} />}</span>
              </li>
            );
          })}
        </ul>
      )}
      {files.data && !files.data.complete && <Notice kind="info" className="m-3">There is more in this directory than is shown here.</Notice>}
    </div>
  );
}
