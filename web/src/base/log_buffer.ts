// The last lines of a log, as a screen shows them.
export interface Line {
  key: number;
  time: string | undefined;
  text: string;
  /** `error`: printed to the error stream; `note`: the server's own word between the lines. */
  kind: 'plain' | 'error' | 'note';
}

export const mostLines = 5_000;

// Colours and cursor movements of terminals (ECMA-48): the page shows text.
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
export const withoutEscapes = (text: string) => (text.includes('\u001b') ? text.replace(escapes, '') : text);

export const withLines = (lines: readonly Line[], more: readonly Line[]): Line[] => [...lines, ...more].slice(-mostLines);

/** Those that hold the text, whatever its case. */
export const found = (lines: readonly Line[], text: string): readonly Line[] => {
  const wanted = text.toLowerCase();
  return wanted === '' ? lines : lines.filter((each) => each.text.toLowerCase().includes(wanted));
};
