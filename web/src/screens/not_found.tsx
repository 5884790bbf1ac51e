import { Compass } from 'lucide-react';

import { buttonClass } from '@/parts/button';
import { Link } from '@/parts/link';
import { Empty, Title } from '@/parts/page';

export function NotFound({ title = 'Not found', what = 'There is no screen at this address.', children = 'It may have been deleted, or the link is of somebody else’s.' }: { title?: string; what?: string; children?: string }) {
  return (
    <>
      <Title>{title}</Title>
      <Empty icon={Compass} title={what} action={<Link to="/workspaces" className={buttonClass('primary')}>Go to your workspaces</Link>}>
        {children}
      </Empty>
    </>
  );
}
