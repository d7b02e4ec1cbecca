// "/" in the composer looks for a macro; the chosen one is inserted with its variables filled in.
"use strict";

(() => {
  const WAIT_MS = 120;
  const SLASH = /(^|\s)\/([^\n/]{0,60})$/;

  const form = () => document.getElementById("composer");
  const text = () => document.getElementById("text");

  let waiting = 0;
  let turn = 0;

  const macros = window.chooser("macro-choice", {
    take(option) {
      const place = typed();
      if (place) put(option, place.start);
      else macros.close();
    },
    closed() {
      clearTimeout(waiting);
      turn += 1;
    },
  });

  function typed() {
    const match = SLASH.exec(text().value.slice(0, text().selectionStart));
    return match && { words: match[2], start: text().selectionStart - match[2].length - 1 };
  }

  async function look(words) {
    const mine = ++turn;
    try {
      const answer = await fetch(`${form().dataset.macros}?q=${encodeURIComponent(words)}`, { redirect: "manual" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine === turn && form() && typed()) macros.show([...page.body.children]);
    } catch {
      macros.close(); // no connection: there is nothing to choose from
    }
  }

  function put(option, start) {
    form().elements.namedItem("macro").value = option.dataset.id || option.dataset.macro;
    const steps = document.getElementById("macro-steps");
    steps.hidden = !option.dataset.steps;
    steps.querySelector("[data-steps]").textContent = option.dataset.steps;
    macros.insert(option.dataset.text, start);
  }

  // chosen in the palette
  document.addEventListener("macro:insert", (event) => { if (text()) put(event.detail, text().selectionStart); });

  document.addEventListener("input", (event) => {
    if (event.target.id !== "text") return;
    const place = typed();
    if (!place) return macros.close();
    clearTimeout(waiting);
    waiting = setTimeout(() => look(place.words), WAIT_MS);
  });
})();
