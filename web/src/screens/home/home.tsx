import { Boxes, Plus } from 'lucide-react';
import { useDeferredValue, useEffect, useMemo, useState } from 'react';

import { navigate, usePath, useSearch } from '@/base/router';
import { useProjects } from '@/data/projects';
import { useTypes, useWorkspaces } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { useFocusKept } from '@/parts/focus';
import { Failed } from '@/parts/notice';
import { Empty, Skeleton, Title } from '@/parts/page';
import { SearchField } from '@/parts/search';

import { OpenAsked } from './open_asked';
import { CreateWorkspace } from './create_workspace';
import { WorkspaceCard } from './workspace_card';

const atOnce = 24;

/** All workspaces: what each is doing, and what can be done with it. */
export function Home() {
  const workspaces = useWorkspaces();
  const types = useTypes();
  useProjects();
  const search = useSearch();
  const path = usePath();
  const [sought, setSought] = useState('');
  const [creating, setCreating] = useState(false);
  // The palette's "New workspace" is an address, so that it works from every screen.
  useEffect(() => {
    if (!new URLSearchParams(search).has('new')) return;
    setCreating(true);
    navigate(path, { replace: true });
  }, [search, path]);
  const create = () => setCreating(true);
  const list = workspaces.data;
  const shown = useMemo(() => (list ?? []).filter((each) => each.name.toLowerCase().includes(sought.trim().toLowerCase())), [list, sought]);
  // With hundreds the screen is there at once, with those that fit on it; the others follow, and a key in the search waits for none.
  const drawn = useDeferredValue(shown, shown.slice(0, atOnce));
  useFocusKept(list?.length);
  return (
    <>
      <Title actions={list && list.length > 0 && <Button look="primary" icon={Plus} onClick={create}>New workspace</Button>}>Workspaces</Title>
      {workspaces.isPending && <div className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,22rem),1fr))] gap-4"><Skeleton count={3} className="h-72" /></div>}
      {workspaces.isLoadingError && <Failed what="Your workspaces" problem={workspaces.error} again={workspaces.refetch} />}
      {list?.length === 0 && (
        <Empty icon={Boxes} title="No workspace yet." action={<Button look="primary" icon={Plus} onClick={create}>Create your first workspace</Button>}>
          A workspace is an application, VS Code say, that runs on this server and works on a project: its files stay when it stops, and another workspace can open them.
        </Empty>
      )}
      {list && list.length > 8 && <SearchField label="Search workspaces" value={sought} onChange={setSought} className="mb-4 max-w-sm" />}
      {list && list.length > 0 && shown.length === 0 && <p className="py-10 text-center text-sm text-muted">No workspace has this name.</p>}
      {list && list.length > 0 && (
        <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,22rem),1fr))] gap-4">
          {drawn.map((workspace) => (
            <li key={workspace.id} className="flex min-w-0 [content-visibility:auto] [contain-intrinsic-size:auto_18rem]">
              <WorkspaceCard workspace={workspace} type={types.data?.find((each) => each.type === workspace.type)} />
            </li>
          ))}
        </ul>
      )}
      <CreateWorkspace open={creating} onClose={() => setCreating(false)} />
      {list && <OpenAsked workspaces={list} />}
    </>
  );
}
