import { Archive, Download, EllipsisVertical, FolderPlus, History, Trash2 } from 'lucide-react';
import { useState } from 'react';

import { bytes, moment, plural } from '@/base/format';
import { tellNews, tellProblem } from '@/base/outcomes';
import { backUp, deleteBackup, restoreBackup, useProjectOperations } from '@/data/project_operations';
import { download, useBackups } from '@/data/projects';
import type { Backup, Project, ProjectOperation } from '@/data/types';
import { useWorkspaces, userOf } from '@/data/workspaces';
import { Button, IconButton } from '@/parts/button';
import { Cancel, confirm, Dialog, DialogEnd } from '@/parts/dialog';
import { CheckField, TextField } from '@/parts/field';
import { useFocusKept } from '@/parts/focus';
import { Form, textOf } from '@/parts/form';
import { Menu } from '@/parts/menu';
import { Failed, Notice } from '@/parts/notice';
import { Badge, Empty, Skeleton } from '@/parts/page';
import { Ago } from '@/parts/time';

const doing: Record<ProjectOperation['kind'], string> = { backup: 'A backup is being made', restore: 'A backup is being restored', clone: 'A copy is being made', import: 'It is being imported' };

export function BackupsPart({ project }: { project: Project }) {
  const backups = useBackups(project.id);
  useFocusKept(backups.data?.length);
  const { data: operations = [] } = useProjectOperations(project.id);
  const [asking, setAsking] = useState(false);
  const current = operations.filter((each) => each.state === 'pending' || each.state === 'running');
  const failed = operations[0]?.state === 'failed' ? operations[0] : undefined;
  return (
    <div className="grid grid-cols-1 gap-4">
      <div className="flex flex-wrap items-center gap-3">
        <p className="min-w-0 grow text-sm text-muted">Copies of all its files, on the server. They stay when the project is deleted.</p>
        <Button look="primary" icon={Archive} onClick={() => setAsking(true)}>Back up now</Button>
      </div>
      {current.map((each) => <Progress key={each.id} operation={each} />)}
      {failed?.error && <Notice kind="bad">{failed.error}</Notice>}
      {backups.isPending && <Skeleton className="h-32" />}
      {backups.isLoadingError && <Failed what="The backups" problem={backups.error} again={backups.refetch} />}
      {backups.data?.length === 0 && <Empty icon={Archive} title="No backup yet.">Make one before something risky: it can be restored into this project or into a new one.</Empty>}
      {backups.data && backups.data.length > 0 && (
        <ul className="divide-y divide-line rounded-2xl border border-line bg-surface shadow-card">
          {backups.data.map((each) => <Row key={each.id} project={project} backup={each} />)}
        </ul>
      )}
      <Dialog open={asking} onClose={() => setAsking(false)} title={`Back up “${project.name}”`}>
        <Form
          act={async (fields) => {
            await backUp(project, { name: textOf(fields, 'name'), pause: fields.has('pause') });
            setAsking(false);
          }}
        >
          {(busy) => (
            <>
              <TextField label="Name" name="name" maxLength={100} autoComplete="off" placeholder="Before the upgrade, say" />
              <CheckField label="Pause what runs on it meanwhile" name="pause" defaultChecked hint="For a minute at most: then the copy is of one moment." />
              <DialogEnd>
                <Cancel />
                <Button type="submit" look="primary" busy={busy}>Back up</Button>
              </DialogEnd>
            </>
          )}
        </Form>
      </Dialog>
    </div>
  );
}

function Progress({ operation }: { operation: ProjectOperation }) {
  return (
    <div className="rounded-2xl border border-line bg-surface p-4 shadow-card">
      {/* That it began is said aloud; its end is an outcome. How far it is would be said again and again. */}
      <p className="mb-2 text-sm font-medium"><span role="status">{doing[operation.kind]}…</span> {operation.progress != null && <span className="tabular">{operation.progress} %</span>} <span className="font-normal text-muted">{operation.phase}</span></p>
      <div role="progressbar" aria-label={doing[operation.kind]} aria-valuemin={0} aria-valuemax={100} aria-valuenow={operation.progress ?? undefined} className="h-1.5 overflow-hidden rounded-full bg-accent-soft">
        {operation.progress == null ? <div className="h-full w-1/3 bg-accent animate-slide" /> : <div className="h-full rounded-full bg-accent transition-[width]" style={{ width: `${operation.progress}%` }} />}
      </div>
    </div>
  );
}

function Row({ project, backup }: { project: Project; backup: Backup }) {
  const { data: workspaces = [] } = useWorkspaces();
  const user = userOf(project, workspaces);
  const [busy, setBusy] = useState(false);
  const title = backup.name ?? moment(backup.createdAt);
  const save = async () => {
    setBusy(true);
    await download(`/api/projects/${project.id}/backups/${backup.id}/download`, `${project.name} ${backup.createdAt.slice(0, 10)}.tar.zst`).catch((problem) => tellProblem('The backup could not be downloaded', problem));
    setBusy(false);
  };
  const restore = () =>
    confirm({
      title: `Restore “${title}”?`,
      text: 'The project gets the backup’s files. What it has now goes to the trash, and comes back from there the same way.',
      verb: 'Restore',
      act: () => restoreBackup(project, backup.id),
    });
  const restoreApart = () =>
    restoreBackup(project, backup.id, { name: `${project.name}, ${title}`.slice(0, 100) }).then((goesOn) => goesOn && tellNews('It is being restored into a new project, which shows among the projects.'), (problem) => tellProblem('The backup could not be restored', problem));
  const complete = backup.state === 'complete';
  return (
    <li className="flex items-center gap-3 py-2.5 pr-2 pl-4">
      <Archive aria-hidden className="size-5 shrink-0 text-muted" />
      <div className="min-w-0 grow">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          <span className="truncate">{title}</span>
          {backup.state === 'failed' && <Badge kind="bad">Failed</Badge>}
          {backup.state === 'running' && <Badge kind="accent">Being made</Badge>}
          {backup.scheduled && <Badge>By schedule</Badge>}
          {complete && !backup.consistent && <Badge kind="warn">While it was in use</Badge>}
        </p>
        <p className="text-sm text-muted">{backup.error ?? (complete ? `${bytes(backup.sizeBytes)}, ${plural(backup.files, 'file')} of ${bytes(backup.contentBytes)} · ` : '')}{!backup.error && <Ago time={backup.createdAt} />}</p>
      </div>
      {complete && <IconButton label={`Download ${title}`} icon={Download} busy={busy} onClick={() => void save()} />}
      {backup.state !== 'running' && (
        <Menu
          trigger={<IconButton label={`More for ${title}`} icon={EllipsisVertical} />}
          entries={[
            ...(complete
              ? ([
                  { label: 'Restore…', icon: History, act: restore, off: user && `${user.name} works on the project: stop it first.` },
                  { label: 'Restore into a new project', icon: FolderPlus, act: () => void restoreApart() },
                  'line',
                ] as const)
              : []),
            { label: 'Delete…', icon: Trash2, danger: true, act: () => confirm({ title: `Delete “${title}”?`, text: 'The backup is removed for good: this cannot be undone. The project stays as it is.', verb: 'Delete backup', act: () => deleteBackup(project.id, backup.id) }) },
          ]}
        />
      )}
    </li>
  );
}
