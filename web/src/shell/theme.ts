// Dark or light: the system's, until the reader chooses (public/theme.js applies it before anything is painted).
import { Store } from '@/base/store';

export type Theme = 'system' | 'light' | 'dark';

const read = (): Theme => {
  const chosen = document.documentElement.dataset.theme;
  return chosen === 'dark' || chosen === 'light' ? chosen : 'system';
};
export const theme = new Store<Theme>(read());

export function setTheme(chosen: Theme) {
  theme.set(chosen);
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  try {
    if (chosen === 'system') localStorage.removeItem('theme');
    else localStorage.setItem('theme', chosen);
  } catch {
    // Storage may be refused; then it is forgotten with the page.
  }
}
