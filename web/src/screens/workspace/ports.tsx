import { ExternalLink, Share2, Trash2 } from 'lucide-react';
import { useState } from 'react';

import { moment } from '@/base/format';
import { tellNews } from '@/base/outcomes';
import { usePageFacts } from '@/data/account';
import { share, unshare } from '@/data/shares';
import type { Share } from '@/data/types';
import { isOpenable, useShares } from '@/data/workspaces';
import { Button, IconButton } from '@/parts/button';
import { CopyButton } from '@/parts/copy';
import { confirm } from '@/parts/dialog';
import { SelectField, TextField } from '@/parts/field';
import { useFocusKept } from '@/parts/focus';
import { Form } from '@/parts/form';
import { Failed, Notice } from '@/parts/notice';
import { Badge, Card, Skeleton } from '@/parts/page';

import { openApplication } from '../open_application';
import type { PartProps } from './workspace';

const levels: Record<Share['level'], { name: string; text: string }> = {
  users: { name: 'Users of this server', text: 'Whoever is signed in here.' },
  link: { name: 'Whoever has the link', text: 'Its address holds a secret: send it only to whom you mean.' },
  public: { name: 'Everybody', text: 'Without signing in. Mind what the application lets them do.' },
};

export function PortsPart({ seen, type }: PartProps) {
  const { workspace, phase } = seen;
  const facts = usePageFacts();
  return (
    <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
      <Card title="Open a port" hint="What a program in the workspace serves, for you alone.">
        <Form
          className="flex flex-wrap items-end gap-2"
          act={async (fields) => {
            const port = Number(fields.get('port'));
            if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error('A port is a number from 1 to 65535.');
            await openApplication(workspace, port);
          }}
        >
          {(busy) => (
            <>
              <div className="w-36"><TextField label="Port" name="port" inputMode="numeric" required defaultValue={type?.defaultPort} /></div>
              <Button type="submit" icon={ExternalLink} busy={busy} off={!isOpenable(phase)}>Open</Button>
            </>
          )}
        </Form>
        {!isOpenable(phase) && <p className="mt-2 text-sm text-muted">It is not running: start it first.</p>}
      </Card>
      <Card title="Share a port" hint="What others may use, and nothing else of the workspace.">
        {facts.isLoadingError ? (
          <Failed what="Whether ports can be shared" problem={facts.error} again={facts.refetch} />
        ) : !facts.data ? (
          <Skeleton className="h-24" />
        ) : facts.data.sharing ? (
          <Sharing id={workspace.id} defaultPort={type?.defaultPort} />
        ) : (
          <Notice kind="info">Sharing needs an address of its own for each application: the server’s operator sets it (<code>server.appsDomain</code>).</Notice>
        )}
      </Card>
    </div>
  );
}

function Sharing({ id, defaultPort }: { id: string; defaultPort: number | undefined }) {
  const shares = useShares(id);
  useFocusKept(shares.data?.length);
  const [level, setLevel] = useState<Share['level']>('users');
  return (
    <>
      <Form
        act={async (fields) => {
          const days = Number(fields.get('days'));
          await share(id, { level, port: Number(fields.get('port')), expiresAt: days > 0 ? new Date(Date.now() + days * 86_400_000).toISOString() : null });
          tellNews('The port is shared.');
        }}
      >
        {(busy) => (
          <>
            <div className="grid grid-cols-1 gap-3 sm:grid-cols-3">
              <TextField label="Port" name="port" inputMode="numeric" required defaultValue={defaultPort} />
              <SelectField label="With" value={level} onChange={(event) => setLevel(event.target.value as Share['level'])}>
                {Object.entries(levels).map(([value, { name }]) => <option key={value} value={value}>{name}</option>)}
              </SelectField>
              <SelectField label="For" name="days" defaultValue="7">
                <option value="1">A day</option>
                <option value="7">A week</option>
                <option value="30">A month</option>
                {level !== 'link' && <option value="0">Until taken back</option>}
              </SelectField>
            </div>
            <p className="-mt-2 text-[0.8125rem] text-muted">{levels[level].text}</p>
            <div><Button type="submit" look="primary" icon={Share2} busy={busy}>Share</Button></div>
          </>
        )}
      </Form>
      {shares.isLoadingError && <Failed what="What is shared" problem={shares.error} again={shares.refetch} />}
      <ul className="mt-4 grid grid-cols-1 gap-2">
        {shares.data?.map((each) => (
          <li key={each.id} className="flex items-center gap-2 rounded-xl border border-line py-1.5 pr-1.5 pl-3 text-sm">
            <div className="min-w-0 grow">
              <p className="flex flex-wrap items-center gap-2 font-medium">Port {each.port} <Badge kind={each.level === 'public' ? 'warn' : 'accent'}>{levels[each.level].name}</Badge></p>
              {each.url && <p className="truncate text-xs text-muted">{each.url}</p>}
              <p className="text-xs text-muted">{each.expiresAt ? `Until ${moment(each.expiresAt)}` : 'Until it is taken back'}</p>
            </div>
            {each.url && <CopyButton text={each.url} what="the address" />}
            <IconButton
              label={`Take back port ${each.port}`}
              icon={Trash2}
              onClick={() =>
                confirm({ title: `Take back port ${each.port}?`, text: 'Whoever uses it now is cut off within a second.', verb: 'Take back', act: () => unshare(id, each.id) })
              }
            />
          </li>
        ))}
      </ul>
    </>
  );
}
