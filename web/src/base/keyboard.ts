// The keyboard of whoever reads.
type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>;

export const onMac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);

/** Ctrl-K, or ⌘K on a Mac: there Ctrl-K deletes to the end of the line, in every text field. */
export const asksForPalette = ({ key, ctrlKey, metaKey, altKey, shiftKey }: Pressed, mac = onMac) =>
  key.toLowerCase() === 'k' && (mac ? metaKey && !ctrlKey : ctrlKey && !metaKey) && !altKey && !shiftKey;
