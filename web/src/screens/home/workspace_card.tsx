import { memo, useId, useRef } from 'react';

import type { Workspace, WorkspaceType } from '@/data/types';
import { useUsage } from '@/data/usage';
import { useSeen } from '@/data/workspaces';
import { Link } from '@/parts/link';
import { Badge } from '@/parts/page';
import { ProjectSelect } from '@/parts/project_select';
import { ProgressBar, StatusPill } from '@/parts/status';
import { TypeIcon } from '@/parts/type_icon';
import { UsageLines } from '@/parts/usage_line';
import { useVisible } from '@/parts/visible';

import { MainButtons, WorkspaceMenu } from '../workspace_actions';

export const WorkspaceCard = memo(function WorkspaceCard({ workspace, type }: { workspace: Workspace; type: WorkspaceType | undefined }) {
  const id = useId();
  const card = useRef<HTMLElement>(null);
  const visible = useVisible(card);
  const seen = useSeen(workspace);
  const running = seen.phase === 'running' || seen.phase === 'switching';
  const samples = useUsage(workspace.id, visible && running);
  return (
    <article ref={card} aria-labelledby={id} className="flex min-w-0 grow flex-col overflow-hidden rounded-2xl border border-line bg-surface shadow-card">
      <ProgressBar seen={seen} />
      <div className="flex grow flex-col gap-3 px-4 pt-3.5 pb-4">
        <div className="flex items-start gap-3">
          <TypeIcon icon={type?.icon} />
          <div className="min-w-0 grow">
            <h2 id={id} className="truncate font-semibold">
              <Link to={`/workspaces/${workspace.id}`} className="hover:underline">{workspace.name}</Link>
            </h2>
            <p className="flex items-center gap-2 truncate text-sm text-muted">
              {type?.name ?? workspace.type}
              {workspace.isDefault && <Badge>Default</Badge>}
            </p>
          </div>
          <WorkspaceMenu seen={seen} type={type} />
        </div>
        <ProjectSelect seen={seen} />
        {/* A line of its own, and what is below always as high: neither a status nor a number nor a problem moves anything. */}
        <div className="flex h-6 items-center"><StatusPill seen={seen} /></div>
        <div className="flex min-h-15 grow flex-col justify-end">
          {running ? (
            <UsageLines samples={samples} />
          ) : workspace.lastError && seen.phase === 'failed' ? (
            <p className="problem line-clamp-3 text-sm wrap-anywhere text-bad" title={workspace.lastError}>{workspace.lastError}</p>
          ) : (
            workspace.description && <p className="line-clamp-2 text-sm text-muted">{workspace.description}</p>
          )}
        </div>
        <div className="flex items-center gap-2">
          <MainButtons seen={seen} size="small" />
        </div>
      </div>
    </article>
  );
});
