// What every page can do: menus, dialogs, toasts, the theme, keys that lead somewhere. Works on top of plain forms.
"use strict";

(() => {
  const root = document.documentElement;

  // -- toasts: `document.dispatchEvent(new CustomEvent("toast", {detail: {text, tags}}))` --------------------------
  const STAY_MS = 7000;
  const MOST_TOASTS = 2; // who works fast would have the list covered by what is long done; what failed stays its time

  function expire(toast) {
    setTimeout(() => toast.remove(), STAY_MS);
  }

  function toast(text, tags) {
    const made = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
    made.querySelector("span").textContent = text;
    if (tags) made.classList.add(tags);
    document.getElementById("toasts").append(made);
    expire(made);
    for (const old of [...document.querySelectorAll("[data-toast]:not(.error)")].slice(0, -MOST_TOASTS)) old.remove();
  }

  document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tags || ""));
  document.querySelectorAll("[data-toast]:not(.error)").forEach(expire);

  // -- clicks -----------------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    if (target.closest("[data-dismiss]")) target.closest("[data-toast]").remove();
    const opener = target.closest("[data-open]");
    if (opener) open(opener.dataset.open);
    if (target.closest("[data-close]")) target.closest("dialog").close();
    if (target instanceof HTMLDialogElement) target.close(); // the backdrop
    for (const menu of document.querySelectorAll("details.drop[open]")) {
      if (!menu.contains(target) || target.closest("[data-open]")) menu.open = false;
    }
  });

  function open(selector) {
    const dialog = document.querySelector(selector);
    if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  }

  // On a phone the tab one is on may stand outside of its row.
  document.querySelector(".tabs [aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

  // -- theme: at once here, kept by the server ----------------------------------------------------------------------
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("[data-theme-form]") || !event.submitter) return;
    event.preventDefault();
    const chosen = event.submitter.value;
    root.dataset.theme = chosen;
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.value === chosen));
    }
    const body = new FormData(form);
    body.set("theme", chosen);
    fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => {});
  });

  // -- keys -------------------------------------------------------------------------------------------------------
  // The palette holds every place that this role may enter.
  function go(name) {
    const place = document.querySelector(`#palette [data-go="${name}"]`);
    if (!place) return false;
    location.assign(place.href);
  }

  function search() {
    const field = document.querySelector("main [role=search] input[type=search]");
    if (!field) return false;
    field.focus();
    field.select();
  }

  keys.on("?", () => open("#keys"));
  keys.on("/", search);
  keys.on("g i", () => go("inbox"));
  keys.on("g n", () => go("notices"));
  keys.on("g c", () => go("contacts"));
  keys.on("g p", () => go("promises"));
  keys.on("g a", () => go("approvals"));
  keys.on("g m", () => go("macros"));
  keys.on("g k", () => go("articles"));
  keys.on("g h", () => go("channels"));
  keys.on("g o", () => go("outages"));
  keys.on("g s", () => go("people"));
  keys.on("g b", () => go("brands"));
  keys.on("g l", () => go("audit-log"));
  keys.on("g y", () => go("profile"));

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.drop[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // -- errors of htmx are said, never swallowed ---------------------------------------------------------------------
  function failed(event) {
    const xhr = event.detail.xhr;
    const status = xhr ? xhr.status : 0;
    if (event.detail.elt instanceof Element && event.detail.elt.closest("[data-quiet]")) return;
    const words = document.getElementById("error-words");
    if (words) toast(words.dataset["error" + status] || words.dataset[status >= 500 ? "error500" : status ? "error400" : "error0"], "error");
  }
  // A session that ended answers with the sign-in page: that is no fragment, and nothing typed may be lost to it.
  function signedOut(address) {
    return Boolean(address) && new URL(address).pathname === document.body.dataset.signIn;
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!signedOut(event.detail.xhr.responseURL)) return;
    event.detail.shouldSwap = false;
    toast(document.getElementById("error-words").dataset.error401, "error");
  });

  document.addEventListener("submit", (event) => {
    if (!event.target.matches('form[action$="/sign-out/"]')) return;
    for (const name of Object.keys(sessionStorage)) if (name.startsWith("draft:")) sessionStorage.removeItem(name);
  });

  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:timeout", failed);
})();
