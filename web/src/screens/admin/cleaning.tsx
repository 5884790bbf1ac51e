import { Brush, Eye } from 'lucide-react';
import { useState } from 'react';

import { exactMoment, plural } from '@/base/format';
import { requestOf, sentenceOf, tellNews } from '@/base/outcomes';
import { cleanUp, everyWords, runWords, useCleaning } from '@/data/admin';
import type { Cleaning, CleaningItem, CleanUp } from '@/data/types';
import { Button } from '@/parts/button';
import { confirm } from '@/parts/dialog';
import { useFocusKept } from '@/parts/focus';
import { Failed, Notice } from '@/parts/notice';
import { Badge, Card, Skeleton } from '@/parts/page';
import { Refresh } from '@/parts/refresh';
import { Ago } from '@/parts/time';

import { Cell, Table } from './table';
import { byNames, dutyNames, outcomeNames } from './words';

const doable = (result: CleanUp) => result.duties.flatMap((each) => each.items).filter((each) => each.outcome === 'would').length;
const count = (result: CleanUp, outcome: CleaningItem['outcome']) => result.duties.flatMap((each) => each.items).filter((each) => each.outcome === outcome).length;

/** What the server puts away by itself, when, and what came of it; and the same by hand, after a look at what would go. */
export function CleaningPart() {
  const cleaning = useCleaning();
  const [result, setResult] = useState<CleanUp>();
  useFocusKept(result);
  const [looking, setLooking] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const look = async () => {
    setLooking(true);
    setProblem(undefined);
    try {
      setResult(await cleanUp(true));
    } catch (refused) {
      setProblem(refused);
    } finally {
      setLooking(false);
    }
  };
  const clean = (preview: CleanUp) =>
    confirm({
      title: 'Clean up now?',
      text: `${plural(doable(preview), 'thing')} would be dealt with, as the preview shows. What is removed does not come back. What has changed since the preview counts as it is then.`,
      verb: 'Clean up',
      act: async () => {
        const done = await cleanUp(false);
        setResult(done);
        const failed = count(done, 'failed');
        tellNews(`Cleaned up: ${count(done, 'done') + count(done, 'begun')} done${failed > 0 ? `, ${failed} failed` : ''}.`);
      },
    });
  const now = cleaning.data;
  return (
    <div className="grid grid-cols-1 gap-4">
      <div className="flex flex-wrap items-center gap-2">
        <p className="min-w-0 grow basis-64 text-sm text-muted">What the server puts away by itself. A preview tells what would go now, and why, and changes nothing.</p>
        <Refresh of={cleaning} what="The cleaning" />
        <Button look="primary" icon={Eye} busy={looking} onClick={() => void look()}>Preview</Button>
      </div>
      {problem !== undefined && <Notice kind="bad" requestId={requestOf(problem)}>There is no preview: {sentenceOf(problem)}</Notice>}
      {now?.pausedBecause && (
        <Notice kind="warn">
          <p className="font-medium">Nothing is purged at present.</p>
          <p>{now.pausedBecause.replace(/\.?$/, '.')} Once you have checked that this database is the right one, <code>agentdb9 volumes resume</code> on the server ends that.</p>
        </Notice>
      )}
      {result && <Result result={result} clean={() => clean(result)} close={() => setResult(undefined)} />}
      {cleaning.isPending && <Skeleton className="h-64" count={2} />}
      {cleaning.isLoadingError && <Failed what="The cleaning" problem={cleaning.error} again={cleaning.refetch} />}
      {now && <Duties now={now} />}
      {now && <Images now={now} />}
    </div>
  );
}

function Result({ result, clean, close }: { result: CleanUp; clean: () => void; close: () => void }) {
  const would = doable(result);
  const duties = result.duties.filter((each) => each.items.length > 0 || each.problem);
  const title = result.dryRun ? 'Preview' : 'Cleaned up';
  const hint = result.dryRun ? (would === 0 ? 'Nothing would be done now.' : `${plural(would, 'thing')} would be dealt with.`) : 'What was done, and what was left alone.';
  return (
    <Card
      title={title}
      hint={hint}
      actions={<div className="flex gap-2">{result.dryRun && would > 0 && <Button size="small" look="danger" icon={Brush} onClick={clean}>Clean up now</Button>}<Button size="small" onClick={close}>Close</Button></div>}
    >
      {duties.length === 0 && <p className="text-sm text-muted">All is tidy: no duty found anything to do.</p>}
      <div className="grid grid-cols-1 gap-4">
        {duties.map((each) => (
          <section key={each.duty} aria-label={dutyNames[each.duty] ?? each.duty}>
            <h3 className="text-sm font-semibold">{dutyNames[each.duty] ?? each.duty}</h3>
            {each.problem && <Notice kind="bad" className="mt-2">Not all of it was looked at: {each.problem}</Notice>}
            <ul className="mt-1 divide-y divide-line">{each.items.map((item) => <Item key={`${item.kind} ${item.name}`} item={item} />)}</ul>
          </section>
        ))}
      </div>
    </Card>
  );
}

function Item({ item }: { item: CleaningItem }) {
  const { text, kind } = outcomeNames[item.outcome];
  return (
    <li className="flex items-start gap-3 py-2 text-sm">
      <div className="min-w-0 grow">
        <p className="wrap-anywhere"><span className="text-muted">{item.kind}</span> {item.name}</p>
        <p className="text-xs text-muted wrap-anywhere">{item.why}{item.since && <> Since <Ago time={item.since} />.</>}</p>
      </div>
      <span className="shrink-0 whitespace-nowrap"><Badge kind={kind}>{text}</Badge></span>
    </li>
  );
}

function Duties({ now }: { now: Cleaning }) {
  const about: Record<string, string> = {
    failed: `Kept for ${plural(now.failedAfterHours, 'hour')}, to be looked at.`,
    inactive: now.inactiveDays > 0 ? `After ${plural(now.inactiveDays, 'day')} without use.` : '',
    images: now.imageDays > 0 ? `After ${plural(now.imageDays, 'day')} that no type has named one.` : '',
  };
  return (
    <Table label="Duties" columns={[{ label: 'Duty' }, { label: 'Schedule', look: 'hidden sm:table-cell' }, { label: 'Last run', look: 'hidden md:table-cell' }, { label: 'Outcome', look: 'hidden sm:table-cell' }, { label: 'Next run', look: 'hidden md:table-cell' }]}>
      {now.duties.map((duty) => {
        const { kind, text } = runWords(duty.lastRun, duty.running);
        const last = duty.lastRun ? <><Ago time={duty.lastRun.startedAt} />, {byNames[duty.lastRun.by] ?? duty.lastRun.by}</> : 'Never';
        const outcome = (duty.on || duty.lastRun) && <Badge kind={kind}>{text}</Badge>;
        const next = !duty.on ? '–' : duty.nextRunAt ? <span title={exactMoment(duty.nextRunAt)}><Ago time={duty.nextRunAt} /></span> : 'Not by itself';
        const schedule = duty.on ? everyWords(duty.everyMinutes) : 'Off';
        return (
          <tr key={duty.duty}>
            <Cell look="w-full">
              <p className="font-medium">{dutyNames[duty.duty] ?? duty.duty}</p>
              <p className="text-xs text-muted">{duty.about} {about[duty.duty]}</p>
              <p className="mt-1 text-xs text-muted md:hidden"><span className="sm:hidden">{schedule}</span>{duty.lastRun && <><span className="sm:hidden"> · </span>last run {last}</>}{duty.on && duty.nextRunAt && <> · next {next}</>}</p>
              {outcome && <p className="mt-1 sm:hidden">{outcome}</p>}
              {duty.lastRun?.problem && <p className="mt-1 text-xs text-bad wrap-anywhere">{duty.lastRun.problem}</p>}
              {duty.lastRun && duty.lastRun.failed.length > 0 && (
                <details className="mt-1 text-xs">
                  <summary className="text-bad">What failed</summary>
                  <ul>{duty.lastRun.failed.map((item) => <Item key={`${item.kind} ${item.name}`} item={item} />)}</ul>
                </details>
              )}
            </Cell>
            <Cell look="hidden whitespace-nowrap sm:table-cell">{duty.on ? schedule : <Badge>Off</Badge>}</Cell>
            <Cell look="hidden md:table-cell"><div className="w-36">{last}</div></Cell>
            <Cell look="hidden whitespace-nowrap sm:table-cell">{outcome || '–'}</Cell>
            <Cell look="hidden whitespace-nowrap md:table-cell">{next}</Cell>
          </tr>
        );
      })}
    </Table>
  );
}

type Image = Cleaning['images'][number];
function imageState(image: Image): { kind: 'plain' | 'accent' | 'good' | 'bad'; text: string } {
  if (image.pulling) return { kind: 'accent', text: image.percent === null ? 'Being downloaded' : `Being downloaded, ${image.percent} %` };
  if (image.onEngine === null) return { kind: 'plain', text: 'Unknown' };
  if (image.onEngine) return { kind: 'good', text: 'On the engine' };
  return image.problem ? { kind: 'bad', text: 'Not downloaded' } : { kind: 'plain', text: 'Downloaded when needed' };
}

function Images({ now }: { now: Cleaning }) {
  return (
    <section aria-label="Images" className="grid grid-cols-1 gap-3">
      <div>
        <h2 className="font-semibold">Images</h2>
        <p className="text-sm text-muted">What the workspace types name, and what this server has downloaded.</p>
      </div>
      {now.images.some((each) => each.onEngine === null) && <Notice kind="warn">The container engine does not answer: which of them are there is not known.</Notice>}
      {now.images.length === 0 ? (
        <p className="text-sm text-muted">No workspace type names an image.</p>
      ) : (
        <Table label="Images" columns={[{ label: 'Image' }, { label: 'Types', look: 'hidden md:table-cell' }, { label: 'State', look: 'hidden sm:table-cell' }]}>
          {now.images.map((image) => {
            const { kind, text } = imageState(image);
            const types = image.types.length > 0 ? image.types.join(', ') : 'Of no type';
            return (
              <tr key={image.image}>
                <Cell look="w-full wrap-anywhere">
                  <p className="font-medium">{image.image}</p>
                  <p className="text-xs text-muted md:hidden">{types}</p>
                  <p className="mt-1 sm:hidden"><Badge kind={kind}>{text}</Badge></p>
                  {image.unnamedSince && <p className="text-xs text-muted">No type has named it since <Ago time={image.unnamedSince} />.</p>}
                  {image.pulledAt && <p className="text-xs text-muted">Downloaded ahead of time <Ago time={image.pulledAt} />.</p>}
                  {image.problem && <p className="text-xs text-bad">{image.problem}</p>}
                </Cell>
                <Cell look="hidden md:table-cell"><div className="w-52">{types}</div></Cell>
                <Cell look="hidden whitespace-nowrap sm:table-cell"><Badge kind={kind}>{text}</Badge></Cell>
              </tr>
            );
          })}
        </Table>
      )}
    </section>
  );
}
