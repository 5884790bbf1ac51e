// Where the focus was: a dialog that closes gives it back. Noted of each layer apart, a dialog or the screen below: of a menu that
// opened one its trigger counts, which a mouse does not focus.
const layers = '[role=dialog], [role=alertdialog]';
const layerOf = (element: Element): Element => element.closest(layers) ?? document.body;

interface Place {
  element: HTMLElement;
  path: string;
}
const lastIn = new WeakMap<Element, Place>();

if (typeof document !== 'undefined') {
  document.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof HTMLElement) || target === document.body || target.closest('[data-radix-focus-guard]')) return;
    const menu = target.closest('[role=menu]');
    const element = menu ? document.getElementById(menu.getAttribute('aria-labelledby') ?? '') : target;
    if (element) lastIn.set(layerOf(element), { element, path: location.pathname });
  });
}

/** The dialog that stands above all else. */
export const topDialog = (): HTMLElement | undefined => [...document.querySelectorAll<HTMLElement>(layers)].at(-1);

export const isLost = () => document.activeElement === null || document.activeElement === document.body;

/** To the screen's title, where nothing nearer is left. */
export function focusTitle() {
  document.querySelector('h1')?.focus({ preventScroll: true });
}

/** After a dialog: to where it was before, if that is still there; on another screen to its title. */
export function giveFocusBack() {
  // Something has taken it meanwhile, on purpose.
  if (!isLost()) return;
  const dialog = topDialog();
  const last = lastIn.get(dialog ?? document.body);
  if (last && last.path === location.pathname) last.element.focus({ preventScroll: true });
  if (!isLost()) return;
  if (dialog) dialog.focus();
  else focusTitle();
}
