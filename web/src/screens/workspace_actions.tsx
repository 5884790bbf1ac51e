// What can be done with a workspace, as buttons and as a menu's entries: the same wherever it shows.
import { EllipsisVertical, ExternalLink, Play, RotateCcw, Settings, Square, Star, Trash2 } from 'lucide-react';

import { useLayoutEffect, useRef } from 'react';

import { tellNews, tellProblem } from '@/base/outcomes';
import { navigate } from '@/base/router';
import { ask } from '@/data/changes';
import type { Phase, Workspace, WorkspaceType } from '@/data/types';
import { isBusy, isOpenable, makeDefault, type Seen } from '@/data/workspaces';
import { Button, IconButton } from '@/parts/button';
import { confirm } from '@/parts/dialog';
import { Menu } from '@/parts/menu';

import { openApplication } from './open_application';

const ending: Partial<Record<Phase, string>> = { stopping: 'Stopping…', deleting: 'Deleting…' };

/** Asks, and says what is kept. */
export function confirmDelete(workspace: Workspace, type: WorkspaceType | undefined, after?: () => void) {
  const running = workspace.phase !== 'stopped' && workspace.phase !== 'failed';
  confirm({
    title: `Delete the workspace “${workspace.name}”?`,
    text: (
      <ul className="list-disc space-y-1 pl-5">
        {running && <li>It is stopped first.</li>}
        <li>The files of its project stay: another workspace can open them.</li>
        {type?.homePath && <li>The settings that it keeps for itself go to the trash, from where the workspace can be restored.</li>}
      </ul>
    ),
    verb: 'Delete workspace',
    act: () => {
      void ask('delete', workspace);
      after?.();
    },
  });
}

/** Open or start, and stop. */
/** `stays`: what cannot be stopped has that button, too, so that nothing beside it moves. */
export function MainButtons({ seen, size = 'normal', stays = false }: { seen: Seen; size?: 'normal' | 'small'; stays?: boolean }) {
  const { workspace, phase } = seen;
  const busy = isBusy(phase);
  const openable = isOpenable(phase);
  const canStop = openable || busy;
  const main = useRef<HTMLButtonElement>(null);
  const stop = useRef<HTMLButtonElement>(null);
  // A button that goes while it has the focus leaves it to its neighbour.
  const leaves = !canStop && !stays && stop.current !== null && stop.current === document.activeElement;
  useLayoutEffect(() => {
    if (leaves) main.current?.focus();
  }, [leaves]);
  return (
    <>
      <Button
        ref={main}
        look="primary"
        size={size}
        icon={openable ? ExternalLink : Play}
        busy={busy && !openable}
        // As wide as its longest word: the next button does not move.
        className="min-w-30"
        // The second click of a double click meant the button as it was before the first.
        onClick={(event) => event.detail <= 1 && void (openable ? openApplication(workspace) : ask('start', workspace))}
      >
        {openable ? 'Open' : busy ? (ending[phase] ?? 'Starting…') : 'Start'}
      </Button>
      {(canStop || stays) && (
        <Button ref={stop} size={size} icon={Square} off={!canStop || phase in ending} onClick={(event) => event.detail <= 1 && void ask('stop', workspace)}>Stop</Button>
      )}
    </>
  );
}

export function WorkspaceMenu({ seen, type, onDelete }: { seen: Seen; type: WorkspaceType | undefined; onDelete?: () => void }) {
  const { workspace, phase } = seen;
  const setDefault = () => makeDefault(workspace.id).then(() => tellNews(`${workspace.name} is the default now.`), (problem) => tellProblem(`${workspace.name} could not be made the default`, problem));
  return (
    <Menu
      trigger={<IconButton label={`More for ${workspace.name}`} icon={EllipsisVertical} />}
      entries={[
        { label: 'Restart', icon: RotateCcw, act: () => void ask('restart', workspace), off: phase !== 'running' && 'It is not running.' },
        ...(workspace.isDefault ? [] : [{ label: 'Make default', icon: Star, act: () => void setDefault() }]),
        { label: 'Settings', icon: Settings, act: () => navigate(`/workspaces/${workspace.id}/settings`) },
        'line',
        { label: 'Delete…', icon: Trash2, danger: true, act: () => confirmDelete(workspace, type, onDelete), off: phase === 'deleting' && 'It is being deleted.' },
      ]}
    />
  );
}
