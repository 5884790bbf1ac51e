// The terminal writes <style> elements and style attributes, which the page's policy refuses. What a script puts into a
// style sheet object, or into an element's style property, is no such thing: the same rules go there.

function sheetElement(): HTMLElement {
  const element = document.createElement('span');
  const sheet = new CSSStyleSheet();
  let text = '';
  element.hidden = true;
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, 'textContent', {
    get: () => text,
    set: (now: string) => {
      text = now;
      sheet.replaceSync(now);
    },
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
    HTMLElement.prototype.remove.call(element);
  };
  return element;
}

const plainSetAttribute = Element.prototype.setAttribute;
let patched = false;

/** Runs what creates the terminal's elements; those of the style kind become sheets. */
export function withSheets(create: () => void) {
  if (!patched) {
    patched = true;
    Element.prototype.setAttribute = function setAttribute(name: string, value: string) {
      if (name === 'style' && this instanceof HTMLElement) this.style.cssText = value;
      else plainSetAttribute.call(this, name, value);
    };
  }
  const plainCreate = document.createElement;
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    if (name !== 'style') return plainCreate.call(document, name, options);
    document.createElement = plainCreate;
    const element = sheetElement();
    document.createElement = outer;
    return element;
  }) as typeof document.createElement;
  const outer = document.createElement;
  try {
    create();
  } finally {
    document.createElement = plainCreate;
  }
}
