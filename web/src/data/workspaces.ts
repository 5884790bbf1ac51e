// Workspaces: what there is, as a screen shows it, and what can be done.
import { useQuery } from '@tanstack/react-query';

import { call, open } from '@/base/session';
import { useStorePart } from '@/base/store';

import { changes, isOver, words, type Change } from './changes';
import { keys, queryClient, untold } from './client';
import { toldWorkspaces } from './live';
import { readTold } from './told';
import type { Activity, ContainerStats, LifeEvent, NewWorkspace, Operation, Phase, Project, ProxyTicket, Quota, Share, Workspace, WorkspaceChange, WorkspaceHealth, WorkspaceLimits, WorkspaceType } from './types';

interface Data<T> {
  data: T;
}
const get = <T,>(path: string) => call<Data<T>>(path).then((answer) => answer.data);

export const useWorkspaces = () => useQuery({ queryKey: keys.workspaces, queryFn: toldWorkspaces.read });
export const useTypes = () => useQuery({ queryKey: keys.types, queryFn: () => get<WorkspaceType[]>('/api/workspaces/types') });
export const useQuota = () => useQuery({ queryKey: keys.quota, queryFn: () => get<Quota>('/api/workspaces/quota') });
/** The latest operation: of the event stream alone. */
export const useOperation = (id: string) => useQuery<Operation | null>({ queryKey: keys.operation(id), queryFn: () => get<Operation[]>(`/api/workspaces/${id}/operations?limit=1`).then((all) => all[0] ?? null), enabled: false });
export const readHistory = (id: string) => readTold(keys.history(id), () => get<LifeEvent[]>(`/api/workspaces/${id}/history?limit=200`));
export const useHistory = (id: string) => useQuery({ queryKey: keys.history(id), queryFn: () => readHistory(id) });
export const useLimits = (id: string) => useQuery({ queryKey: keys.limits(id), queryFn: () => get<WorkspaceLimits>(`/api/workspaces/${id}/limits`) });
export const useActivity = (id: string) => useQuery({ queryKey: keys.activity(id), queryFn: () => get<Activity>(`/api/workspaces/${id}/activity`), ...untold });
export const useHealth = (id: string) => useQuery({ queryKey: keys.health(id), queryFn: () => get<WorkspaceHealth>(`/api/workspaces/${id}/health`), ...untold });
export const useShares = (id: string) => useQuery({ queryKey: keys.shares(id), queryFn: () => get<Share[]>(`/api/workspaces/${id}/shares`), ...untold });
export const stats = (id: string, signal: AbortSignal) => call<Data<ContainerStats>>(`/api/workspaces/${id}/container-stats`, { signal }).then((answer) => answer.data);

// What a workspace is doing, for a person: the phases of the API.
export const phaseNames: Record<Phase, string> = {
  queued: 'Waiting for its turn',
  pulling: 'Downloading the image',
  creating: 'Creating',
  starting: 'Starting',
  probing: 'Waiting for the application',
  running: 'Running',
  switching: 'Switching the project',
  stopping: 'Stopping',
  deleting: 'Deleting',
  stopped: 'Stopped',
  failed: 'Failed',
};
const atRest: ReadonlySet<Phase> = new Set(['running', 'stopped', 'failed']);
export const isBusy = (phase: Phase) => !atRest.has(phase);
export const isOpenable = (phase: Phase) => phase === 'running' || phase === 'switching';

/** A workspace as a screen shows it: what this tab asked for shows before the server's first word of it. */
export interface Seen {
  workspace: Workspace;
  phase: Phase;
  /** Of what is under way, 0 to 100. */
  progress: number | undefined;
  queue: { position: number; of: number } | undefined;
  /** When what is under way began. */
  since: number | undefined;
  change: Change | undefined;
  /** Which project it works on or is about to. */
  projectId: string | null;
}

export function asSeen(workspace: Workspace, operation: Operation | null | undefined, change: Change | undefined): Seen {
  const open = operation && !isOver(operation) ? operation : undefined;
  // The answer that it is begun comes before the server's word of what the workspace does: with several servers by seconds.
  const begun = change?.operation !== undefined && !isBusy(workspace.phase) && (!operation || open?.id === change.operation);
  const asked = change && (!change.operation || begun) ? change : undefined;
  const phase = asked ? words[asked.kind].phase : workspace.phase;
  const current = isBusy(phase) && (!asked || open?.id === asked.operation) ? open : undefined;
  return {
    workspace,
    phase,
    progress: current?.progress ?? undefined,
    queue: phase === 'queued' && current?.queue ? current.queue : undefined,
    since: !isBusy(phase) ? undefined : current ? Date.parse(current.startedAt ?? current.createdAt) : asked?.began,
    change,
    projectId: change?.project?.id ?? workspace.currentProjectId ?? null,
  };
}

export function useSeen(workspace: Workspace): Seen {
  const { data: operation } = useOperation(workspace.id);
  const change = useStorePart(changes, (all) => all.get(workspace.id));
  return asSeen(workspace, operation, change);
}

/** Whether no other workspace may have its project: it runs, or is on its way there or back. */
export const isAtWork = ({ phase }: Pick<Workspace, 'phase'>) => phase === 'running' || isBusy(phase);

/** Whether a project is another running workspace's: it can be read, not chosen. */
export const userOf = (project: Project, workspaces: readonly Workspace[], except?: string) =>
  workspaces.find((each) => each.id !== except && each.currentProjectId === project.id && isAtWork(each));

/** Projects that a workspace of this type can work on. */
export const compatible = (projects: readonly Project[], type: string | undefined, current?: string | null) =>
  projects.filter((each) => !each.workspaceType || each.workspaceType === type || each.id === current);

export const createWorkspace = (wanted: NewWorkspace) =>
  toldWorkspaces.answered(undefined, call<Data<Workspace>>('/api/workspaces', { method: 'POST', json: wanted }).then((answer) => answer.data));

/** Changes it, and tells what of its limits could not be put in force. */
export async function changeWorkspace(id: string, change: WorkspaceChange): Promise<string | undefined> {
  const asking = call<Data<Workspace> & { limitsProblem?: string }>(`/api/workspaces/${id}`, { method: 'PUT', json: change });
  await toldWorkspaces.answered(id, asking.then((answer) => answer.data));
  void queryClient.invalidateQueries({ queryKey: ['workspace', id] });
  return (await asking).limitsProblem;
}

export const makeDefault = (id: string) =>
  toldWorkspaces.answered(id, call<Data<Workspace>>(`/api/workspaces/${id}/set-default`, { method: 'POST', json: {} }).then((answer) => answer.data));

export const keepAlive = (id: string, seconds: number) =>
  call(`/api/workspaces/${id}/keep-alive`, { method: 'POST', json: { seconds } }).then(() => queryClient.invalidateQueries({ queryKey: keys.activity(id) }));

/** An address of its application that counts once and for a minute. */
export const proxyTicket = (id: string, port?: number) =>
  call<Data<ProxyTicket>>(`/api/workspaces/${id}/proxy-ticket`, { method: 'POST', json: port === undefined ? {} : { port } }).then((answer) => answer.data);

export const terminalTicket = (id: string) => call<Data<{ ticket: string }>>(`/api/workspaces/${id}/terminal-ticket`, { method: 'POST', json: {} }).then((answer) => answer.data.ticket);

export const logText = (id: string) => open(`/api/workspaces/${id}/logs?tail=10000&timestamps=true&format=text`).then((response) => response.blob());
