import { Activity, AppWindow, ChevronLeft, FileText, History, Network, Settings, SquareTerminal } from 'lucide-react';
import { lazy, Suspense, useState, type ComponentType } from 'react';

import { navigate } from '@/base/router';
import type { Workspace, WorkspaceType } from '@/data/types';
import { useSeen, useTypes, useWorkspaces, type Seen } from '@/data/workspaces';
import { Link } from '@/parts/link';
import { Failed, Notice } from '@/parts/notice';
import { Badge, Skeleton, Title } from '@/parts/page';
import { PartNav, type PartPlace } from '@/parts/part_nav';
import { ProjectSelect } from '@/parts/project_select';
import { ProgressBar, StatusPill } from '@/parts/status';
import { TypeIcon } from '@/parts/type_icon';

import { NotFound } from '../not_found';
import { MainButtons, WorkspaceMenu } from '../workspace_actions';
import { ApplicationPart } from './application';
import { HistoryPart } from './history';
import { LogsPart } from './logs';
import { Overview } from './overview';
import { PortsPart } from './ports';
import { SettingsPart } from './settings';

/** What each part of the screen is given. */
export interface PartProps {
  seen: Seen;
  type: WorkspaceType | undefined;
}

interface Part extends PartPlace {
  part: ComponentType<PartProps>;
}
const TerminalPart = lazy(async () => ({ default: (await import('./terminal')).TerminalPart }));
const parts: Part[] = [
  { name: '', label: 'Overview', icon: Activity, part: Overview },
  { name: 'application', label: 'Application', icon: AppWindow, part: ApplicationPart },
  { name: 'logs', label: 'Logs', icon: FileText, part: LogsPart },
  { name: 'terminal', label: 'Terminal', icon: SquareTerminal, part: TerminalPart },
  { name: 'ports', label: 'Ports', icon: Network, part: PortsPart },
  { name: 'history', label: 'History', icon: History, part: HistoryPart },
  { name: 'settings', label: 'Settings', icon: Settings, part: SettingsPart },
];

export function WorkspaceScreen({ id, part = '' }: { id: string; part?: string }) {
  const workspaces = useWorkspaces();
  if (workspaces.isPending) return <div className="grid grid-cols-1 gap-4"><Skeleton className="h-10" /><Skeleton className="h-72" /></div>;
  if (workspaces.isLoadingError) return <Failed what="The workspace" problem={workspaces.error} again={workspaces.refetch} />;
  const workspace = workspaces.data.find((each) => each.id === id);
  if (!workspace) return <NotFound what="There is no such workspace of yours." />;
  return <Present key={id} workspace={workspace} part={part} />;
}

function Present({ workspace, part }: { workspace: Workspace; part: string }) {
  const { data: types } = useTypes();
  const type = types?.find((each) => each.type === workspace.type);
  const seen = useSeen(workspace);
  const shown = parts.find((each) => each.name === part);
  const base = `/workspaces/${workspace.id}`;
  // A shell goes on while somebody looks at another part; it ends with the screen.
  const [terminal, setTerminal] = useState(false);
  if (part === 'terminal' && !terminal) setTerminal(true);
  return (
    <>
      <Title
        above={<Link to="/workspaces" className="mb-1 -ml-1 inline-flex items-center gap-1 rounded pr-1 text-sm text-muted hover:text-text"><ChevronLeft aria-hidden className="size-4" />Workspaces</Link>}
        below={
          <div className="mt-1.5 flex flex-wrap items-center gap-x-3 gap-y-1.5 text-sm text-muted">
            <span className="inline-flex items-center gap-2"><TypeIcon icon={type?.icon} className="!size-6 !rounded-lg [&_svg]:size-3.5" />{type?.name ?? workspace.type}</span>
            <StatusPill seen={seen} />
            {workspace.isDefault && <Badge>Default</Badge>}
          </div>
        }
        actions={
          <>
            <ProjectSelect seen={seen} className="w-48 max-w-full" />
            <div className="flex items-center gap-2 self-end">
              <MainButtons seen={seen} stays />
              <WorkspaceMenu seen={seen} type={type} onDelete={() => navigate('/workspaces')} />
            </div>
          </>
        }
      >
        {workspace.name}
      </Title>
      <PartNav of="workspace" places={parts} part={part} path={(name) => (name ? `${base}/${name}` : base)} />
      <ProgressBar seen={seen} className="-mt-px" />
      {seen.phase === 'failed' && workspace.lastError && <Notice kind="bad" className="mt-4">{workspace.lastError}</Notice>}
      <div className="mt-5">
        {terminal && <div hidden={part !== 'terminal'}><Suspense fallback={<Skeleton className="h-72" />}><TerminalPart seen={seen} type={type} /></Suspense></div>}
        {part === 'terminal' ? null : shown ? <Suspense fallback={<Skeleton className="h-72" />}><shown.part seen={seen} type={type} /></Suspense> : <NotFound />}
      </div>
    </>
  );
}
