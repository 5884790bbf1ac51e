// Before anything is painted: the colours that the reader chose, where they are not the system's.
try {
  const chosen = localStorage.getItem('theme');
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be refused; then the system's colours are.
}
