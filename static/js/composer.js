// The composer: one draft for each thread and lane, the length as the network counts it, Ctrl+Enter, "is typing".
"use strict";

(() => {
  const COUNT_AFTER_MS = 180;
  const KEEP_AFTER_MS = 900;
  const TYPING_EVERY_MS = 3000;
  const CLOSE_TO_LIMIT = 20;
  const WORTH_TELLING = 1000; // letters that are left

  const form = () => document.getElementById("composer");
  const text = () => form().elements.namedItem("text");
  const lane = () => form().elements.namedItem("lane").value;
  const slot = (name) => `draft:${document.body.dataset.me}:${form().dataset.thread}:${name || lane()}`;

  // -- drafts: kept on the server; in this tab until the server has them -------------------------------------------------
  let shownLane = "";
  let begun = new Map(); // lane -> text, of the lanes that are not shown
  let keeping = 0;
  let sending = false;

  function keep() {
    if (!form()) return;
    sessionStorage.setItem(slot(), text().value);
    clearTimeout(keeping);
    keeping = setTimeout(save, KEEP_AFTER_MS);
  }

  // One after the other: a shorter draft never overtakes a longer one.
  let saving = Promise.resolve();

  function save() {
    clearTimeout(keeping);
    saving = saving.then(saveNow);
  }

  async function saveNow() {
    if (!form() || sending || sessionStorage.getItem(slot()) === null) return;
    const [current, name, typed, csrf] = [form(), slot(), text().value, form().elements.namedItem("csrfmiddlewaretoken").value];
    const body = new FormData();
    for (const [key, value] of [["lane", lane()], ["text", typed], ["key", form().elements.namedItem("key").value], ["quietly", "1"], ["csrfmiddlewaretoken", csrf]]) body.set(key, value);
    for (const field of current.querySelectorAll("#pictures [name=picture], #pictures [name^=alt-]")) body.append(field.name, field.value);
    try {
      const answer = await fetch(current.dataset.draft, { method: "POST", body, redirect: "manual", keepalive: true });
      if (answer.status === 204 && sessionStorage.getItem(name) === typed) {
        sessionStorage.removeItem(name);
        hint(current.dataset.kept);
      }
    } catch {
      hint(""); // no connection: this tab keeps it
    }
  }

  function hint(words) {
    const place = document.getElementById("draft-hint");
    if (place) place.textContent = words;
  }

  function changeLane() {
    const typed = text().value;
    if (shownLane && shownLane !== lane()) {
      begun.set(shownLane, typed);
      text().value = sessionStorage.getItem(slot()) ?? begun.get(lane()) ?? "";
    }
    shownLane = lane();
    check();
  }

  // The server shows the lane it would choose, with its text: whoever is in another lane gets that one's.
  function stay(radio) {
    if (!radio || radio.checked) return;
    radio.checked = true;
    changeLane();
  }

  function arrived(opened) {
    if (!form()) return;
    begun = new Map([...form().querySelectorAll("[data-begun]")].map((one) => [one.dataset.begun, one.value]));
    const here = ["reply", "message", "note"].filter((name) => sessionStorage.getItem(slot(name)));
    if (opened && here.length) {
      const radio = form().querySelector(`[name=lane][value=${here.includes(lane()) ? lane() : here[0]}]:not(:disabled)`);
      if (radio && !text().value) radio.checked = true;
      text().value = sessionStorage.getItem(slot()) ?? text().value;
    }
    shownLane = lane();
    check();
  }

  // -- what the server says of the text: its length, what may not stand in public, what it promises ----------------------
  let checking = 0;
  let asked = 0;

  function check() {
    clearTimeout(checking);
    if (!form()) return;
    const limit = Number(form().querySelector("[name=lane]:checked")?.dataset.limit || 0);
    if (!text().value.trim()) {
      asked += 1;
      proof("", false);
      return show(limit, limit);
    }
    if (!limit) show(0, 0);
    checking = setTimeout(() => ask(limit), COUNT_AFTER_MS);
  }

  async function ask(limit) {
    const current = form();
    const turn = ++asked;
    if (!current) return;
    const body = new FormData(current);
    try {
      const answer = await fetch(current.dataset.check, { method: "POST", body, redirect: "manual" });
      if (!answer.ok || turn !== asked || form() !== current) return;
      const told = await answer.json();
      if (limit) show(limit - told.length, limit);
      proof(told.html, told.blocked);
    } catch {
      show(0, 0); // no connection: the server checks again on Send
    }
  }

  function show(rest, limit) {
    const left = document.getElementById("left");
    left.textContent = !limit || rest > WORTH_TELLING ? "" : rest < 0 ? `${-rest} ${form().dataset.over}` : `${rest} ${form().dataset.left}`;
    left.className = "left" + (!limit ? "" : rest < 0 ? " over" : rest <= Math.min(CLOSE_TO_LIMIT, limit / 10) ? " close" : "");
    left.dataset.rest = String(rest);
  }

  let told = "";
  function proof(html, blocked) {
    const place = document.getElementById("proof");
    if (html !== told && !place.contains(document.activeElement)) {
      place.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
      told = html;
    }
    form().classList.toggle("blocked", blocked);
    hold();
  }

  // What may not stand in public cannot be sent there, unless somebody who may says so.
  function hold() {
    const send = document.getElementById("send");
    if (!send) return;
    const held = form().classList.contains("blocked") && !form().querySelector("[name=override]:checked");
    send.setAttribute("aria-disabled", String(held));
  }

  // -- typing -----------------------------------------------------------------------------------------------------------
  let typed = 0;

  document.addEventListener("input", (event) => {
    if (event.target.id !== "text") return;
    keep();
    check();
    if (Date.now() - typed > TYPING_EVERY_MS) {
      typed = Date.now();
      document.dispatchEvent(new CustomEvent("live:say", { detail: { do: "typing" } }));
    }
  });

  document.addEventListener("change", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("#composer")) return;
    if (event.target.name === "lane") changeLane();
    if (event.target.name === "override") hold();
    if (event.target.name?.startsWith("alt-")) {
      sessionStorage.setItem(slot(), text().value); // the description goes with the draft
      save();
    }
    if (event.target.matches("[data-pick]") && event.target.files.length) form().querySelector("[data-put-in]").click();
  });

  // A picture from the clipboard is put in like one that was chosen.
  document.addEventListener("paste", (event) => {
    const pick = event.target.id === "text" && form().querySelector("[data-pick]");
    const files = event.clipboardData?.files;
    if (!pick || !files?.length || event.clipboardData.getData("text")) return;
    event.preventDefault();
    pick.files = files;
    pick.dispatchEvent(new Event("change", { bubbles: true }));
  });

  document.addEventListener("focusout", (event) => {
    if (event.target.id === "text") save();
  });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") save(); });

  // -- quotations and links of what is said above ---------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const tool = event.target instanceof Element && event.target.closest("[data-quote], [data-link]");
    if (!tool || !form()) return;
    event.preventDefault();
    const words = tool.dataset.link || `“${tool.closest(".msg").querySelector(".text").textContent.trim()}”\n`;
    text().setRangeText(words, text().selectionStart, text().selectionEnd, "end");
    text().focus();
    text().dispatchEvent(new Event("input", { bubbles: true }));
  });

  // Before any other listener: a held answer is not sent, and its writer is told by the line that says why.
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "composer" || document.getElementById("send")?.getAttribute("aria-disabled") !== "true") return;
    if (event.submitter && event.submitter.id !== "send") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    document.querySelector("#proof [name=override]")?.focus();
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target instanceof Element && event.target.matches("#pictures input, .vow input")) event.preventDefault();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "text") {
      event.preventDefault();
      form().requestSubmit(form().querySelector("button.send"));
    }
  });

  // -- sending ------------------------------------------------------------------------------------------------------------
  // What this tab keeps is dropped only when the server has it: as an answer, or as a draft.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target, requestConfig } = event.detail;
    if (target.id === "composer" && !target.isConnected) event.detail.shouldSwap = false; // the thread was opened anew
    if (target.id !== "composer" || !form() || !event.detail.shouldSwap || xhr.status >= 300) return;
    if (requestConfig.elt !== form() && !form().contains(requestConfig.elt)) return;
    clearTimeout(keeping);
    sessionStorage.removeItem(slot());
    if (requestConfig.elt !== form()) ["reply", "message", "note"].forEach((name) => sessionStorage.removeItem(slot(name)));
  });

  // The thread may be opened anew while its answer is on the way: the form that comes then brings the draft back, and
  // nobody tells of a form that is gone. What was sent is no draft any more.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, xhr } = event.detail;
    if (!elt || elt.id !== "composer") return;
    clearTimeout(keeping); // what is being sent is no draft
    sending = true;
    xhr.addEventListener("loadend", () => { sending = false; });
    const key = slot();
    const words = text().value;
    xhr.addEventListener("load", () => {
      if (elt.isConnected || xhr.status >= 300) return;
      if (sessionStorage.getItem(key) === words) sessionStorage.removeItem(key);
      if (form() && slot() === key && text().value === words) {
        text().value = "";
        check();
      }
    });
  });

  let answeredAt = 0;

  document.addEventListener("htmx:afterSwap", (event) => {
    if (!["composer", "open"].includes(event.detail.target.id)) return;
    answeredAt = performance.now();
    told = document.getElementById("proof")?.innerHTML.trim() || "";
    arrived(event.detail.target.id === "open");
    if (event.detail.target.id === "composer" && form() && !leftWhileSending(event.detail.requestConfig.elt)) text().focus();
  });

  // Whoever went elsewhere before the answer to Send came stays there.
  function leftWhileSending(sent) {
    const focused = document.activeElement;
    return sent.id === "composer" && focused !== document.body && !form().contains(focused);
  }

  // A fresh form of the server takes the place of an untouched one; a begun draft keeps its form, so that Send still
  // asks about what arrived meanwhile.
  document.addEventListener("composer:fresh", (event) => {
    const fresh = event.detail.form;
    if (!form() || !fresh || event.detail.askedAt < answeredAt) return; // older than the answer to the last Send
    if (form().matches(".htmx-request, :has(.htmx-request)")) return; // its own answer is on the way
    if (text().value.trim() || form().contains(document.activeElement) && document.activeElement !== text()) {
      const hints = fresh.querySelector(".hints");
      if (hints) form().querySelector(".hints").replaceWith(hints);
      return;
    }
    const focused = document.activeElement === text();
    const chosen = form().querySelector("[name=lane]:checked");
    const notice = form().querySelector("p.notice[role=status]"); // what the step just done said
    form().replaceWith(fresh);
    if (notice) fresh.querySelector(".lanes").before(notice);
    htmx.process(fresh);
    if (focused) text().focus();
    arrived(false);
    if (focused || !chosen.defaultChecked) stay(fresh.querySelector(`[name=lane][value=${chosen.value}]:not(:disabled)`));
  });

  arrived(true);
})();
