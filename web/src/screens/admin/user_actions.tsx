// What an administrator can do to an account; the same in the list and on its own page.
import { Ban, Boxes, Ellipsis, Gauge, KeyRound, ShieldCheck, ShieldOff, UserCheck } from 'lucide-react';
import { useState } from 'react';

import { tellNews } from '@/base/outcomes';
import { navigate } from '@/base/router';
import { changeUser, workspaceQuery } from '@/data/admin';
import { useSession } from '@/data/account';
import type { UserChange, UserSummary } from '@/data/types';
import { IconButton } from '@/parts/button';
import { confirm, Dialog } from '@/parts/dialog';
import { Menu, type MenuEntry } from '@/parts/menu';
import { Secret } from '@/parts/secret';

const own = 'Not your own: another administrator can.';

export function UserMenu({ user, page = false }: { user: UserSummary; page?: boolean }) {
  const session = useSession();
  const [password, setPassword] = useState('');
  const isOwn = session.kind === 'open' && session.user.id === user.id;
  const off = isOwn && own;
  const ask = (title: string, text: string, verb: string, change: UserChange, news: string, danger = true) =>
    confirm({
      title,
      text,
      verb,
      danger,
      act: async () => {
        const changed = await changeUser(user.id, change);
        if (changed.oneTimePassword) setPassword(changed.oneTimePassword);
        tellNews(news);
      },
    });
  const { email } = user;
  const entries: (MenuEntry | 'line')[] = [
    ...(page ? [] : [{ label: 'Show, and set the quota', icon: Gauge, act: () => navigate(`/admin/users/${user.id}`) }]),
    { label: 'Their workspaces', icon: Boxes, act: () => navigate(`/admin/workspaces?${workspaceQuery({ user: user.id })}`) },
    'line',
    user.role === 'admin'
      ? { label: 'Take administration away', icon: ShieldOff, off, act: () => ask(`Take administration away from ${email}?`, 'It counts at once. Their workspaces and projects stay as they are.', 'Take it away', { role: 'user' }, `${email} is no administrator any more.`) }
      : { label: 'Make an administrator', icon: ShieldCheck, act: () => ask(`Make ${email} an administrator?`, 'They can then manage every account, stop every workspace and see the audit log. They do not see what is in others’ workspaces.', 'Make administrator', { role: 'admin' }, `${email} is an administrator now.`, false) },
    { label: 'New one-time password', icon: KeyRound, off: isOwn && 'Yours is changed under Account.', act: () => ask(`A new password for ${email}?`, 'The old one counts no more, and their sessions end. API tokens stay.', 'Make a password', { resetPassword: true }, `${email} has a new password.`) },
    'line',
    user.isActive
      ? { label: 'Disable the account', icon: Ban, danger: true, off, act: () => ask(`Disable ${email}?`, 'They are signed out at once, and their API tokens do not count. What runs goes on; nothing is deleted, and you can enable the account again.', 'Disable account', { isActive: false }, `${email} is disabled.`) }
      : { label: 'Enable the account', icon: UserCheck, act: () => ask(`Enable ${email}?`, 'They can sign in again, and their API tokens count again.', 'Enable account', { isActive: true }, `${email} is enabled.`, false) },
  ];
  return (
    <>
      <Menu trigger={<IconButton label={`More for ${email}`} icon={Ellipsis} look={page ? 'secondary' : 'quiet'} />} entries={entries} />
      <Dialog open={password !== ''} onClose={() => setPassword('')} title={`The password of ${email}`}>
        <Secret text={password} what="the password" hint="They sign in with it, and set their own under Account." done={() => setPassword('')} />
      </Dialog>
    </>
  );
}
