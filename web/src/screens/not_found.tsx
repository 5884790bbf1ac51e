import { Compass } from 'lucide-react';

import { buttonClass } from '@/parts/button';
import { Link } from '@/parts/link';
import { Empty, Title } from '@/parts/page';

export function NotFound({ what = 'There is no screen at this address.' }: { what?: string }) {
  return (
    <>
      <Title>Not found</Title>
      <Empty icon={Compass} title={what} action={<Link to="/workspaces" className={buttonClass('primary')}>Go to your workspaces</Link>}>
        It may have been deleted, or the link is of somebody else’s.
      </Empty>
    </>
  );
}
