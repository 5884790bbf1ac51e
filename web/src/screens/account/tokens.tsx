import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';

import { day } from '@/base/format';
import { tellNews } from '@/base/outcomes';
import { createToken, revokeToken, useTokens } from '@/data/account';
import { powers, powersFor, scopeWords, tokenRequest, type Power } from '@/data/tokens';
import type { NewApiToken } from '@/data/types';
import { useWorkspaces } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { Cancel, confirm, Dialog, DialogEnd } from '@/parts/dialog';
import { SelectField, TextField } from '@/parts/field';
import { useFocusKept } from '@/parts/focus';
import { Form, textOf } from '@/parts/form';
import { Failed } from '@/parts/notice';
import { Badge, Card, Empty, Skeleton } from '@/parts/page';
import { Secret } from '@/parts/secret';
import { Ago } from '@/parts/time';

const lifetimes: [string, string][] = [['30', 'For 30 days'], ['90', 'For 90 days'], ['365', 'For a year'], ['', 'Until revoked']];

export function Tokens() {
  const tokens = useTokens();
  useFocusKept(tokens.data?.length);
  const workspaces = useWorkspaces();
  const [asking, setAsking] = useState(false);
  const [made, setMade] = useState<NewApiToken>();
  const close = () => {
    setAsking(false);
    setMade(undefined);
  };
  // Until the list is there, nobody knows that one is gone.
  const nameOf = (id: string) => (workspaces.data ? workspaces.data.find((each) => each.id === id)?.name : '…');
  return (
    <Card title="API tokens" hint="For programs and agents that work for you." actions={<Button size="small" icon={Plus} onClick={() => setAsking(true)}>New token</Button>}>
      {tokens.isPending && <Skeleton className="h-20" />}
      {tokens.isLoadingError && <Failed what="Your tokens" problem={tokens.error} again={tokens.refetch} />}
      {tokens.data?.length === 0 && <Empty icon={KeyRound} title="No token yet.">A program that signs in with a token does what you let it, until you revoke it.</Empty>}
      <ul className="grid grid-cols-1 gap-2">
        {tokens.data?.map((each) => {
          const over = each.expiresAt !== null && Date.parse(each.expiresAt) <= Date.now();
          return (
            <li key={each.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-xl border border-line py-2 pr-2 pl-3 text-sm">
              <div className="min-w-0 grow basis-48">
                <p className="font-medium wrap-anywhere">{each.name} <code className="text-xs font-normal text-muted">{each.hint}…</code> {over && <Badge kind="warn">Expired</Badge>}</p>
                <p className="text-xs wrap-anywhere">{scopeWords(each, nameOf)}</p>
                <p className="text-xs text-muted">
                  {each.lastUsedAt ? <>Used <Ago time={each.lastUsedAt} /></> : 'Never used'} · {over ? `was good until ${day(each.expiresAt!)}` : each.expiresAt ? `good until ${day(each.expiresAt)}` : 'good until revoked'}
                </p>
              </div>
              <Button
                size="small"
                look="danger-quiet"
                aria-label={`Revoke: ${each.name}`}
                onClick={() => confirm({ title: `Revoke the token “${each.name}”?`, text: 'Whatever uses it is refused from now on.', verb: 'Revoke token', act: () => revokeToken(each.id).then(() => tellNews(`The token ${each.name} is revoked.`)) })}
              >
                Revoke
              </Button>
            </li>
          );
        })}
      </ul>
      <Dialog open={asking} onClose={close} title={made ? 'The new token' : 'New API token'}>
        {made ? <Secret text={made.token} what="the token" hint={`${scopeWords(made, nameOf)}.`} done={close} /> : <NewToken made={setMade} />}
      </Dialog>
    </Card>
  );
}

function NewToken({ made }: { made: (token: NewApiToken) => void }) {
  const workspaces = useWorkspaces();
  const [chosen, setPower] = useState<Power>('write');
  const [workspaceId, setWorkspace] = useState('');
  const power = chosen === 'all' && workspaceId !== '' ? 'write' : chosen;
  return (
    <Form
      act={async (fields) => {
        made(await createToken(tokenRequest({ name: textOf(fields, 'name') ?? '', days: Number(fields.get('days')), power, workspaceId })));
      }}
    >
      {(busy) => (
        <>
          <TextField label="Name" name="name" required maxLength={100} autoComplete="off" hint="What uses it: so that you know later which to revoke." />
          <SelectField label="Workspaces" value={workspaceId} onChange={(event) => setWorkspace(event.target.value)}>
            <option value="">All of mine</option>
            {workspaces.data?.map((each) => <option key={each.id} value={each.id}>{each.name} alone</option>)}
          </SelectField>
          <SelectField label="It may" value={power} onChange={(event) => setPower(event.target.value as Power)} hint={powers.find(([each]) => each === power)?.[2]}>
            {powersFor(workspaceId).map(([each, label]) => <option key={each} value={each}>{label}</option>)}
          </SelectField>
          <SelectField label="Good" name="days" defaultValue="90">{lifetimes.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</SelectField>
          <DialogEnd>
            <Cancel />
            <Button type="submit" look="primary" busy={busy}>Create token</Button>
          </DialogEnd>
        </>
      )}
    </Form>
  );
}
