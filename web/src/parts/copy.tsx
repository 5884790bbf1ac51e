import { Check, Copy } from 'lucide-react';
import { useState } from 'react';

import { tellProblem } from '@/base/outcomes';

import { IconButton } from './button';

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
      setTimeout(() => setDone(false), 2_000);
    } catch {
      tellProblem(`${what} could not be copied`, new Error('The browser refused. Mark the text and copy it by hand.'));
    }
  };
  return <IconButton label={done ? 'Copied' : `Copy ${what}`} icon={done ? Check : Copy} onClick={() => void copy()} />;
}
