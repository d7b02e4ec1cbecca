// Selecting rows (x, Shift and click, "all in this view"), steps on them, z to take the last step back, Ctrl-K.
"use strict";

(() => {
  const bar = document.getElementById("bulk");
  const picks = () => [...document.querySelectorAll("#rows .pick")];
  let last = null;

  function count() {
    if (!bar) return;
    const number = picks().filter((box) => box.checked).length;
    document.getElementById("picked").textContent = String(number);
    const shown = number > 0 || document.getElementById("whole").checked;
    if (shown && !bar.classList.contains("shown")) htmx.trigger("#whole-count", "look");
    bar.classList.toggle("shown", shown);
  }

  function clear() {
    for (const box of picks()) box.checked = false;
    if (bar) document.getElementById("whole").checked = false;
    count();
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    if (target.closest("[data-progress-close]")) document.getElementById("progress").replaceChildren();
    if (!target.matches(".pick")) return;
    if (event.shiftKey && last && last.isConnected) {
      const boxes = picks();
      const [from, to] = [boxes.indexOf(last), boxes.indexOf(target)].sort((a, b) => a - b);
      for (const box of boxes.slice(from, to + 1)) box.checked = target.checked;
    }
    last = target;
    count();
  });
  document.addEventListener("change", (event) => { if (event.target.id === "whole") count(); });

  function pick() {
    const row = document.activeElement && document.activeElement.closest("#rows > li");
    const box = (row || document.querySelector("#rows > li:has(> a[aria-current])") || document).querySelector(".pick");
    if (box) box.click();
  }

  function undo() {
    const reply = [...document.querySelectorAll('#open [data-key="z"]')].pop();
    if (reply) return reply.click();
    htmx.ajax("POST", "/undo/", { target: "#progress", swap: "outerHTML" });
  }

  // the merge of new rows makes new boxes: what was ticked stays ticked
  const ticked = new Set();
  document.addEventListener("change", (event) => {
    if (event.target instanceof Element && event.target.matches(".pick")) ticked[event.target.checked ? "add" : "delete"](event.target.value);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (bar && event.detail.elt === bar && event.detail.successful) { ticked.clear(); clear(); }
  });

  // -- the palette ------------------------------------------------------------------------------------------------

  const palette = document.getElementById("palette");
  const field = document.getElementById("palette-text");
  const found = document.getElementById("palette-found");

  function options() {
    return [...palette.querySelectorAll("[data-option]:not([hidden])")];
  }

  function choose(step) {
    const all = options();
    const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    for (const one of all) one.setAttribute("aria-selected", String(one === next));
    if (next) { field.setAttribute("aria-activedescendant", next.id); next.scrollIntoView({ block: "nearest" }); }
  }

  function narrow() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const open = Boolean(document.querySelector("#open .composer"));
    for (const one of palette.querySelectorAll("#palette-steps [data-option]")) {
      const there = one.dataset.thread === undefined || open;
      one.hidden = !there || !words.every((word) => one.textContent.toLowerCase().includes(word));
    }
    for (const one of palette.querySelectorAll("[data-option]")) one.setAttribute("aria-selected", "false");
    choose(1);
  }

  function openPalette() {
    if (!palette) return false;
    const thread = document.querySelector("#open .composer") && document.getElementById("thread");
    document.getElementById("palette-thread").value = thread ? thread.dataset.thread : "";
    field.value = "";
    found.replaceChildren();
    narrow();
    palette.showModal();
    field.focus();
    if (thread) htmx.trigger(field, "look");
  }

  // What a command does is what its key does, or what its own button asks the server for.
  function run(option) {
    palette.close();
    if (option.dataset.press) keys.press(option.dataset.press);
    else if (option.dataset.macro) document.dispatchEvent(new CustomEvent("macro:insert", { detail: option }));
  }

  if (palette) {
    field.addEventListener("input", narrow);
    found.addEventListener("htmx:afterSwap", narrow);
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
  }

  keys.on("Ctrl k", openPalette);
  keys.on("x", pick);
  keys.on("z", undo);
  keys.on("Escape", () => {
    if (!bar || !bar.classList.contains("shown") || document.querySelector("details.drop[open]")) return false;
    clear();
  });

  new MutationObserver(() => {
    for (const box of picks()) if (ticked.has(box.value)) box.checked = true;
    count();
  }).observe(document.getElementById("rows") || document.body, { childList: true });
})();
