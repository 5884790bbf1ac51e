import type { Project, Workspace } from '@/data/types';
import { userOf } from '@/data/workspaces';

/** Whether and by whom a project is used, as a sentence; one in use cannot be deleted. */
export function usageOf(project: Project, workspaces: readonly Workspace[]): { text: string; busy: boolean } {
  const of = workspaces.filter((each) => each.currentProjectId === project.id).map((each) => each.name);
  const busy = userOf(project, workspaces) !== undefined;
  return { busy, text: of.length === 0 ? 'Not in use' : `${busy ? 'In use by' : 'Current project of'} ${of.join(', ')}` };
}
