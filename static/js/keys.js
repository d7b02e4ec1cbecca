// The keys of the product. Whatever acts on a key says so here, by a literal `keys.on("...")`: a test holds the overview
// of keys against these lines. "g i" is g, then i; "Ctrl k" also counts while somebody writes, the others do not.
"use strict";

window.keys = (() => {
  const FOLLOWS_MS = 1500;
  const deeds = new Map();
  let begun = { key: "", at: 0 };

  function writing(element) {
    return element instanceof HTMLElement && (element.isContentEditable || element.matches("input:not([type=radio], [type=checkbox]), textarea, select"));
  }

  function on(name, deed) {
    deeds.set(name, deed);
  }

  function nameOf(event) {
    if (event.ctrlKey || event.metaKey) return `Ctrl ${event.key.toLowerCase()}`;
    const before = Date.now() - begun.at < FOLLOWS_MS ? begun.key : "";
    begun = { key: event.key, at: Date.now() };
    return before && deeds.has(`${before} ${event.key}`) ? `${before} ${event.key}` : event.key;
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    const mayWrite = event.ctrlKey || event.metaKey;
    if (!mayWrite && writing(event.target)) return;
    const deed = deeds.get(nameOf(event));
    if (!deed || deed(event) === false) return;
    event.preventDefault();
  });

  // Does what a key does, for whoever clicks instead.
  function press(name) {
    if (deeds.has(name)) deeds.get(name)();
  }

  const has = (name) => deeds.has(name);

  return { on, press, has };
})();
