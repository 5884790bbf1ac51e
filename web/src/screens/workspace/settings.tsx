import { Save } from 'lucide-react';

import { navigate } from '@/base/router';
import { megabytes } from '@/base/format';
import { tellNews } from '@/base/outcomes';
import { ask } from '@/data/changes';
import type { Workspace, WorkspaceLimits } from '@/data/types';
import { changeWorkspace, useActivity, useLimits, type Seen } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { confirm } from '@/parts/dialog';
import { useDraft } from '@/parts/draft';
import { CheckField, SelectField, TextArea, TextField } from '@/parts/field';
import { Form } from '@/parts/form';
import { Failed, Notice } from '@/parts/notice';
import { Card, Skeleton } from '@/parts/page';

import { confirmDelete } from '../workspace_actions';
import { ScheduleCard } from './schedule';
import type { PartProps } from './workspace';

export function SettingsPart({ seen, type }: PartProps) {
  const { workspace } = seen;
  return (
    <div className="grid max-w-3xl grid-cols-1 gap-4">
      <General workspace={workspace} />
      <Limits seen={seen} />
      <Idle seen={seen} />
      <ScheduleCard workspace={workspace} />
      <Card title="Danger zone" danger>
        <div className="grid grid-cols-1 gap-4">
          <Danger title="Stop it at once" text="Without waiting for its application to end. What it has not saved is lost; its files stay.">
            <Button
              look="danger-quiet"
              off={seen.phase === 'stopped' || seen.phase === 'deleting'}
              onClick={() => confirm({ title: `Stop “${workspace.name}” at once?`, text: 'Its application gets no time to end. What it has not saved is lost; the files of its project stay.', verb: 'Stop at once', act: () => void ask('stop', workspace, { force: true }) })}
            >
              Stop at once
            </Button>
          </Danger>
          <Danger title="Delete the workspace" text="The files of its project stay: another workspace can open them.">
            <Button look="danger" off={seen.phase === 'deleting'} onClick={() => confirmDelete(workspace, type, () => navigate('/workspaces'))}>Delete workspace…</Button>
          </Danger>
        </div>
      </Card>
    </div>
  );
}

const Danger = ({ title, text, children }: { title: string; text: string; children: React.ReactNode }) => (
  <div className="flex flex-wrap items-center gap-3">
    <div className="min-w-0 grow basis-60">
      <p className="font-medium">{title}</p>
      <p className="text-sm text-muted">{text}</p>
    </div>
    {children}
  </div>
);

/** What was typed as a number; nothing where the field is empty: then the type's own counts. */
export function numberOf(typed: string): number | null {
  const text = typed.trim();
  if (text === '') return null;
  const value = Number(text.replace(',', '.'));
  if (!Number.isFinite(value)) throw new Error(`“${text}” is not a number.`);
  return value;
}
const textOf = (value: number | undefined) => (value === undefined ? '' : String(value));

function General({ workspace }: { workspace: Workspace }) {
  const { shown, field, saved } = useDraft({ name: workspace.name, description: workspace.description ?? '' });
  return (
    <Card title="General">
      <Form
        act={async () => {
          await changeWorkspace(workspace.id, { name: shown.name.trim(), description: shown.description.trim() });
          saved();
          tellNews('The settings are saved.');
        }}
      >
        {(busy) => (
          <>
            <TextField label="Name" required maxLength={100} autoComplete="off" {...field('name')} />
            <TextArea label="Description" maxLength={2000} {...field('description')} />
            <div><Button type="submit" look="primary" icon={Save} busy={busy}>Save</Button></div>
          </>
        )}
      </Form>
    </Card>
  );
}

function Limits({ seen }: { seen: Seen }) {
  const { id } = seen.workspace;
  const limits = useLimits(id);
  if (limits.isPending) return <Skeleton className="h-48" />;
  if (limits.isLoadingError) return <Failed what="Its limits" problem={limits.error} again={limits.refetch} />;
  return <OwnLimits id={id} limits={limits.data} />;
}

function OwnLimits({ id, limits: { resourceLimits: own, typeLimits, maximumLimits, pending, problem } }: { id: string; limits: WorkspaceLimits }) {
  const { shown, field, saved } = useDraft({ cpus: textOf(own?.cpus), memory: textOf(own?.memory), pids: textOf(own?.pids) });
  return (
    <Card title="Limits" hint="Those of its processor, memory and processes change while it runs.">
      <Form
        act={async () => {
          const limitsProblem = await changeWorkspace(id, { resourceLimits: { cpus: numberOf(shown.cpus), memory: numberOf(shown.memory), pids: numberOf(shown.pids) } });
          saved();
          if (limitsProblem) throw new Error(limitsProblem);
          tellNews('The limits are saved.');
        }}
      >
        {(busy) => (
          <>
            <div className="grid grid-cols-1 gap-4 sm:grid-cols-3">
              <TextField label="Processor cores" inputMode="decimal" placeholder={String(typeLimits.cpus)} hint={`At most ${maximumLimits.cpus}`} {...field('cpus')} />
              <TextField label="Memory in MB" inputMode="numeric" placeholder={String(typeLimits.memory)} hint={`At most ${megabytes(maximumLimits.memory)}`} {...field('memory')} />
              <TextField label="Processes" inputMode="numeric" placeholder={String(typeLimits.pids)} hint={`At most ${maximumLimits.pids}`} {...field('pids')} />
            </div>
            <p className="-mt-2 text-[0.8125rem] text-muted">An empty field means: as its type has it.</p>
            {pending.length > 0 && <Notice kind="info">In force at its next start: {pending.join(', ')}.</Notice>}
            {problem && <Notice kind="warn">{problem}</Notice>}
            <div><Button type="submit" look="primary" icon={Save} busy={busy}>Save limits</Button></div>
          </>
        )}
      </Form>
    </Card>
  );
}

function Idle({ seen }: { seen: Seen }) {
  const { workspace } = seen;
  const activity = useActivity(workspace.id);
  const own = workspace.idleStopMinutes;
  const { shown, put, field, saved } = useDraft({ how: own == null ? 'type' : own === 0 ? 'never' : 'own', minutes: String(own || 60), wake: workspace.wakeOnRequest });
  return (
    <Card title="When nobody uses it">
      <Form
        act={async () => {
          const minutes = shown.how === 'type' ? null : shown.how === 'never' ? 0 : numberOf(shown.minutes);
          if (shown.how === 'own' && (minutes === null || minutes < 1)) throw new Error('Say after how many minutes.');
          await changeWorkspace(workspace.id, { idleStopMinutes: minutes, wakeOnRequest: shown.wake });
          saved();
          tellNews('The settings are saved.');
        }}
      >
        {(busy) => (
          <>
            <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
              <SelectField label="Stop it" {...field('how')}>
                <option value="type">As its type says</option>
                <option value="own">After a time of its own</option>
                <option value="never">Never</option>
              </SelectField>
              {shown.how === 'own' && <TextField label="Minutes without use" inputMode="numeric" required {...field('minutes')} />}
            </div>
            {activity.data && <p className="-mt-2 text-[0.8125rem] text-muted">Now: {activity.data.idleStopMinutes === null ? 'never' : `after ${activity.data.idleStopMinutes} minutes`}.</p>}
            <CheckField label="Start it when its application is opened" checked={shown.wake} onChange={(event) => put({ wake: event.target.checked })} hint="Whoever opens its address while it is stopped waits for the start instead of being refused." />
            <div><Button type="submit" look="primary" icon={Save} busy={busy}>Save</Button></div>
          </>
        )}
      </Form>
    </Card>
  );
}
