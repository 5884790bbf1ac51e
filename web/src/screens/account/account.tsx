import { tellNews } from '@/base/outcomes';
import { changePassword, changeProfile, profileChange, profileOf, useSession } from '@/data/account';
import type { User } from '@/data/types';
import { useQuota } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { useDraft } from '@/parts/draft';
import { TextField } from '@/parts/field';
import { Form } from '@/parts/form';
import { Failed } from '@/parts/notice';
import { Card, Skeleton, Title } from '@/parts/page';
import { QuotaBars } from '@/parts/quota';

import { Sessions } from './sessions';
import { Tokens } from './tokens';

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
          <Sessions />
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
  const { shown, field, saved } = useDraft(profileOf(user));
  const changed = shown.email.trim() !== user.email;
  return (
    <Card title="Profile">
      <Form
        act={async (fields) => {
          await changeProfile(profileChange(user, shown, String(fields.get('currentPassword') ?? '')));
          saved();
          tellNews('The profile is saved.');
        }}
      >
        {(busy) => (
          <>
            <TextField label="Email" type="email" required autoComplete="email" {...field('email')} />
            {changed && <TextField label="Current password" name="currentPassword" type="password" required autoComplete="current-password" hint="Another address needs it." />}
            <TextField label="User name" required maxLength={100} autoComplete="nickname" {...field('username')} />
            <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
              <TextField label="First name" maxLength={100} autoComplete="given-name" {...field('firstName')} />
              <TextField label="Last name" maxLength={100} autoComplete="family-name" {...field('lastName')} />
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
      {quota.isLoadingError && <Failed what="Your quota" problem={quota.error} again={quota.refetch} />}
      {quota.data && <QuotaBars quota={quota.data} />}
    </Card>
  );
}
