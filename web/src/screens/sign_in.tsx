import { useEffect, useRef, useState } from 'react';

import { register, signIn } from '@/base/session';
import { usePageFacts } from '@/data/account';
import { Button } from '@/parts/button';
import { TextField } from '@/parts/field';
import { Form } from '@/parts/form';
import { Notice } from '@/parts/notice';

/** The way in. Where the operator lets anybody make an account, that too. */
export function SignIn({ notice }: { notice: string }) {
  const facts = usePageFacts();
  const [registering, setRegistering] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = 'AgentDB9 Workspaces';
  }, []);
  useEffect(() => {
    first.current?.focus();
  }, [registering]);
  const isOpen = facts.data?.registrationOpen ?? false;
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center px-4 py-10">
      <div className="w-full max-w-sm">
        <div className="mb-6 flex flex-col items-center gap-3 text-center">
          <img src="/favicon.svg" alt="" width="52" height="52" />
          <div>
            <p className="text-xl font-semibold tracking-tight">AgentDB9 Workspaces</p>
            <p className="text-sm text-muted">Your environments and projects, a click away.</p>
          </div>
        </div>
        <section aria-labelledby="entrance" className="rounded-2xl border border-line bg-surface p-6 shadow-card">
          <h1 id="entrance" className="mb-4 text-lg font-semibold">{registering ? 'Create an account' : 'Sign in'}</h1>
          {notice && !registering && <Notice kind="info" className="mb-4">{notice}</Notice>}
          {registering ? (
            <Form key="register" act={(fields) => register({ email: String(fields.get('email')).trim(), username: String(fields.get('username')).trim(), password: String(fields.get('password')) })}>
              {(busy) => (
                <>
                  <TextField ref={first} label="Email" name="email" type="email" autoComplete="username" required />
                  <TextField label="User name" name="username" autoComplete="nickname" required />
                  <TextField label="Password" name="password" type="password" autoComplete="new-password" required hint="The longer, the better: a sentence is good." />
                  <Button type="submit" look="primary" busy={busy} className="w-full">Create account</Button>
                </>
              )}
            </Form>
          ) : (
            <Form key="sign-in" act={(fields) => signIn(String(fields.get('email')).trim(), String(fields.get('password')))}>
              {(busy) => (
                <>
                  <TextField ref={first} label="Email" name="email" type="email" autoComplete="username" required />
                  <TextField label="Password" name="password" type="password" autoComplete="current-password" required />
                  <Button type="submit" look="primary" busy={busy} className="w-full">Sign in</Button>
                </>
              )}
            </Form>
          )}
        </section>
        <p className="mt-4 min-h-6 text-center text-sm text-muted">
          {isOpen && (
            <>
              {registering ? 'You have an account? ' : 'No account yet? '}
              <button type="button" className="font-medium text-accent underline underline-offset-2" onClick={() => setRegistering(!registering)}>
                {registering ? 'Sign in' : 'Create one'}
              </button>
            </>
          )}
          {facts.data && !isOpen && 'Accounts are made by your administrator.'}
        </p>
      </div>
    </main>
  );
}
