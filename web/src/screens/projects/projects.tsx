import { FolderGit2, Plus, Upload } from 'lucide-react';
import { memo, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';

import { tellNews } from '@/base/outcomes';
import { navigate, useSearch } from '@/base/router';
import { createProject, importProject, useProjects } from '@/data/projects';
import type { Project } from '@/data/types';
import { useTypes, useWorkspaces } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { Cancel, Dialog, DialogEnd } from '@/parts/dialog';
import { TextArea, TextField } from '@/parts/field';
import { useFocusKept } from '@/parts/focus';
import { Form, textOf } from '@/parts/form';
import { Link } from '@/parts/link';
import { Failed, Notice } from '@/parts/notice';
import { Empty, Skeleton, Title } from '@/parts/page';
import { SearchField } from '@/parts/search';
import { Ago } from '@/parts/time';

import { ProjectMenu } from './project_menu';
import { usesOf } from './use_of';

const atOnce = 24;

/** All projects: which are in use, and what can be done with each. */
export function ProjectsScreen() {
  const projects = useProjects();
  const { data: workspaces = [] } = useWorkspaces();
  const { data: types = [] } = useTypes();
  const search = useSearch();
  const [creating, setCreating] = useState(false);
  const [importing, setImporting] = useState(false);
  const [sought, setSought] = useState('');
  useEffect(() => {
    if (!new URLSearchParams(search).has('new')) return;
    setCreating(true);
    navigate('/projects', { replace: true });
  }, [search]);
  const list = projects.data;
  useFocusKept(list?.length);
  const shown = useMemo(() => (list ?? []).filter((each) => each.name.toLowerCase().includes(sought.trim().toLowerCase())), [list, sought]);
  // With a thousand the screen is there at once, with those that fit on it; the others follow, and a key in the search waits for none.
  const drawn = useDeferredValue(shown, shown.slice(0, atOnce));
  const useOf = useMemo(() => usesOf(workspaces), [workspaces]);
  const nameOf = (type: string | null) => types.find((each) => each.type === type)?.name ?? type;
  return (
    <>
      <Title
        actions={
          <>
            <Button icon={Upload} onClick={() => setImporting(true)}>Import</Button>
            <Button look="primary" icon={Plus} onClick={() => setCreating(true)}>New project</Button>
          </>
        }
      >
        Projects
      </Title>
      {projects.isPending && <Skeleton className="mb-2 h-16" count={4} />}
      {projects.isLoadingError && <Failed what="Your projects" problem={projects.error} again={projects.refetch} />}
      {list?.length === 0 && (
        <Empty icon={FolderGit2} title="No project yet." action={<Button look="primary" icon={Plus} onClick={() => setCreating(true)}>New project</Button>}>
          A project holds the files that you work on. Any workspace can open it, and it stays when the workspace goes.
        </Empty>
      )}
      {list && list.length > 8 && <SearchField label="Search projects" value={sought} onChange={setSought} className="mb-3 max-w-sm" />}
      {list && list.length > 0 && (
        <ul id="projects" className="divide-y divide-line rounded-2xl border border-line bg-surface shadow-card">
          {drawn.map((project) => {
            const { text, busy } = useOf(project);
            return <Row key={project.id} project={project} text={text} busy={busy} type={nameOf(project.workspaceType)} />;
          })}
          {shown.length === 0 && <li className="px-4 py-6 text-center text-sm text-muted">No project has this name.</li>}
        </ul>
      )}
      <Dialog open={creating} onClose={() => setCreating(false)} title="New project">
        <Form
          act={async (fields) => {
            const project = await createProject({ name: textOf(fields, 'name') ?? '', description: textOf(fields, 'description') });
            setCreating(false);
            tellNews(`${project.name} is created. Choose it in a workspace to work on it.`);
          }}
        >
          {(busy) => (
            <>
              <TextField label="Name" name="name" required maxLength={100} autoComplete="off" />
              <TextArea label="Description" name="description" maxLength={2000} />
              <DialogEnd>
                <Cancel />
                <Button type="submit" look="primary" busy={busy}>Create project</Button>
              </DialogEnd>
            </>
          )}
        </Form>
      </Dialog>
      <ImportDialog open={importing} onClose={() => setImporting(false)} />
    </>
  );
}

/** Drawn anew when something of it changes, not whenever a workspace does. */
const Row = memo(function Row({ project, text, busy, type }: { project: Project; text: string; busy: boolean; type: string | null }) {
  return (
    <li className="flex items-center gap-3 py-2.5 pr-2 pl-4 [content-visibility:auto] [contain-intrinsic-size:auto_4rem]">
      <FolderGit2 aria-hidden className="size-5 shrink-0 text-muted" />
      <div className="min-w-0 grow">
        <h2 className="truncate font-medium"><Link to={`/projects/${project.id}`} className="hover:underline">{project.name}</Link></h2>
        <p className="truncate text-sm text-muted">{text}{type && ` · for ${type}`} · created <Ago time={project.createdAt} /></p>
      </div>
      <ProjectMenu project={project} use={{ text, busy }} />
    </li>
  );
});

function ImportDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const file = useRef<HTMLInputElement>(null);
  const [name, setName] = useState('');
  return (
    <Dialog open={open} onClose={onClose} title="Import a project" description="An archive that a server like this exported, or any tar archive, plain or compressed by gzip or zstd.">
      <Form
        act={async () => {
          const chosen = file.current?.files?.[0];
          if (!chosen) throw new Error('Choose the archive.');
          const project = await importProject(name.trim() || 'Imported project', chosen);
          onClose();
          tellNews(`${project.name} is imported.`);
          navigate(`/projects/${project.id}`);
        }}
      >
        {(busy) => (
          <>
            <TextField label="Archive" type="file" ref={file} accept=".tar,.gz,.tgz,.zst,.tzst" className="py-1.5" onChange={(event) => setName((now) => now || (event.target.files?.[0]?.name ?? '').replace(/\.(tar|tgz|tzst)?(\.(gz|zst))?$/i, ''))} />
            <TextField label="Name" value={name} onChange={(event) => setName(event.target.value)} maxLength={100} autoComplete="off" />
            {busy && <Notice kind="info">The archive is being sent and unpacked. Keep this page open.</Notice>}
            <DialogEnd>
              <Cancel />
              <Button type="submit" look="primary" busy={busy}>Import</Button>
            </DialogEnd>
          </>
        )}
      </Form>
    </Dialog>
  );
}
