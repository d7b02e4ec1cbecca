// The bell: how many notifications are unread, asked for on load and whenever a hint comes. Where the user switched it
// on, the browser shows the newest one too.
"use strict";

(() => {
  const CHOICE = "browser-notices";
  const PUSHED = "pushed-notices"; // the push service shows them
  const MOST = 100;
  const bell = document.getElementById("bell");
  if (!bell) return;

  const badge = bell.querySelector(".badge");
  let shown = Number(sessionStorage.getItem("newest-notice") || 0);

  const may = () => "Notification" in window && Notification.permission === "granted" && localStorage.getItem(CHOICE) === "on";

  async function count(hinted) {
    try {
      const answer = await fetch(bell.dataset.count, { redirect: "manual" });
      if (!answer.ok) return;
      const found = await answer.json();
      badge.hidden = found.count === 0;
      badge.textContent = found.count >= MOST ? `${MOST - 1}+` : String(found.count);
      if (hinted && found.newest > shown && may() && localStorage.getItem(PUSHED) !== "on" && document.visibilityState === "hidden") {
        new Notification(document.title.split(" · ").pop(), { body: found.words, tag: String(found.newest) });
      }
      shown = Math.max(shown, found.newest);
      sessionStorage.setItem("newest-notice", String(shown));
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

  // The subscription ends with its session: a new one takes it over.
  async function renew() {
    if (!may() || localStorage.getItem(PUSHED) !== "on" || sessionStorage.getItem(PUSHED) || !("serviceWorker" in navigator)) return;
    sessionStorage.setItem(PUSHED, "told");
    for (const here of await navigator.serviceWorker.getRegistrations()) {
      const made = (await here.pushManager?.getSubscription())?.toJSON();
      if (made) await tell(bell.dataset.push, { endpoint: made.endpoint, ...made.keys });
    }
  }
  renew().catch(() => sessionStorage.removeItem(PUSHED)); // no connection: with the next page

  document.addEventListener("live:notice", () => count(true));
  document.addEventListener("live:up", () => count(false));
  document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target.id === "open") count(false); });
  count(false);

  const choice = document.getElementById("browser-notices");
  const button = choice && choice.querySelector("[data-browser-notices]");
  if (!button || !("Notification" in window)) return;
  choice.hidden = false;
  const state = choice.querySelector("[data-push-state]");
  const mark = () => button.setAttribute("aria-pressed", String(may()));

  const bytes = (words) => Uint8Array.from(atob(words.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));

  // By the browser's push service, where it has one: then the worker script shows them, also when no page is open.
  async function subscribe() {
    if (!("serviceWorker" in navigator) || !("PushManager" in window)) return;
    try {
      const here = await navigator.serviceWorker.register(choice.dataset.worker);
      const made = await here.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(choice.dataset.key) });
      const { endpoint, keys } = made.toJSON();
      const answer = await tell(bell.dataset.push, { endpoint, ...keys });
      if (!answer.ok) throw new Error(String(answer.status));
      localStorage.setItem(PUSHED, "on");
    } catch {
      state.textContent = state.dataset.unreachable;
    }
  }

  async function unsubscribe() {
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
      await unsubscribe();
    } else if (await Notification.requestPermission() === "granted") {
      localStorage.setItem(CHOICE, "on");
      await subscribe();
    } else state.textContent = state.dataset.refused;
    mark();
  });
  mark();
})();
