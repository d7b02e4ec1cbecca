// A small list of emoji beside the composer: typing filters, arrow keys move, Enter puts one into the text.
"use strict";

(() => {
  const menu = () => document.querySelector("#composer .emoji");
  const list = () => menu().querySelector(".emoji-list");
  const buttons = () => [...list().children].filter((one) => !one.hidden);

  const columns = () => getComputedStyle(list()).gridTemplateColumns.split(" ").length;

  function reveal() {
    if (menu()) menu().hidden = false;
  }

  let known = null; // asked for once

  async function fill() {
    if (list().children.length) return;
    try {
      const answer = known || await fetch(menu().dataset.list, { redirect: "manual" }).then((one) => (one.ok ? one.text() : ""));
      known = answer || null;
      const page = new DOMParser().parseFromString(answer, "text/html");
      if (!list().children.length) list().append(...page.body.children);
      filter(document.getElementById("emoji-find").value);
    } catch {
      known = null; // no connection: asked for again
    }
  }

  function filter(words) {
    const wanted = words.trim().toLowerCase().split(/\s+/);
    for (const one of list().children) one.hidden = !wanted.every((word) => one.title.toLowerCase().includes(word));
    stop(buttons()[0]);
  }

  function stop(button) {
    for (const one of list().children) one.tabIndex = one === button ? 0 : -1;
  }

  function insert(sign) {
    const text = document.getElementById("text");
    menu().open = false;
    text.setRangeText(sign, text.selectionStart, text.selectionEnd, "end");
    text.focus();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("toggle", (event) => {
    if (event.target !== menu() || !menu().open) return;
    const find = document.getElementById("emoji-find");
    find.value = "";
    filter("");
    find.focus();
    fill();
  }, true);

  document.addEventListener("input", (event) => { if (event.target.id === "emoji-find") filter(event.target.value); });

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest(".emoji-list button");
    if (button) insert(button.textContent);
  });

  document.addEventListener("keydown", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("#composer .emoji")) return;
    const all = buttons();
    const at = all.indexOf(document.activeElement);
    if (event.key === "Escape") {
      menu().open = false;
      menu().querySelector("summary").focus();
    } else if (event.target.id === "emoji-find") {
      if (event.key === "Enter") { if (all[0]) insert(all[0].textContent); } else if (event.key === "ArrowDown") all[0]?.focus(); else return;
    } else {
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() }[event.key];
      if (!step) return;
      if (at + step < 0) document.getElementById("emoji-find").focus();
      else (all[at + step] || all[all.length - 1])?.focus();
      stop(document.activeElement.closest(".emoji-list") ? document.activeElement : all[0]);
    }
    event.preventDefault();
    event.stopPropagation();
  }, true);

  document.addEventListener("htmx:afterSwap", reveal);
  document.addEventListener("composer:fresh", () => setTimeout(reveal, 0));
  reveal();
})();
