import { useId, useLayoutEffect, useMemo, useState, type KeyboardEvent } from 'react';

import { ask } from '@/data/changes';
import { useProjectName, useProjects } from '@/data/projects';
import type { Project } from '@/data/types';
import { compatible, isBusy, useWorkspaces, userOf, type Seen } from '@/data/workspaces';

const chooses = (event: KeyboardEvent) => event.key.length === 1 || event.key.startsWith('Arrow') || ['Home', 'End', 'PageUp', 'PageDown'].includes(event.key);

/** Which project a workspace works on. Another one chosen switches it, also while it runs. */
export function ProjectSelect({ seen, hideLabel = false, className = '' }: { seen: Seen; hideLabel?: boolean; className?: string }) {
  const id = useId();
  const { workspace, projectId } = seen;
  const name = useProjectName(projectId);
  // All projects in each of two hundred lists would be forty thousand lines that nobody looks at: they are there once
  // somebody is at the list, by key, mouse or finger.
  const [used, setUsed] = useState(false);
  const use = () => setUsed(true);
  const [choices, setChoices] = useState<readonly Project[]>([]);
  return (
    <div className={`min-w-0 ${className}`}>
      <label htmlFor={id} className={hideLabel ? 'sr-only' : 'mb-0.5 block text-xs text-muted'}>Project</label>
      <select
        id={id}
        value={projectId ?? ''}
        disabled={seen.phase === 'deleting'}
        aria-busy={(isBusy(seen.phase) && seen.change?.kind === 'switch') || undefined}
        className="w-full min-h-8 truncate rounded-lg border border-line bg-surface px-2 text-sm hover:border-edge"
        onFocus={use}
        onPointerEnter={use}
        onChange={(event) => {
          const project = choices.find((each) => each.id === event.target.value);
          if (project && project.id !== projectId) void ask('switch', workspace, { project });
        }}
        // A key would choose the next project at once, and the workspace would switch: it opens the list instead.
        onKeyDown={(event) => {
          if (!chooses(event) || event.ctrlKey || event.metaKey || !event.currentTarget.showPicker) return;
          event.preventDefault();
          event.currentTarget.showPicker();
        }}
      >
        {!projectId && <option value="" disabled>None yet: it gets one when it starts</option>}
        {projectId && <option value={projectId}>{name ?? '…'}</option>}
        {used && <Others seen={seen} tell={setChoices} />}
      </select>
    </div>
  );
}

/** Those that it could work on instead. */
function Others({ seen, tell }: { seen: Seen; tell: (choices: readonly Project[]) => void }) {
  const { data: projects } = useProjects();
  const { data: workspaces = [] } = useWorkspaces();
  const { workspace, projectId } = seen;
  const others = useMemo(() => compatible(projects ?? [], workspace.type).filter((each) => each.id !== projectId), [projects, workspace.type, projectId]);
  useLayoutEffect(() => tell(others), [others, tell]);
  return others.map((project) => {
    const other = userOf(project, workspaces, workspace.id);
    return <option key={project.id} value={project.id} disabled={Boolean(other)}>{other ? `${project.name} (in use by ${other.name})` : project.name}</option>;
  });
}
