import { useEffect } from 'react';

import { tellProblem } from '@/base/outcomes';
import type { Workspace } from '@/data/types';
import { proxyTicket } from '@/data/workspaces';
import { confirm } from '@/parts/dialog';

/**
 * An application's address that somebody opened without being signed in leads here, as /#open=WORKSPACE/PORT. Asked
 * first: a link must not open, and so start, what its reader did not mean.
 */
export function OpenAsked({ workspaces }: { workspaces: readonly Workspace[] }) {
  useEffect(() => {
    const [, id, port] = location.hash.match(/^#open=([0-9a-f-]{36})\/(\d{1,5})$/) ?? [];
    if (!id) return;
    history.replaceState(null, '', location.pathname);
    const name = workspaces.find((each) => each.id === id)?.name ?? 'a workspace that somebody shares';
    confirm({
      title: 'Open the application?',
      text: `It is on port ${port} of ${name}.`,
      verb: 'Open',
      danger: false,
      act: async () => {
        try {
          location.assign((await proxyTicket(id, Number(port))).url);
        } catch (problem) {
          tellProblem('It could not be opened', problem);
        }
      },
    });
  }, [workspaces]);
  return null;
}
