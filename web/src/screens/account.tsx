import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';

import { day } from '@/base/format';
import { tellNews } from '@/base/outcomes';
import { changePassword, changeProfile, createToken, revokeToken, useSession, useTokens } from '@/data/account';
import type { NewApiToken, User } from '@/data/types';
import { useQuota } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { CopyButton } from '@/parts/copy';
import { confirm, Dialog, DialogEnd } from '@/parts/dialog';
import { SelectField, TextField } from '@/parts/field';
import { Form, textOf } from '@/parts/form';
import { Failed, Notice } from '@/parts/notice';
import { Card, Empty, Skeleton, Title } from '@/parts/page';
import { QuotaBars } from '@/parts/quota';
import { Ago } from '@/parts/time';

export function AccountScreen() {
  const session = useSession();
  if (session.kind !== 'open') return null;
  return (
    <>
      <Title below={<p className="mt-1 text-sm text-muted">{session.user.email}</p>}>Account</Title>
      <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
        <div className="grid grid-cols-1 gap-4">
          <Profile user={session.user} />
          <Password user={session.user} />
        </div>
        <div className="grid grid-cols-1 gap-4">
          <Use />
          <Tokens />
        </div>
      </div>
    </>
  );
}

function Profile({ user }: { user: User }) {
  const [email, setEmail] = useState(user.email);
  const changed = email.trim() !== user.email;
  return (
    <Card title="Profile">
      <Form
        act={async (fields) => {
          const password = textOf(fields, 'currentPassword');
          await changeProfile({
            ...(changed ? { email: email.trim(), currentPassword: password } : {}),
            username: textOf(fields, 'username'),
            firstName: String(fields.get('firstName')).trim(),
            lastName: String(fields.get('lastName')).trim(),
          });
          tellNews('The profile is saved.');
        }}
      >
        {(busy) => (
          <>
            <TextField label="Email" type="email" value={email} onChange={(event) => setEmail(event.target.value)} required autoComplete="email" />
            {changed && <TextField label="Current password" name="currentPassword" type="password" required autoComplete="current-password" hint="Another address needs it." />}
            <TextField label="User name" name="username" defaultValue={user.username} required maxLength={100} autoComplete="nickname" />
            <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
              <TextField label="First name" name="firstName" defaultValue={user.firstName ?? ''} maxLength={100} autoComplete="given-name" />
              <TextField label="Last name" name="lastName" defaultValue={user.lastName ?? ''} maxLength={100} autoComplete="family-name" />
            </div>
            <div><Button type="submit" look="primary" busy={busy}>Save profile</Button></div>
          </>
        )}
      </Form>
    </Card>
  );
}

function Password({ user }: { user: User }) {
  return (
    <Card title="Password" hint="Your other sessions end when it changes.">
      <Form
        act={async (fields, form) => {
          await changePassword(String(fields.get('currentPassword')), String(fields.get('newPassword')));
          form.reset();
          tellNews('The password is changed.');
        }}
      >
        {(busy) => (
          <>
            {/* For password managers: whose password it is. */}
            <input type="text" name="username" value={user.email} autoComplete="username" readOnly hidden />
            <TextField label="Current password" name="currentPassword" type="password" autoComplete="current-password" required />
            <TextField label="New password" name="newPassword" type="password" autoComplete="new-password" required />
            <div><Button type="submit" look="primary" busy={busy}>Change password</Button></div>
          </>
        )}
      </Form>
    </Card>
  );
}

function Use() {
  const quota = useQuota();
  return (
    <Card title="What you may use">
      {quota.isPending && <Skeleton className="h-28" />}
      {quota.isError && <Failed what="Your quota" problem={quota.error} again={quota.refetch} />}
      {quota.data && <QuotaBars quota={quota.data} />}
    </Card>
  );
}

const lifetimes: [string, string][] = [['30', 'For 30 days'], ['90', 'For 90 days'], ['365', 'For a year'], ['', 'Until revoked']];

function Tokens() {
  const tokens = useTokens();
  const [asking, setAsking] = useState(false);
  const [made, setMade] = useState<NewApiToken>();
  const close = () => {
    setAsking(false);
    setMade(undefined);
  };
  return (
    <Card title="API tokens" hint="For programs and agents that work for you." actions={<Button size="small" icon={Plus} onClick={() => setAsking(true)}>New token</Button>}>
      {tokens.isPending && <Skeleton className="h-20" />}
      {tokens.isError && <Failed what="Your tokens" problem={tokens.error} again={tokens.refetch} />}
      {tokens.data?.length === 0 && <Empty icon={KeyRound} title="No token yet.">A program that signs in with a token can do what you can, until you revoke it.</Empty>}
      <ul className="grid grid-cols-1 gap-2">
        {tokens.data?.map((each) => (
          <li key={each.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-xl border border-line py-2 pr-2 pl-3 text-sm">
            <div className="min-w-0 grow basis-48">
              <p className="font-medium wrap-anywhere">{each.name} <code className="text-xs font-normal text-muted">{each.hint}…</code></p>
              <p className="text-xs text-muted">
                {each.lastUsedAt ? <>Used <Ago time={each.lastUsedAt} /></> : 'Never used'} · {each.expiresAt ? `good until ${day(each.expiresAt)}` : 'good until revoked'}
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
        ))}
      </ul>
      <Dialog open={asking} onClose={close} title={made ? 'The new token' : 'New API token'}>
        {made ? (
          <>
            <Notice kind="warn">Copy it now: it is shown this once.</Notice>
            <div className="mt-3 flex items-center gap-2 rounded-lg border border-edge bg-canvas py-1 pr-1 pl-3">
              <code className="min-w-0 grow text-sm wrap-anywhere">{made.token}</code>
              <CopyButton text={made.token} what="the token" />
            </div>
            <DialogEnd><Button look="primary" onClick={close}>Done</Button></DialogEnd>
          </>
        ) : (
          <Form
            act={async (fields) => {
              const days = Number(fields.get('days'));
              setMade(await createToken(textOf(fields, 'name') ?? '', days > 0 ? new Date(Date.now() + days * 86_400_000).toISOString() : null));
            }}
          >
            {(busy) => (
              <>
                <TextField label="Name" name="name" required maxLength={100} autoComplete="off" hint="What uses it: so that you know later which to revoke." />
                <SelectField label="Good" name="days" defaultValue="90">{lifetimes.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</SelectField>
                <DialogEnd>
                  <Button onClick={close}>Cancel</Button>
                  <Button type="submit" look="primary" busy={busy}>Create token</Button>
                </DialogEnd>
              </>
            )}
          </Form>
        )}
      </Dialog>
    </Card>
  );
}
