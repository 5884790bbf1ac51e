import { Copy, EllipsisVertical, FileArchive, Trash2 } from 'lucide-react';

import { day } from '@/base/format';
import { tellNews, tellProblem } from '@/base/outcomes';
import { keys, queryClient } from '@/data/client';
import { cloneProject } from '@/data/project_operations';
import { deleteProject, download, readTrash } from '@/data/projects';
import type { Project, TrashedVolume } from '@/data/types';
import { IconButton } from '@/parts/button';
import { confirm } from '@/parts/dialog';
import { Menu } from '@/parts/menu';

import type { Use } from './use_of';

export function confirmDeleteProject(project: Project, after?: () => void) {
  confirm({
    title: `Delete the project “${project.name}”?`,
    text: 'Its files go to the trash, from where they can be restored for a while. Its backups stay.',
    verb: 'Delete project',
    act: async () => {
      await deleteProject(project.id);
      after?.();
      const trash = await queryClient.fetchQuery<TrashedVolume[]>({ queryKey: keys.trash, queryFn: readTrash, staleTime: 0 }).catch(() => []);
      const until = trash.find((each) => each.ownerId === project.id)?.purgeAfter;
      tellNews(until ? `${project.name} is in the trash, where it can be restored until ${day(until)}.` : `${project.name} is in the trash.`);
    },
  });
}

export const clone = (project: Project) =>
  cloneProject(project, `Copy of ${project.name}`.slice(0, 100)).then((goesOn) => goesOn && tellNews(`${project.name} is being copied.`), (problem) => tellProblem(`${project.name} could not be copied`, problem));

export const exportProject = (project: Project) => {
  tellNews(`The archive of ${project.name} is being made. The download begins by itself.`);
  return download(`/api/projects/${project.id}/export`, `${project.name}.tar.zst`).catch((problem) => tellProblem(`${project.name} could not be exported`, problem));
};

export function ProjectMenu({ project, use: { busy, text }, onDelete }: { project: Project; use: Use; onDelete?: () => void }) {
  return (
    <Menu
      trigger={<IconButton label={`More for ${project.name}`} icon={EllipsisVertical} />}
      entries={[
        { label: 'Clone', icon: Copy, act: () => void clone(project) },
        { label: 'Export', icon: FileArchive, act: () => void exportProject(project) },
        'line',
        { label: 'Delete…', icon: Trash2, danger: true, act: () => confirmDeleteProject(project, onDelete), off: busy && `${text}: stop that first.` },
      ]}
    />
  );
}
