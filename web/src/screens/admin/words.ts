// The API's words, for people.
import type { CleaningItem, WorkspaceSummary } from '@/data/types';

export const statusNames: Record<WorkspaceSummary['status'], string> = {
  running: 'Running',
  error: 'Failed',
  active: 'Not started',
  stopped: 'Stopped',
  inactive: 'Inactive',
  archived: 'Archived',
};

export const operationNames: Record<string, string> = {
  start: 'Start',
  stop: 'Stop',
  restart: 'Restart',
  switch: 'Change of project',
  delete: 'Deletion',
  recover: 'Recovery',
};

export const dutyNames: Record<string, string> = {
  volumes: 'Trash',
  containers: 'Left-over containers',
  failed: 'Failed starts',
  inactive: 'Inactive workspaces',
  images: 'Unused images',
  prefetch: 'Images ahead of time',
};

export const outcomeNames: Record<CleaningItem['outcome'], { text: string; kind: 'plain' | 'accent' | 'good' | 'warn' | 'bad' }> = {
  would: { text: 'To do', kind: 'accent' },
  done: { text: 'Done', kind: 'good' },
  begun: { text: 'Begun', kind: 'accent' },
  kept: { text: 'Left alone', kind: 'plain' },
  failed: { text: 'Failed', kind: 'bad' },
};

export const byNames: Record<string, string> = { schedule: 'by its schedule', admin: 'by an administrator', operator: 'on the server' };
