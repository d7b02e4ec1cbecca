// Keys of the approval queue: j and k move, a approves, e edits, x refuses. They press what a mouse would.
"use strict";

(() => {
  const cards = () => [...document.querySelectorAll("[data-approval]")];
  const current = () => document.activeElement.closest("[data-approval]") || cards()[0];

  function move(step) {
    const all = cards();
    const at = all.indexOf(document.activeElement.closest("[data-approval]"));
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    if (next) next.focus();
  }

  keys.on("j", () => move(1));
  keys.on("k", () => move(-1));
  keys.on("a", () => current()?.querySelector("[data-approve]").click());
  keys.on("e", () => current()?.querySelector("[data-edit]").focus());
  keys.on("x", () => current()?.querySelector("[data-refuse]").focus());

  document.addEventListener("keydown", (event) => {
    const field = event.target instanceof Element && event.target.closest("input, textarea, select");
    if (field && event.key === "Escape") return field.closest("[data-approval]")?.focus();
    if (field && event.key === "Enter" && (event.ctrlKey || event.metaKey)) return field.form.requestSubmit();
  });

  const wanted = location.hash && document.getElementById(location.hash.slice(1));
  (wanted || cards()[0])?.focus();
})();
