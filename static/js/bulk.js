// Selecting rows (x, Shift and click, "all in this view"), steps on them, z to take the last step back.
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
    const held = bar && bar.contains(document.activeElement);
    for (const box of picks()) box.checked = false;
    if (bar) document.getElementById("whole").checked = false;
    count();
    if (held) toRows();
  }

  // The bar goes out of sight with its menus: keys go on where the last thread was picked.
  function toRows() {
    for (const menu of bar.querySelectorAll("details[open]")) menu.open = false;
    const row = (last && last.isConnected && last.closest("li")) || document.querySelector("#rows > li[data-id]");
    (row ? row.querySelector("a") : document.getElementById("main")).focus({ preventScroll: true });
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    if (target.closest("[data-progress-close]")) {
      event.preventDefault();
      document.getElementById("progress").replaceChildren();
    }
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
    // a question (422) leaves the choice as it is until it is answered
    const done = event.detail.successful && event.detail.xhr.status < 400 && event.detail.elt;
    if (bar && (done === bar || (done && done.id === "bulk-ask"))) { ticked.clear(); clear(); }
  });

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
