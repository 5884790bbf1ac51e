import { Plus, Save, Trash2 } from 'lucide-react';
import { useRef } from 'react';

import { tellNews } from '@/base/outcomes';
import type { Schedule, Workspace } from '@/data/types';
import { changeWorkspace } from '@/data/workspaces';
import { Button, IconButton } from '@/parts/button';
import { useDraft } from '@/parts/draft';
import { TextField } from '@/parts/field';
import { useFocusKept } from '@/parts/focus';
import { Form } from '@/parts/form';
import { Card } from '@/parts/page';

type Rule = Schedule['rules'][number];
type Day = Rule['days'][number];
const days: [Day, string][] = [['mon', 'Mon'], ['tue', 'Tue'], ['wed', 'Wed'], ['thu', 'Thu'], ['fri', 'Fri'], ['sat', 'Sat'], ['sun', 'Sun']];
const workdays: Day[] = ['mon', 'tue', 'wed', 'thu', 'fri'];

/** When it starts and stops by the clock. */
export function ScheduleCard({ workspace }: { workspace: Workspace }) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { shown, put, field, saved } = useDraft<Schedule>({ zone: workspace.schedule?.zone ?? here, rules: workspace.schedule?.rules ?? [] });
  const { zone, rules } = shown;
  const canSave = rules.length > 0 || Boolean(workspace.schedule);
  useFocusKept(canSave);
  const add = useRef<HTMLButtonElement>(null);
  const remove = (index: number) => {
    put({ rules: rules.filter((_, at) => at !== index) });
    // The next one takes its place, and has the focus; after the last there is none.
    if (index === rules.length - 1) add.current?.focus();
  };
  const change = (index: number, rule: Partial<Rule>) => put({ rules: rules.map((each, at) => (at === index ? { ...each, ...rule } : each)) });
  return (
    <Card title="Schedule" hint="Starts and stops it by the clock.">
      <Form
        act={async () => {
          const empty = rules.findIndex((each) => each.days.length === 0 || !(each.start || each.stop));
          if (empty >= 0) throw new Error(`Rule ${empty + 1} needs a day, and a time to start or to stop.`);
          await changeWorkspace(workspace.id, { schedule: rules.length > 0 ? { zone, rules } : null });
          saved();
          tellNews(rules.length > 0 ? 'The schedule is saved.' : 'It has no schedule now.');
        }}
      >
        {(busy) => (
          <>
            {rules.length === 0 && <p className="text-sm text-muted">None: it starts and stops when somebody asks for it.</p>}
            {rules.map((rule, index) => (
              <fieldset key={index} className="rounded-xl border border-line p-3">
                <legend className="px-1 text-sm font-medium">Rule {index + 1}</legend>
                <div className="flex flex-wrap items-end gap-x-4 gap-y-3">
                  <div className="flex flex-wrap gap-1">
                    {days.map(([day, name]) => {
                      const on = rule.days.includes(day);
                      return (
                        <button
                          key={day}
                          type="button"
                          aria-pressed={on}
                          onClick={() => change(index, { days: days.map(([each]) => each).filter((each) => (each === day ? !on : rule.days.includes(each))) })}
                          className="h-9 rounded-lg border border-line px-2.5 text-sm aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:font-medium aria-pressed:text-accent"
                        >
                          {name}
                        </button>
                      );
                    })}
                  </div>
                  <div className="w-32"><TextField label="Start at" type="time" value={rule.start ?? ''} onChange={(event) => change(index, { start: event.target.value || null })} /></div>
                  <div className="w-32"><TextField label="Stop at" type="time" value={rule.stop ?? ''} onChange={(event) => change(index, { stop: event.target.value || null })} /></div>
                  <IconButton label={`Remove rule ${index + 1}`} icon={Trash2} onClick={() => remove(index)} />
                </div>
              </fieldset>
            ))}
            {rules.length > 0 && <TextField label="Time zone" {...field('zone')} hint={zone === here ? 'Yours' : `Yours is ${here}`} autoComplete="off" />}
            <div className="flex flex-wrap gap-2">
              <Button ref={add} icon={Plus} off={rules.length >= 20} onClick={() => put({ rules: [...rules, { days: workdays, start: '08:00', stop: '18:00' }] })}>Add a rule</Button>
              {canSave && <Button type="submit" look="primary" icon={Save} busy={busy}>Save schedule</Button>}
            </div>
          </>
        )}
      </Form>
    </Card>
  );
}
