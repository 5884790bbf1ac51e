import { Archive, ChevronLeft, Files, Info } from 'lucide-react';
import type { ReactNode } from 'react';
import { useState } from 'react';

import { bytes, plural } from '@/base/format';
import { tellNews, tellProblem } from '@/base/outcomes';
import { navigate } from '@/base/router';
import { assignProject, changeProject, measure, unassignProject, useProjects, useVolume } from '@/data/projects';
import type { Project } from '@/data/types';
import { useTypes, useWorkspaces } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { useDraft } from '@/parts/draft';
import { SelectField, TextArea, TextField } from '@/parts/field';
import { Form } from '@/parts/form';
import { Link } from '@/parts/link';
import { Failed, Notice } from '@/parts/notice';
import { Card, Skeleton, Title } from '@/parts/page';
import { PartNav } from '@/parts/part_nav';
import { Ago } from '@/parts/time';

import { NotFound } from '../not_found';
import { BackupsPart } from './backups';
import { FilesPart } from './files';
import { confirmDeleteProject, ProjectMenu } from './project_menu';
import { usesOf } from './use_of';

const parts = [
  { name: '', label: 'Files', icon: Files, part: FilesPart },
  { name: 'backups', label: 'Backups', icon: Archive, part: BackupsPart },
  { name: 'settings', label: 'About', icon: Info, part: AboutPart },
];

export function ProjectScreen({ id, part = '' }: { id: string; part?: string }) {
  const projects = useProjects();
  const { data: workspaces = [] } = useWorkspaces();
  if (projects.isPending) return <div className="grid grid-cols-1 gap-4"><Skeleton className="h-10" /><Skeleton className="h-72" /></div>;
  if (projects.isLoadingError) return <Failed what="The project" problem={projects.error} again={projects.refetch} />;
  const project = projects.data.find((each) => each.id === id);
  const shown = parts.find((each) => each.name === part);
  if (!project || !shown) return <NotFound what="There is no such project of yours." />;
  const base = `/projects/${id}`;
  const use = usesOf(workspaces)(project);
  return (
    <>
      <Title
        above={<Link to="/projects" className="mb-1 -ml-1 inline-flex items-center gap-1 rounded pr-1 text-sm text-muted hover:text-text"><ChevronLeft aria-hidden className="size-4" />Projects</Link>}
        below={<p className="mt-1 text-sm text-muted">{use.text}</p>}
        actions={<ProjectMenu project={project} use={use} onDelete={() => navigate('/projects')} />}
      >
        {project.name}
      </Title>
      <PartNav of="project" places={parts} part={part} path={(name) => (name ? `${base}/${name}` : base)} className="mb-5" />
      <shown.part project={project} />
    </>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <>
    <dt className="text-muted">{name}</dt>
    <dd className="min-w-0 wrap-anywhere">{children}</dd>
  </>
);

function AboutPart({ project }: { project: Project }) {
  const { data: workspaces = [] } = useWorkspaces();
  const { busy, text } = usesOf(workspaces)(project);
  const { shown, field, saved } = useDraft({ name: project.name, description: project.description ?? '' });
  return (
    <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
      <Card title="General">
        <Form
          act={async () => {
            await changeProject(project.id, { name: shown.name.trim(), description: shown.description.trim() });
            saved();
            tellNews('The project is saved.');
          }}
        >
          {(saving) => (
            <>
              <TextField label="Name" required maxLength={100} autoComplete="off" {...field('name')} />
              <TextArea label="Description" maxLength={2000} {...field('description')} />
              <div><Button type="submit" look="primary" busy={saving}>Save</Button></div>
            </>
          )}
        </Form>
      </Card>
      <div className="grid grid-cols-1 gap-4">
        <Volume project={project} />
        <Assignment project={project} />
        <Card title="Danger zone" danger>
          <div className="flex flex-wrap items-center gap-3">
            <p className="min-w-0 grow basis-48 text-sm text-muted">{busy ? `${text}: stop that first.` : 'Its files go to the trash, from where they can be restored for a while.'}</p>
            <Button look="danger" off={busy} onClick={() => confirmDeleteProject(project, () => navigate('/projects'))}>Delete project…</Button>
          </div>
        </Card>
      </div>
    </div>
  );
}

function Volume({ project }: { project: Project }) {
  const volume = useVolume(project.id);
  const [measuring, setMeasuring] = useState(false);
  const again = async () => {
    setMeasuring(true);
    await measure(project.id).catch((problem) => tellProblem('The volume could not be measured', problem));
    setMeasuring(false);
  };
  const data = volume.data;
  return (
    <Card title="Volume" actions={<Button size="small" busy={measuring} onClick={() => void again()}>Measure</Button>}>
      {volume.isLoadingError && <Failed what="The volume" problem={volume.error} again={volume.refetch} />}
      {data && !data.engineAnswers && <Notice kind="warn" className="mb-3">The container engine does not answer: this is what was seen last.</Notice>}
      {data && data.engineAnswers && !data.exists && <Notice kind="warn" className="mb-3">It has no files yet: they are there once a workspace has started with it.</Notice>}
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-2 text-sm">
        <Fact name="Size">{data?.usage ? `${bytes(data.usage.sizeBytes)} in ${plural(data.usage.files, 'file')}` : 'Not measured yet'}</Fact>
        {data?.usage && <Fact name="Measured"><Ago time={data.usage.measuredAt} /></Fact>}
        <Fact name="Name"><code className="text-xs">{data?.name ?? project.volumeName ?? '–'}</code></Fact>
        <Fact name="Created"><Ago time={project.createdAt} /></Fact>
      </dl>
    </Card>
  );
}

/** To which workspace it belongs; that decides which type it is for. */
function Assignment({ project }: { project: Project }) {
  const { data: workspaces = [] } = useWorkspaces();
  const { data: types = [] } = useTypes();
  const fits = workspaces.filter((each) => !project.workspaceType || each.type === project.workspaceType);
  const [busy, setBusy] = useState(false);
  const put = async (to: string) => {
    setBusy(true);
    try {
      if (to) await assignProject(to, project.id);
      else if (project.workspaceId) await unassignProject(project.workspaceId, project.id);
      tellNews(to ? `${project.name} is assigned to ${workspaces.find((each) => each.id === to)?.name}.` : `${project.name} is assigned to no workspace.`);
    } catch (problem) {
      tellProblem(`${project.name} could not be assigned`, problem);
    }
    setBusy(false);
  };
  const type = types.find((each) => each.type === project.workspaceType)?.name ?? project.workspaceType;
  return (
    <Card title="Assignment">
      <SelectField
        label="Workspace"
        value={project.workspaceId ?? ''}
        disabled={busy}
        aria-busy={busy || undefined}
        onChange={(event) => void put(event.target.value)}
        hint={type ? `It is for workspaces of the type ${type}. Taking it from its workspace lets any type open it.` : 'Assigned, it is for workspaces of that type only. To work on it, no assignment is needed.'}
      >
        <option value="">None</option>
        {fits.map((each) => <option key={each.id} value={each.id}>{each.name}</option>)}
      </SelectField>
    </Card>
  );
}
