// The composer: one draft for each thread and lane, the length as the network counts it, Ctrl+Enter, "is typing".
"use strict";

(() => {
  const COUNT_AFTER_MS = 180;
  const TYPING_EVERY_MS = 3000;
  const CLOSE_TO_LIMIT = 20;

  const form = () => document.getElementById("composer");
  const text = () => form().elements.namedItem("text");
  const lane = () => form().elements.namedItem("lane").value;
  const slot = (name) => `draft:${document.body.dataset.me}:${form().dataset.thread}:${name || lane()}`;

  // -- drafts: kept in this tab until sent ------------------------------------------------------------------------------
  let shownLane = "";

  function keep() {
    if (!form()) return;
    if (text().value.trim()) sessionStorage.setItem(slot(), text().value);
    else sessionStorage.removeItem(slot());
  }

  function changeLane() {
    const typed = text().value;
    if (shownLane && shownLane !== lane()) {
      if (typed.trim()) sessionStorage.setItem(slot(shownLane), typed);
      text().value = sessionStorage.getItem(slot()) || "";
    }
    shownLane = lane();
    count();
  }

  function arrived() {
    if (!form()) return;
    shownLane = lane();
    if (!text().value) {
      const last = ["reply", "message", "note"].find((name) => sessionStorage.getItem(slot(name)));
      const radio = last && !sessionStorage.getItem(slot()) && form().querySelector(`[name=lane][value=${last}]:not(:disabled)`);
      if (radio) radio.checked = true;
      shownLane = lane();
      text().value = sessionStorage.getItem(slot()) || "";
    }
    count();
  }

  // -- length -----------------------------------------------------------------------------------------------------------
  let counting = 0;
  let asked = 0;

  function count() {
    clearTimeout(counting);
    if (!form()) return;
    const limit = Number(form().querySelector("[name=lane]:checked")?.dataset.limit || 0);
    const left = document.getElementById("left");
    if (!limit) { left.textContent = ""; left.className = "left"; return; }
    if (!text().value.trim()) return show(limit, limit);
    counting = setTimeout(() => ask(limit), COUNT_AFTER_MS);
  }

  async function ask(limit) {
    const current = form();
    const turn = ++asked;
    const body = new FormData();
    body.set("text", text().value);
    body.set("csrfmiddlewaretoken", current.elements.namedItem("csrfmiddlewaretoken").value);
    try {
      const answer = await fetch(current.dataset.length, { method: "POST", body, redirect: "manual" });
      if (answer.ok && turn === asked && form() === current) show(limit - (await answer.json()).length, limit);
    } catch {
      document.getElementById("left").textContent = ""; // no connection: the server counts again on Send
    }
  }

  function show(rest, limit) {
    const left = document.getElementById("left");
    left.textContent = rest < 0 ? `${-rest} ${form().dataset.over}` : `${rest} ${form().dataset.left}`;
    left.className = "left" + (rest < 0 ? " over" : rest <= Math.min(CLOSE_TO_LIMIT, limit / 10) ? " close" : "");
    left.dataset.rest = String(rest);
  }

  // -- typing -----------------------------------------------------------------------------------------------------------
  let typed = 0;

  document.addEventListener("input", (event) => {
    if (event.target.id !== "text") return;
    keep();
    count();
    if (Date.now() - typed > TYPING_EVERY_MS) {
      typed = Date.now();
      document.dispatchEvent(new CustomEvent("live:say", { detail: { do: "typing" } }));
    }
  });

  document.addEventListener("change", (event) => {
    if (event.target.name === "lane" && event.target.closest("#composer")) changeLane();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "text") {
      event.preventDefault();
      form().requestSubmit(form().querySelector("button[type=submit]"));
    }
  });

  // -- sending ------------------------------------------------------------------------------------------------------------
  // A draft is dropped only when the server said that its answer is written.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const xhr = event.detail.xhr;
    if (event.detail.target.id !== "composer" || !form() || !event.detail.shouldSwap) return;
    if (event.detail.requestConfig.elt === form() && xhr.status < 300) sessionStorage.removeItem(slot());
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (["composer", "open"].includes(event.detail.target.id)) {
      arrived();
      if (event.detail.target.id === "composer" && form()) text().focus();
    }
  });

  // A fresh form of the server takes the place of an untouched one; a begun draft keeps its form, so that Send still
  // asks about what arrived meanwhile.
  document.addEventListener("composer:fresh", (event) => {
    const fresh = event.detail.form;
    if (!form() || !fresh || text().value.trim() || form().contains(document.activeElement) && document.activeElement !== text()) return;
    const focused = document.activeElement === text();
    const chosen = lane();
    form().replaceWith(fresh);
    const radio = fresh.querySelector(`[name=lane][value=${chosen}]:not(:disabled)`);
    if (focused && radio) radio.checked = true;
    htmx.process(fresh);
    if (focused) text().focus();
    shownLane = lane();
    count();
  });

  arrived();
})();
