// One WebSocket per tab. It brings hints only; what changed is fetched again from the server.
// Events on document: "live:changed" {threads, many}, "live:presence" {kind, thread, who, tab}, "live:up", "live:down".
// Other scripts speak through `document.dispatchEvent(new CustomEvent("live:say", {detail: {...}}))`.
"use strict";

(() => {
  const path = document.body.dataset.live;
  if (!path || !("WebSocket" in window)) return;

  const FIRST_WAIT_MS = 500;
  const LONGEST_WAIT_MS = 15000;
  const SHOW_AFTER_MS = 1500; // a short blink is not worth a banner
  const PING_MS = 20000;
  const banner = document.getElementById("connection");

  let socket = null;
  let wait = FIRST_WAIT_MS;
  let missed = false; // the connection was lost: hints may have been missed
  let showing = 0;
  let retrying = 0;
  let answered = true;

  function tell(name, detail) {
    document.dispatchEvent(new CustomEvent(name, { detail }));
  }

  function connect() {
    clearTimeout(retrying);
    socket = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + path);
    socket.addEventListener("message", heard);
    socket.addEventListener("close", lost);
  }

  function heard(event) {
    const message = JSON.parse(event.data);
    answered = true;
    if (message.kind === "hello") up();
    else if (message.kind === "notice") tell("live:notice", message);
    else if (message.threads) tell("live:changed", message);
    else if (message.thread) tell("live:presence", message);
  }

  function up() {
    wait = FIRST_WAIT_MS;
    clearTimeout(showing);
    showing = 0;
    banner.hidden = true;
    document.body.dataset.connection = "up";
    tell("live:up", { missed });
    if (missed) tell("live:changed", { threads: [], many: true });
    missed = false;
  }

  function lost() {
    if (document.body.dataset.connection !== "down") tell("live:down", {});
    document.body.dataset.connection = "down";
    missed = true;
    if (!showing) showing = setTimeout(() => { banner.hidden = false; }, SHOW_AFTER_MS);
    retrying = setTimeout(connect, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }

  function say(message) {
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  document.addEventListener("live:say", (event) => say(event.detail));

  setInterval(() => {
    if (!socket || socket.readyState !== WebSocket.OPEN) return;
    if (!answered) return socket.close();
    answered = false;
    say({ do: "ping" });
  }, PING_MS);

  addEventListener("online", () => {
    if (!socket || socket.readyState > WebSocket.OPEN) {
      wait = FIRST_WAIT_MS;
      connect();
    }
  });
  addEventListener("pagehide", () => { if (socket) { socket.removeEventListener("close", lost); socket.close(); } });
  addEventListener("pageshow", (event) => { if (event.persisted) { missed = true; connect(); } });

  connect();
})();
