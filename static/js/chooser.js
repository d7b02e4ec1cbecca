// A list that belongs to the text of the composer: arrow keys choose, Enter or Tab takes, Escape closes, and so does
// leaving the text. `take` gets the chosen option, `closed` hears of each closing.
"use strict";

window.chooser = (id, { take, closed = () => {} }) => {
  const text = () => document.getElementById("text");
  const list = () => document.getElementById(id);
  const options = () => [...list().querySelectorAll("[role=option]:not([aria-disabled])")];
  const chosen = () => list().querySelector("[aria-selected=true]");
  const isOpen = () => Boolean(list() && !list().hidden);

  // Shows these options; the one of that id stays chosen, where it is among them, or else the first is.
  function show(elements) {
    const before = isOpen() && chosen()?.id;
    list().replaceChildren(...elements);
    list().hidden = false;
    choose(options().find((one) => one.id === before) || options()[0]);
  }

  function close() {
    closed();
    if (!isOpen()) return;
    list().hidden = true;
    text()?.removeAttribute("aria-activedescendant");
  }

  function choose(option) {
    options().forEach((one) => one.setAttribute("aria-selected", String(one === option)));
    if (!option) return text().removeAttribute("aria-activedescendant");
    text().setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function move(step) {
    const all = options();
    choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
  }

  // Puts words in the place of what was typed from `start` on, and closes.
  function insert(words, start) {
    text().setRangeText(words, start, text().selectionStart, "end");
    close();
    text().focus();
    text().dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "text" || !isOpen() || event.ctrlKey || event.metaKey) return;
    const deed = {
      ArrowDown: () => move(1), ArrowUp: () => move(-1), Escape: close,
      Enter: () => take(chosen()), Tab: () => take(chosen()),
    }[event.key];
    if (!deed || (event.key !== "Escape" && !options().length)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    deed();
  }, true);

  document.addEventListener("pointerdown", (event) => {
    const option = event.target instanceof Element && event.target.closest(`#${id} [role=option]:not([aria-disabled])`);
    if (!option) return;
    event.preventDefault();
    take(option);
  });

  document.addEventListener("focusout", (event) => { if (event.target.id === "text") close(); });

  return { show, close, insert };
};
