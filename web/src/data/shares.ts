// Who beside the owner may use a port.
import { call } from '@/base/session';

import { keys, queryClient } from './client';
import type { Share } from './types';

const again = (id: string) => queryClient.invalidateQueries({ queryKey: keys.shares(id) });

export const share = (id: string, fields: { level: Share['level']; port: number; expiresAt: string | null }) =>
  call<{ data: Share }>(`/api/workspaces/${id}/shares`, { method: 'POST', json: fields }).then((answer) => {
    void again(id);
    return answer.data;
  });
export const unshare = (id: string, shareId: string) => call(`/api/workspaces/${id}/shares/${shareId}`, { method: 'DELETE' }).finally(() => again(id));
