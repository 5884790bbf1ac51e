import { Save } from 'lucide-react';
import { useState } from 'react';

import { navigate } from '@/base/router';
import { megabytes } from '@/base/format';
import { tellNews } from '@/base/outcomes';
import { ask } from '@/data/changes';
import { changeWorkspace, useActivity, useLimits, type Seen } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { confirm } from '@/parts/dialog';
import { CheckField, SelectField, TextArea, TextField } from '@/parts/field';
import { Form, textOf } from '@/parts/form';
import { Failed, Notice } from '@/parts/notice';
import { Card, Skeleton } from '@/parts/page';

import { confirmDelete } from '../workspace_actions';
import { ScheduleCard } from './schedule';
import type { PartProps } from './workspace';

export function SettingsPart({ seen, type }: PartProps) {
  const { workspace } = seen;
  return (
    <div className="grid max-w-3xl grid-cols-1 gap-4">
      <Card title="General">
        <Form
          act={async (fields) => {
            await changeWorkspace(workspace.id, { name: textOf(fields, 'name'), description: String(fields.get('description')).trim() });
            tellNews('The settings are saved.');
          }}
        >
          {(busy) => (
            <>
              <TextField label="Name" name="name" required maxLength={100} defaultValue={workspace.name} autoComplete="off" />
              <TextArea label="Description" name="description" maxLength={2000} defaultValue={workspace.description ?? ''} />
              <div><Button type="submit" look="primary" icon={Save} busy={busy}>Save</Button></div>
            </>
          )}
        </Form>
      </Card>
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
export function numberOf(fields: FormData, name: string): number | null {
  const text = textOf(fields, name);
  if (text === null) return null;
  const value = Number(text.replace(',', '.'));
  if (!Number.isFinite(value)) throw new Error(`“${text}” is not a number.`);
  return value;
}

function Limits({ seen }: { seen: Seen }) {
  const { id } = seen.workspace;
  const limits = useLimits(id);
  if (limits.isPending) return <Skeleton className="h-48" />;
  if (limits.isLoadingError) return <Failed what="Its limits" problem={limits.error} again={limits.refetch} />;
  const { resourceLimits, typeLimits, maximumLimits, pending, problem } = limits.data;
  const own = resourceLimits ?? {};
  return (
    <Card title="Limits" hint="Those of its processor, memory and processes change while it runs.">
      <Form
        key={JSON.stringify(own)}
        act={async (fields) => {
          const limitsProblem = await changeWorkspace(id, { resourceLimits: { cpus: numberOf(fields, 'cpus'), memory: numberOf(fields, 'memory'), pids: numberOf(fields, 'pids') } });
          if (limitsProblem) throw new Error(limitsProblem);
          tellNews('The limits are saved.');
        }}
      >
        {(busy) => (
          <>
            <div className="grid grid-cols-1 gap-4 sm:grid-cols-3">
              <TextField label="Processor cores" name="cpus" inputMode="decimal" defaultValue={own.cpus} placeholder={String(typeLimits.cpus)} hint={`At most ${maximumLimits.cpus}`} />
              <TextField label="Memory in MB" name="memory" inputMode="numeric" defaultValue={own.memory} placeholder={String(typeLimits.memory)} hint={`At most ${megabytes(maximumLimits.memory)}`} />
              <TextField label="Processes" name="pids" inputMode="numeric" defaultValue={own.pids} placeholder={String(typeLimits.pids)} hint={`At most ${maximumLimits.pids}`} />
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
  const [how, setHow] = useState(own == null ? 'type' : own === 0 ? 'never' : 'own');
  return (
    <Card title="When nobody uses it">
      <Form
        act={async (fields) => {
          const minutes = how === 'type' ? null : how === 'never' ? 0 : numberOf(fields, 'minutes');
          if (how === 'own' && (minutes === null || minutes < 1)) throw new Error('Say after how many minutes.');
          await changeWorkspace(workspace.id, { idleStopMinutes: minutes, wakeOnRequest: fields.has('wake') });
          tellNews('The settings are saved.');
        }}
      >
        {(busy) => (
          <>
            <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
              <SelectField label="Stop it" value={how} onChange={(event) => setHow(event.target.value)}>
                <option value="type">As its type says</option>
                <option value="own">After a time of its own</option>
                <option value="never">Never</option>
              </SelectField>
              {how === 'own' && <TextField label="Minutes without use" name="minutes" inputMode="numeric" required defaultValue={own || 60} />}
            </div>
            {activity.data && <p className="-mt-2 text-[0.8125rem] text-muted">Now: {activity.data.idleStopMinutes === null ? 'never' : `after ${activity.data.idleStopMinutes} minutes`}.</p>}
            <CheckField label="Start it when its application is opened" name="wake" defaultChecked={workspace.wakeOnRequest} hint="Whoever opens its address while it is stopped waits for the start instead of being refused." />
            <div><Button type="submit" look="primary" icon={Save} busy={busy}>Save</Button></div>
          </>
        )}
      </Form>
    </Card>
  );
}
