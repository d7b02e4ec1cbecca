// The bell: how many notifications are unread, asked for on load and whenever a hint comes. Where the user switched it
// on, the browser shows the newest one too. What is kept here is each user's own: colleagues may share the browser.
"use strict";

(() => {
  const CHOICE = `browser-notices-${document.body.dataset.me}`;
  const PUSHED = `pushed-notices-${document.body.dataset.me}`; // the push service shows them; our key with it
  const MOST = 100;
  const AGAIN_MS = 60_000; // between two tries to make a subscription anew
  const bell = document.getElementById("bell");
  if (!bell) return;

  const badge = bell.querySelector(".badge");
  let shown = Number(sessionStorage.getItem("newest-notice") || 0);

  const may = () => "Notification" in window && Notification.permission === "granted" && localStorage.getItem(CHOICE) === "on";

  function show(found) {
    const shown = new Notification(document.title.split(" · ").pop(), { body: found.words, tag: String(found.newest), dir: "auto" });
    shown.addEventListener("click", () => { shown.close(); window.open(found.address); });
  }

  async function count(hinted) {
    try {
      const answer = await fetch(bell.dataset.count, { redirect: "manual" });
      if (!answer.ok) return;
      const found = await answer.json();
      badge.hidden = found.count === 0;
      badge.textContent = found.count >= MOST ? `${MOST - 1}+` : String(found.count);
      if (hinted && found.newest > shown && may() && !localStorage.getItem(PUSHED) && document.visibilityState === "hidden") {
        show(found);
      }
      shown = Math.max(shown, found.newest);
      sessionStorage.setItem("newest-notice", String(shown));
      if (!found.pushed) renew().catch(() => {}); // no push service: tried again later
    } catch {
      badge.hidden = true; // no connection: asked again with the next hint
    }
  }

  const tell = (address, fields) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    body.set("csrfmiddlewaretoken", JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]);
    return fetch(address, { method: "POST", body, redirect: "manual" });
  };

  const bytes = (words) => Uint8Array.from(atob(words.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));

  async function subscribe(here, key) {
    const made = await here.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
    const { endpoint, keys } = made.toJSON();
    const answer = await tell(bell.dataset.push, { endpoint, ...keys });
    if (!answer.ok) throw new Error(String(answer.status));
  }

  // The subscription ends with its session, also at a new password: the next one of the same user makes it anew.
  async function renew() {
    const key = localStorage.getItem(PUSHED);
    const tried = Number(sessionStorage.getItem(PUSHED)) > Date.now() - AGAIN_MS;
    if (!may() || !key || tried || !("serviceWorker" in navigator)) return;
    sessionStorage.setItem(PUSHED, String(Date.now()));
    for (const here of await navigator.serviceWorker.getRegistrations()) await subscribe(here, key);
  }

  document.addEventListener("live:notice", () => count(true));
  document.addEventListener("live:up", () => count(false));
  document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target.id === "open") count(false); });
  count(false);

  const choice = document.getElementById("browser-notices");
  const button = choice && choice.querySelector("[data-browser-notices]");
  if (!button) return;
  choice.hidden = false;
  const state = choice.querySelector("[data-push-state]");
  const mark = () => button.setAttribute("aria-pressed", String(may()));
  if (!("Notification" in window)) {
    button.hidden = true;
    state.textContent = state.dataset.unable;
    return;
  }

  // By the browser's push service, where it has one: then the worker script shows them, also when no page is open.
  async function begin() {
    if (!("serviceWorker" in navigator) || !("PushManager" in window)) return;
    try {
      await subscribe(await navigator.serviceWorker.register(choice.dataset.worker), choice.dataset.key);
      localStorage.setItem(PUSHED, choice.dataset.key);
    } catch {
      state.textContent = state.dataset.unreachable;
    }
  }

  async function end() {
    localStorage.removeItem(PUSHED);
    if (!("serviceWorker" in navigator)) return;
    for (const here of await navigator.serviceWorker.getRegistrations()) {
      const made = await here.pushManager?.getSubscription();
      if (made) await tell(choice.dataset.removal, { endpoint: made.endpoint });
      await made?.unsubscribe();
    }
  }

  button.addEventListener("click", async () => {
    state.textContent = "";
    if (may()) {
      localStorage.setItem(CHOICE, "off");
      await end();
    } else if (await Notification.requestPermission() === "granted") {
      localStorage.setItem(CHOICE, "on");
      await begin();
    } else state.textContent = state.dataset.refused;
    mark();
  });
  mark();
  if (Notification.permission === "denied") state.textContent = state.dataset.refused;
})();
