// What an administrator may look at. A new part: its file beside this one, a line in `places.ts` and one in `parts`.
import { useEffect, useRef, type ComponentType } from 'react';

import { Link } from '@/parts/link';
import { Title } from '@/parts/page';

import { NotFound } from '../not_found';
import { AuditPart } from './audit';
import { CleaningPart } from './cleaning';
import { OverviewPart } from './overview';
import { adminPath, adminPlaces } from './places';
import { UserPart } from './user';
import { UsersPart } from './users';
import { WorkspacesPart } from './workspaces';

type Name = (typeof adminPlaces)[number]['name'];
const parts: Record<Name, { part: ComponentType; one?: ComponentType<{ id: string }> }> = {
  '': { part: OverviewPart },
  users: { part: UsersPart, one: UserPart },
  workspaces: { part: WorkspacesPart },
  cleaning: { part: CleaningPart },
  audit: { part: AuditPart },
};

export function AdminScreen({ part = '', id = '' }: { part?: string; id?: string }) {
  const nav = useRef<HTMLElement>(null);
  // On a narrow screen not all have room: the one that is shown is in sight.
  useEffect(() => {
    // Newer browsers answer with a promise, which is no clean-up of an effect.
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [part]);
  const place = adminPlaces.find((each) => each.name === part);
  const shown = place && parts[place.name];
  if (!shown || (id && !shown.one)) return <NotFound />;
  return (
    <>
      <Title>Administration</Title>
      <nav ref={nav} aria-label="Parts of the administration" className="mb-5 overflow-x-auto border-b border-line">
        <ul className="flex gap-1">
          {adminPlaces.map(({ name, label, icon: Icon }) => (
            <li key={name}>
              <Link to={adminPath(name)} aria-current={name === part ? (id ? 'true' : 'page') : undefined} className="-mb-px flex items-center gap-2 border-b-2 border-transparent px-3 py-2 text-sm font-medium whitespace-nowrap text-muted hover:text-text aria-[current]:border-accent aria-[current]:text-text">
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
