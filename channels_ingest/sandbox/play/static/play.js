// Keeps an open page fresh and counts characters. Everything works without it.
"use strict";

const live = document.querySelector("[data-live]");

function refreshUrl(name) {
  const on = location.pathname.endsWith("/facebook") ? "facebook" : "x";
  return `/play/part/${on}/${name}${location.search}`;
}

function isBusy(part) {
  const typed = [...part.querySelectorAll("details[open] textarea")].some((area) => area.value !== area.defaultValue);
  return typed || part.querySelector("details[open]") !== null || part.contains(document.activeElement);
}

async function refresh(part) {
  if (givesWay(part)) return;
  const answer = await fetch(refreshUrl(part.dataset.part), { headers: { "X-Part": "1" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (givesWay(part)) return; // somebody began to write meanwhile
  const before = part.scrollHeight - part.scrollTop - part.clientHeight < 80;
  part.replaceChildren(...fresh.body.childNodes);
  if (before) part.scrollTop = part.scrollHeight;
}

function givesWay(part) {
  const busy = part.dataset.part === "feed" && isBusy(part);
  if (busy) offer(part);
  return busy;
}

function offer(part) {
  if (document.querySelector(".offer")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button offer";
  button.textContent = "Something new: show";
  button.addEventListener("click", () => {
    button.remove();
    part.querySelectorAll("details[open]").forEach((one) => { one.open = false; });
    if (document.activeElement) document.activeElement.blur();
    refresh(part);
  });
  part.before(button);
}

let waiting = null;
function soon() {
  if (waiting !== null) return;
  waiting = setTimeout(() => {
    waiting = null;
    document.querySelectorAll("[data-part]").forEach((part) => { refresh(part).catch(() => {}); });
  }, 150);
}

function listen() {
  const source = new EventSource("/play/events");
  source.onopen = () => { live.textContent = "live"; live.classList.remove("off"); soon(); };
  source.onmessage = soon;
  source.onerror = () => { live.textContent = "reconnecting…"; live.classList.add("off"); };
  addEventListener("pagehide", () => source.close());
}

function count(area) {
  const counter = area.form && area.form.querySelector("[data-counter]");
  if (!counter || !area.dataset.count) return;
  const left = Number(area.dataset.count) - [...area.value.replace(/https?:\/\/\S+/g, "x".repeat(23))].length;
  counter.textContent = left < 60 ? String(left) : "";
  counter.classList.toggle("over", left < 0);
}

document.addEventListener("input", (event) => {
  if (event.target.matches("textarea")) count(event.target);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
    event.target.form.requestSubmit();
  }
});
document.querySelectorAll(".bubbles").forEach((part) => { part.scrollTop = part.scrollHeight; });
listen();
