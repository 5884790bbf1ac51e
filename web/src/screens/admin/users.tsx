import { UserPlus, Users } from 'lucide-react';
import { useEffect, useState } from 'react';

import { bytes, plural } from '@/base/format';
import { tellNews } from '@/base/outcomes';
import { createUser, useUsers } from '@/data/admin';
import type { UserSummary } from '@/data/types';
import { Button } from '@/parts/button';
import { Cancel, Dialog, DialogEnd } from '@/parts/dialog';
import { SelectField, TextField } from '@/parts/field';
import { Form, textOf } from '@/parts/form';
import { Link } from '@/parts/link';
import { Failed } from '@/parts/notice';
import { Badge, Empty, Skeleton } from '@/parts/page';
import { More, Refresh } from '@/parts/refresh';
import { SearchField } from '@/parts/search';
import { Secret } from '@/parts/secret';
import { Ago } from '@/parts/time';

import { Cell, Table } from './table';
import { UserMenu } from './user_actions';

/** What was typed, once nobody types on. */
function useSettled(value: string, after = 250): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), after);
    return () => clearTimeout(timer);
  }, [value, after]);
  return settled;
}

export function UsersPart() {
  const [typed, setTyped] = useState('');
  const [role, setRole] = useState('');
  const [active, setActive] = useState('');
  const [adding, setAdding] = useState(false);
  const text = useSettled(typed);
  const users = useUsers({ text, role, active });
  const rows = users.data?.pages.flatMap((each) => each.data) ?? [];
  const narrowed = Boolean(text.trim() || role || active);
  return (
    <div className="grid grid-cols-1 gap-4">
      <div className="flex flex-wrap items-center gap-2">
        <SearchField label="Search users" value={typed} onChange={setTyped} className="min-w-0 grow basis-56" />
        <div className="w-36"><SelectField label="Role" hideLabel value={role} onChange={(event) => setRole(event.target.value)}><option value="">Every role</option><option value="user">Users</option><option value="admin">Administrators</option></SelectField></div>
        <div className="w-36"><SelectField label="Accounts" hideLabel value={active} onChange={(event) => setActive(event.target.value)}><option value="">All accounts</option><option value="true">Active</option><option value="false">Disabled</option></SelectField></div>
        <Refresh of={users} what="The users" />
        <Button look="primary" icon={UserPlus} onClick={() => setAdding(true)}>New user</Button>
      </div>
      {users.isPending && <Skeleton className="h-64" />}
      {users.isLoadingError && <Failed what="The users" problem={users.error} again={users.refetch} />}
      {users.data && rows.length === 0 && <Empty icon={Users} title={narrowed ? 'No account fits.' : 'Nobody is here.'}>{narrowed && 'Search for a part of an address or name, or take the filters away.'}</Empty>}
      {rows.length > 0 && (
        <Table label="Users" columns={[{ label: 'User' }, { label: 'Workspaces', look: 'hidden sm:table-cell' }, { label: 'Projects', look: 'hidden lg:table-cell' }, { label: 'Files', look: 'hidden lg:table-cell' }, { label: 'Last seen', look: 'hidden sm:table-cell' }, { label: 'Actions', silent: true }]}>
          {rows.map((each) => <Row key={each.id} user={each} />)}
        </Table>
      )}
      <More of={users} what="the users">Show more</More>
      <NewUser open={adding} close={() => setAdding(false)} />
    </div>
  );
}

export const UserBadges = ({ user }: { user: UserSummary }) => (
  <>
    {user.role === 'admin' && <Badge kind="accent">Administrator</Badge>} {!user.isActive && <Badge kind="bad">Disabled</Badge>}
  </>
);

function Row({ user }: { user: UserSummary }) {
  const seen = user.lastSeenAt ? <Ago time={user.lastSeenAt} /> : 'Never';
  const counted = `${user.workspaces}${user.running > 0 ? `, ${user.running} running` : ''}`;
  return (
    <tr>
      <Cell look="w-full wrap-anywhere">
        <Link to={`/admin/users/${user.id}`} className="font-medium text-accent underline-offset-2 hover:underline">{user.email}</Link> <UserBadges user={user} />
        <p className="text-xs text-muted">{user.username}</p>
        <p className="text-xs text-muted sm:hidden">{plural(user.workspaces, 'workspace')}{user.running > 0 && `, ${user.running} running`} · {user.lastSeenAt ? <>seen {seen}</> : 'never seen'}</p>
      </Cell>
      <Cell look="hidden whitespace-nowrap tabular sm:table-cell">{counted}</Cell>
      <Cell look="hidden tabular lg:table-cell">{user.projects}</Cell>
      <Cell look="hidden whitespace-nowrap tabular lg:table-cell">{user.volumeBytes === null ? <span className="text-muted">not measured</span> : bytes(user.volumeBytes)}</Cell>
      <Cell look="hidden whitespace-nowrap sm:table-cell">{seen}</Cell>
      <td className="py-1 pr-2 text-right align-top"><UserMenu user={user} /></td>
    </tr>
  );
}

function NewUser({ open, close }: { open: boolean; close: () => void }) {
  const [made, setMade] = useState<UserSummary>();
  const done = () => {
    setMade(undefined);
    close();
  };
  return (
    <Dialog open={open} onClose={done} title={made ? `The password of ${made.email}` : 'New user'}>
      {made ? (
        <Secret text={made.oneTimePassword ?? ''} what="the password" hint="Give it to them with this page’s address: they sign in with it, and set their own under Account." done={done} />
      ) : (
        <Form
          act={async (fields) => {
            const user = await createUser({ email: textOf(fields, 'email') ?? '', username: textOf(fields, 'username'), role: fields.get('role') === 'admin' ? 'admin' : 'user' });
            tellNews(`${user.email} has an account now.`);
            setMade(user);
          }}
        >
          {(busy) => (
            <>
              <TextField label="Email" name="email" type="email" required maxLength={254} autoComplete="off" />
              <TextField label="User name" name="username" maxLength={100} autoComplete="off" hint="Empty: what stands before the @." />
              <SelectField label="Role" name="role" defaultValue="user"><option value="user">User</option><option value="admin">Administrator</option></SelectField>
              <p className="text-sm text-muted">A password is made for them, and shown to you once.</p>
              <DialogEnd>
                <Cancel />
                <Button type="submit" look="primary" busy={busy}>Create user</Button>
              </DialogEnd>
            </>
          )}
        </Form>
      )}
    </Dialog>
  );
}
