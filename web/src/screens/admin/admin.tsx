// What an administrator may look at. A new part: its file beside this one, a line in `places.ts` and one in `parts`.
import type { ComponentType } from 'react';

import { Title } from '@/parts/page';
import { PartNav } from '@/parts/part_nav';

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
  const place = adminPlaces.find((each) => each.name === part);
  const shown = place && parts[place.name];
  if (!shown || (id && !shown.one)) return <NotFound />;
  return (
    <>
      <Title>Administration</Title>
      <PartNav of="administration" places={adminPlaces} part={part} path={adminPath} below={Boolean(id)} className="mb-5" />
      {id && shown.one ? <shown.one id={id} /> : <shown.part />}
    </>
  );
}
