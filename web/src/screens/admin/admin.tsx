// What an administrator may look at. A new part: its file beside this one, and a line in `parts`.
import { Boxes, Brush, LayoutDashboard, ScrollText, Users } from 'lucide-react';

import { useEffect, useRef } from 'react';

import { Link } from '@/parts/link';
import { Title } from '@/parts/page';

import { NotFound } from '../not_found';
import { AuditPart } from './audit';
import { CleaningPart } from './cleaning';
import { OverviewPart } from './overview';
import { UserPart } from './user';
import { UsersPart } from './users';
import { WorkspacesPart } from './workspaces';

const parts = [
  { name: '', label: 'Overview', icon: LayoutDashboard, part: OverviewPart },
  { name: 'users', label: 'Users', icon: Users, part: UsersPart, one: UserPart },
  { name: 'workspaces', label: 'All workspaces', icon: Boxes, part: WorkspacesPart },
  { name: 'cleaning', label: 'Cleaning', icon: Brush, part: CleaningPart },
  { name: 'audit', label: 'Audit', icon: ScrollText, part: AuditPart },
];

export function AdminScreen({ part = '', id = '' }: { part?: string; id?: string }) {
  const nav = useRef<HTMLElement>(null);
  // On a narrow screen not all have room: the one that is shown is in sight.
  useEffect(() => {
    // Newer browsers answer with a promise, which is no clean-up of an effect.
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [part]);
  const shown = parts.find((each) => each.name === part);
  if (!shown || (id && !shown.one)) return <NotFound />;
  return (
    <>
      <Title>Administration</Title>
      <nav ref={nav} aria-label="Parts of the administration" className="mb-5 overflow-x-auto border-b border-line">
        <ul className="flex gap-1">
          {parts.map(({ name, label, icon: Icon }) => (
            <li key={name}>
              <Link to={name ? `/admin/${name}` : '/admin'} aria-current={name === part ? (id ? 'true' : 'page') : undefined} className="-mb-px flex items-center gap-2 border-b-2 border-transparent px-3 py-2 text-sm font-medium whitespace-nowrap text-muted hover:text-text aria-[current]:border-accent aria-[current]:text-text">
                <Icon aria-hidden className="size-4" />
                {label}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      {id && shown.one ? <shown.one id={id} /> : <shown.part />}
    </>
  );
}
