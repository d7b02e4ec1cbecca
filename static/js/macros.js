// "/" in the composer looks for a macro: arrow keys choose, Enter inserts it with its variables filled in, Escape leaves.
"use strict";

(() => {
  const WAIT_MS = 120;
  const SLASH = /(^|\s)\/([^\n/]{0,60})$/;

  const form = () => document.getElementById("composer");
  const text = () => document.getElementById("text");
  const list = () => document.getElementById("macro-choice");
  const options = () => [...list().querySelectorAll("[data-id]")];
  const chosen = () => list().querySelector("[aria-selected=true]");

  let waiting = 0;
  let turn = 0;

  function typed() {
    const match = SLASH.exec(text().value.slice(0, text().selectionStart));
    return match && { words: match[2], start: text().selectionStart - match[2].length - 1 };
  }

  function close() {
    clearTimeout(waiting);
    turn += 1;
    if (!list() || list().hidden) return;
    list().hidden = true;
    text().removeAttribute("aria-activedescendant");
  }

  async function look(words) {
    const mine = ++turn;
    try {
      const answer = await fetch(`${form().dataset.macros}?q=${encodeURIComponent(words)}`, { redirect: "manual" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== turn || !list() || !typed()) return;
      list().replaceChildren(...page.body.children);
      list().hidden = false;
      choose(options()[0]);
    } catch {
      close(); // no connection: there is nothing to choose from
    }
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

  function insert(option) {
    const place = typed();
    if (!place) return close();
    put(option, place.start);
  }

  function put(option, start) {
    text().setRangeText(option.dataset.text, start, text().selectionStart, "end");
    form().elements.namedItem("macro").value = option.dataset.id || option.dataset.macro;
    const steps = document.getElementById("macro-steps");
    steps.hidden = !option.dataset.steps;
    steps.querySelector("[data-steps]").textContent = option.dataset.steps;
    close();
    text().focus();
    text().dispatchEvent(new Event("input", { bubbles: true }));
  }

  // chosen in the palette
  document.addEventListener("macro:insert", (event) => { if (text()) put(event.detail, text().selectionStart); });

  document.addEventListener("input", (event) => {
    if (event.target.id !== "text") return;
    const place = typed();
    if (!place) return close();
    clearTimeout(waiting);
    waiting = setTimeout(() => look(place.words), WAIT_MS);
  });

  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "text" || list().hidden) return;
    const deeds = {
      ArrowDown: () => move(1), ArrowUp: () => move(-1), Escape: close,
      Enter: () => chosen() && insert(chosen()), Tab: () => chosen() && insert(chosen()),
    };
    const deed = deeds[event.key];
    if (!deed || event.ctrlKey || event.metaKey || (event.key !== "Escape" && !options().length)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    deed();
  }, true);

  document.addEventListener("pointerdown", (event) => {
    const option = event.target instanceof Element && event.target.closest("#macro-choice [data-id]");
    if (!option) return;
    event.preventDefault();
    insert(option);
  });

  document.addEventListener("focusout", (event) => {
    if (event.target.id === "text") close();
  });
})();
