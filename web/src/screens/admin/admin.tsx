// What an administrator may look at. A new part: its file beside this one, and a line in `parts`.
import { Gauge, ScrollText } from 'lucide-react';

import { Link } from '@/parts/link';
import { Title } from '@/parts/page';

import { NotFound } from '../not_found';
import { AuditPart } from './audit';
import { QuotasPart } from './quotas';

const parts = [
  { name: '', label: 'Audit', icon: ScrollText, part: AuditPart },
  { name: 'quotas', label: 'Quotas', icon: Gauge, part: QuotasPart },
];

export function AdminScreen({ part = '' }: { part?: string }) {
  const shown = parts.find((each) => each.name === part);
  if (!shown) return <NotFound />;
  return (
    <>
      <Title>Administration</Title>
      <nav aria-label="Parts of the administration" className="mb-5 overflow-x-auto border-b border-line">
        <ul className="flex gap-1">
          {parts.map(({ name, label, icon: Icon }) => (
            <li key={name}>
              <Link to={name ? `/admin/${name}` : '/admin'} aria-current={name === part ? 'page' : undefined} className="-mb-px flex items-center gap-2 border-b-2 border-transparent px-3 py-2 text-sm font-medium text-muted hover:text-text aria-[current=page]:border-accent aria-[current=page]:text-text">
                <Icon aria-hidden className="size-4" />
                {label}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <shown.part />
    </>
  );
}
