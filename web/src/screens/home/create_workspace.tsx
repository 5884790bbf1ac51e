import { Rocket } from 'lucide-react';
import { useEffect, useState } from 'react';

import { megabytes } from '@/base/format';
import { tellNews } from '@/base/outcomes';
import { queryClient, keys } from '@/data/client';
import { ask } from '@/data/changes';
import { createProject, useProjects } from '@/data/projects';
import type { WorkspaceType } from '@/data/types';
import { compatible, createWorkspace, useTypes, useWorkspaces, userOf } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { Cancel, Dialog, DialogEnd } from '@/parts/dialog';
import { CheckField, SelectField, TextField } from '@/parts/field';
import { Form, textOf } from '@/parts/form';
import { Failed, Notice } from '@/parts/notice';
import { Skeleton } from '@/parts/page';
import { TypeIcon } from '@/parts/type_icon';

const own = 'own';
const named = 'named';

export function CreateWorkspace({ open, onClose }: { open: boolean; onClose: () => void }) {
  // Which images there are may have changed since the page was opened.
  useEffect(() => {
    if (open) void queryClient.invalidateQueries({ queryKey: keys.types });
  }, [open]);
  return (
    <Dialog open={open} onClose={onClose} title="New workspace" wide>
      <NewWorkspaceForm onClose={onClose} />
    </Dialog>
  );
}

function NewWorkspaceForm({ onClose }: { onClose: () => void }) {
  const types = useTypes();
  const { data: projects = [] } = useProjects();
  const { data: workspaces = [] } = useWorkspaces();
  const [picked, setPicked] = useState<string>();
  const [project, setProject] = useState(own);
  if (types.isPending) return <Skeleton className="h-40" />;
  if (types.isLoadingError) return <Failed what="The types of workspaces" problem={types.error} again={types.refetch} />;
  const available = types.data.filter((each) => each.available);
  const type = picked ?? available[0]?.type;
  const choices = compatible(projects, type);
  const wanted = choices.some((each) => each.id === project) || project === named ? project : own;

  const submit = async (fields: FormData) => {
    const projectId = wanted === own ? null : wanted === named ? (await createProject({ name: textOf(fields, 'projectName') ?? 'Project', description: null })).id : wanted;
    if (wanted === named && projectId) setProject(projectId);
    const workspace = await createWorkspace({ type: type ?? '', name: textOf(fields, 'name'), projectId });
    onClose();
    if (fields.has('start')) void ask('start', workspace);
    else tellNews(`${workspace.name} is created. Start it when you need it.`);
  };
  return (
    <Form act={submit} className="grid grid-cols-1 gap-5">
      {(busy) => (
        <>
          <fieldset>
            <legend className="mb-1.5 text-sm font-medium">Type</legend>
            <div className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,19rem),1fr))] gap-2">
              {[...available, ...types.data.filter((each) => !each.available)].map((each) => (
                <TypeChoice key={each.type} type={each} chosen={each.type === type} choose={() => setPicked(each.type)} />
              ))}
            </div>
          </fieldset>
          {available.length === 0 && <Notice kind="warn">No type can be started here yet: the server’s operator has to provide an image.</Notice>}
          <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
            <TextField label="Name" name="name" maxLength={100} autoComplete="off" placeholder="A name is made when you give none" />
            <SelectField label="Project" value={wanted} onChange={(event) => setProject(event.target.value)} hint="Its files. They stay when the workspace is deleted.">
              <option value={own}>A new one, named after the workspace</option>
              <option value={named}>A new one, with a name of its own…</option>
              {choices.map((each) => {
                const other = userOf(each, workspaces);
                return <option key={each.id} value={each.id} disabled={Boolean(other)}>{other ? `${each.name} (in use by ${other.name})` : each.name}</option>;
              })}
            </SelectField>
            {wanted === named && <TextField label="Name of the project" name="projectName" maxLength={100} required autoComplete="off" />}
          </div>
          <CheckField label="Start it now" name="start" defaultChecked />
          <DialogEnd>
            <Cancel />
            <Button type="submit" look="primary" icon={Rocket} busy={busy} off={!type}>Create workspace</Button>
          </DialogEnd>
        </>
      )}
    </Form>
  );
}

function TypeChoice({ type, chosen, choose }: { type: WorkspaceType; chosen: boolean; choose: () => void }) {
  const { cpus, memory } = type.resourceLimits;
  return (
    <label className="flex cursor-pointer items-start gap-3 rounded-xl border border-line p-3 has-checked:border-accent has-checked:ring-1 has-checked:ring-accent has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent has-disabled:cursor-default has-disabled:bg-raised">
      <input type="radio" name="type" className="sr-only" value={type.type} aria-label={type.name} checked={chosen} disabled={!type.available} onChange={choose} />
      <TypeIcon icon={type.icon} className={type.available ? '' : '!bg-line !text-muted'} />
      <span className="min-w-0">
        <span className="block font-medium">{type.name}</span>
        <span className="block text-[0.8125rem] text-muted">{type.available ? type.description : `Not available: this server has no image ${type.containerImage}`}</span>
        {type.available && <span className="mt-1 block text-xs text-muted">Up to {cpus} {cpus === 1 ? 'core' : 'cores'} · {megabytes(memory)} memory</span>}
      </span>
    </label>
  );
}
