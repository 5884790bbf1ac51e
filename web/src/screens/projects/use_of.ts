import type { Project, Workspace } from '@/data/types';
import { isAtWork } from '@/data/workspaces';

/** Whether and by whom a project is used, as a sentence; one in use cannot be deleted. */
export interface Use {
  text: string;
  busy: boolean;
}
const unused: Use = { text: 'Not in use', busy: false };

/** Of all projects at once: each id that a workspace has, with its use. */
export function usesOf(workspaces: readonly Workspace[]): (project: Pick<Project, 'id'>) => Use {
  const users = new Map<string, Workspace[]>();
  for (const each of workspaces) {
    if (!each.currentProjectId) continue;
    const others = users.get(each.currentProjectId);
    if (others) others.push(each);
    else users.set(each.currentProjectId, [each]);
  }
  return ({ id }) => {
    const of = users.get(id);
    if (!of) return unused;
    const busy = of.some(isAtWork);
    return { busy, text: `${busy ? 'In use by' : 'Current project of'} ${of.map((each) => each.name).join(', ')}` };
  };
}
