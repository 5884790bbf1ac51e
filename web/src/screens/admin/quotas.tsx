import { Save } from 'lucide-react';

import { tellNews } from '@/base/outcomes';
import { setUserQuota, useUserQuota } from '@/data/account';
import type { UserQuota } from '@/data/types';
import { Button } from '@/parts/button';
import { useDraft } from '@/parts/draft';
import { TextField } from '@/parts/field';
import { Form } from '@/parts/form';
import { Failed } from '@/parts/notice';
import { Card, Skeleton } from '@/parts/page';
import { QuotaBars, quotaNames, quotaOrder } from '@/parts/quota';

/** What a user has in use, and may have. */
export function QuotaOf({ user }: { user: string }) {
  const quota = useUserQuota(user);
  return (
    <>
      {quota.isPending && <Skeleton className="h-56" />}
      {quota.isLoadingError && <Failed what="The quota" problem={quota.error} again={quota.refetch} />}
      {quota.data && <OneQuota key={user} user={user} quota={quota.data} />}
    </>
  );
}

const perGigabyte = 1_000_000_000;

type Fields = Record<keyof UserQuota['overrides'], string>;
const fieldsOf = ({ overrides }: UserQuota) =>
  Object.fromEntries(quotaOrder.map((name) => [name, overrides[name] === null ? '' : String(name === 'volumeBytes' ? overrides[name] / perGigabyte : overrides[name])])) as Fields;

function OneQuota({ user, quota }: { user: string; quota: UserQuota }) {
  const { shown, field, saved } = useDraft(fieldsOf(quota));
  return (
    <div className="grid grid-cols-1 items-start gap-4 sm:grid-cols-2">
      <Card title="In use"><QuotaBars quota={quota} /></Card>
      <Card title="For this user" hint="Empty: as for all. 0: no limit.">
        <Form
          act={async () => {
            const change = Object.fromEntries(
              quotaOrder.map((name) => {
                const text = shown[name].trim();
                if (text === '') return [name, null];
                const value = Number(text.replace(',', '.'));
                if (!Number.isFinite(value) || value < 0) throw new Error(`${quotaNames[name].label}: “${text}” is no amount.`);
                return [name, name === 'volumeBytes' ? Math.round(value * perGigabyte) : value];
              }),
            );
            await setUserQuota(user, change);
            saved();
            tellNews('The quota is saved.');
          }}
        >
          {(busy) => (
            <>
              {quotaOrder.map((name) => (
                <TextField key={name} inputMode="decimal" {...field(name)} label={quotaNames[name].label + (name === 'memory' ? ' in MB' : name === 'volumeBytes' ? ' in GB' : '')} />
              ))}
              <div><Button type="submit" look="primary" icon={Save} busy={busy}>Save</Button></div>
            </>
          )}
        </Form>
      </Card>
    </div>
  );
}
