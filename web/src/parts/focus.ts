import { useEffect } from 'react';

import { focusTitle, isLost, topDialog } from '@/base/focus';

/** Something goes when this changes: a row of a list, a button. If the focus was on it, the screen's title takes it. */
export function useFocusKept(changes: unknown) {
  useEffect(() => {
    if (isLost() && !topDialog()) focusTitle();
  }, [changes]);
}
