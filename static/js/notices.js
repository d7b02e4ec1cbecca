// The bell: how many notifications are unread, asked for on load and whenever a hint comes. Where the user switched it
// on, the browser shows the newest one too.
"use strict";

(() => {
  const CHOICE = "browser-notices";
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
      if (hinted && found.newest > shown && may() && document.visibilityState === "hidden") {
        new Notification(document.title.split(" · ").pop(), { body: found.words, tag: String(found.newest) });
      }
      shown = Math.max(shown, found.newest);
      sessionStorage.setItem("newest-notice", String(shown));
    } catch {
      badge.hidden = true; // no connection: asked again with the next hint
    }
  }

  document.addEventListener("live:notice", () => count(true));
  document.addEventListener("live:up", () => count(false));
  document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target.id === "open") count(false); });
  count(false);

  const choice = document.getElementById("browser-notices");
  const button = choice && choice.querySelector("[data-browser-notices]");
  if (!button || !("Notification" in window)) return;
  choice.hidden = false;
  const mark = () => button.setAttribute("aria-pressed", String(may()));
  button.addEventListener("click", async () => {
    if (may()) localStorage.setItem(CHOICE, "off");
    else if (await Notification.requestPermission() === "granted") localStorage.setItem(CHOICE, "on");
    mark();
  });
  mark();
})();
