// Ctrl-K: commands for the open thread, views, places, and threads by words. A command does what its key does.
"use strict";

(() => {
  const palette = document.getElementById("palette");
  if (!palette) return;

  const field = document.getElementById("palette-text");
  const found = document.getElementById("palette-found");
  const views = document.getElementById("palette-views");

  function options() {
    return [...palette.querySelectorAll("[data-option]:not([hidden])")];
  }

  function choose(step) {
    const all = options();
    const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    for (const one of all) one.setAttribute("aria-selected", String(one === next));
    if (next) { field.setAttribute("aria-activedescendant", next.id); next.scrollIntoView({ block: "nearest" }); }
    else field.removeAttribute("aria-activedescendant");
  }

  // What cannot be done on this page is not offered.
  function possible(option, open) {
    if (option.dataset.thread !== undefined && !open) return false;
    return !option.dataset.press || keys.has(option.dataset.press);
  }

  function narrow() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const open = Boolean(document.querySelector("#open .composer"));
    for (const one of palette.querySelectorAll("#palette-steps [data-option]")) {
      one.hidden = !possible(one, open) || !words.every((word) => one.textContent.toLowerCase().includes(word));
    }
    for (const one of palette.querySelectorAll("[data-option]")) one.setAttribute("aria-selected", "false");
    choose(1);
  }

  function openPalette() {
    const thread = document.querySelector("#open .composer") && document.getElementById("thread");
    document.getElementById("palette-thread").value = thread ? thread.dataset.thread : "";
    field.value = "";
    found.replaceChildren();
    narrow();
    palette.showModal();
    field.focus();
    htmx.trigger(views, "look");
    if (thread) htmx.trigger(field, "look");
  }

  function run(option) {
    palette.close();
    if (option.dataset.press) keys.press(option.dataset.press);
    else if (option.dataset.macro) document.dispatchEvent(new CustomEvent("macro:insert", { detail: option }));
  }

  field.addEventListener("input", narrow);
  palette.addEventListener("htmx:afterSwap", narrow);
  document.getElementById("palette-ask").addEventListener("submit", (event) => event.preventDefault());
  palette.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const chosen = options().find((one) => one.getAttribute("aria-selected") === "true");
      if (chosen) chosen.click();
    }
  });
  palette.addEventListener("click", (event) => {
    const option = event.target instanceof Element && event.target.closest("[data-option]");
    if (option) run(option);
  });

  keys.on("Ctrl k", openPalette);
})();
