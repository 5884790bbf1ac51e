// In place of the package react-style-singleton, by which radix-ui keeps the page from scrolling behind a dialog: that
// writes a <style> element, which the page's policy refuses. Style sheets that a script makes are no such elements.
import { useEffect } from 'react';

export const styleHookSingleton = () => {
  let users = 0;
  let sheet: CSSStyleSheet | undefined;
  return (styles: string, _dynamic?: boolean) => {
    useEffect(() => {
      if (users++ === 0) {
        sheet = new CSSStyleSheet();
        sheet.replaceSync(styles);
        document.adoptedStyleSheets.push(sheet);
      }
      return () => {
        if (--users > 0) return;
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
        sheet = undefined;
      };
    }, [styles]);
  };
};

export const styleSingleton = () => {
  const useStyle = styleHookSingleton();
  return function Sheet({ styles, dynamic }: { styles: string; dynamic?: boolean }) {
    useStyle(styles, dynamic);
    return null;
  };
};
