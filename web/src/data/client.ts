// The cache of what the server told. Keys are made here alone, so that what an event changes is what a screen shows.
import { QueryClient } from '@tanstack/react-query';

import { Problem, Unreachable } from '@/base/session';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      // A refusal is an answer. While the server is away it is asked again, and everything once it is back.
      retry: (failures, problem) => (problem instanceof Unreachable ? true : problem instanceof Problem && problem.status >= 500 && failures < 3),
      retryDelay: (attempt) => Math.min(8_000, 500 * 2 ** attempt),
      networkMode: 'always',
      refetchOnWindowFocus: false,
    },
    mutations: { networkMode: 'always' },
  },
});

/** For what also changes untold: it is read again when somebody comes back to the tab. */
export const untold = { staleTime: 5_000, refetchOnWindowFocus: true };

export const keys = {
  workspaces: ['workspaces'] as const,
  types: ['types'] as const,
  quota: ['quota'] as const,
  operation: (workspace: string) => ['operation', workspace] as const,
  history: (workspace: string) => ['workspace', workspace, 'history'] as const,
  limits: (workspace: string) => ['workspace', workspace, 'limits'] as const,
  activity: (workspace: string) => ['workspace', workspace, 'activity'] as const,
  health: (workspace: string) => ['workspace', workspace, 'health'] as const,
  shares: (workspace: string) => ['workspace', workspace, 'shares'] as const,
  projects: ['projects'] as const,
  volume: (project: string) => ['project', project, 'volume'] as const,
  backups: (project: string) => ['project', project, 'backups'] as const,
  projectOperations: (project: string) => ['project', project, 'operations'] as const,
  files: (project: string, path: string) => ['project', project, 'files', path] as const,
  trash: ['trash'] as const,
  tokens: ['tokens'] as const,
  sessions: ['sessions'] as const,
  audit: (search: string) => ['audit', search] as const,
  userQuota: (user: string) => ['quota', user] as const,
  overview: ['admin', 'overview'] as const,
  users: (search: string) => ['admin', 'users', search] as const,
  user: (id: string) => ['admin', 'user', id] as const,
  everybodys: (search: string) => ['admin', 'workspaces', search] as const,
  cleaning: ['admin', 'cleaning'] as const,
  page: ['page'] as const,
};
