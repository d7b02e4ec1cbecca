// The list and the open thread: live changes are fetched and merged by key, so that focus, selection, scroll and draft
// stay where they are. Keys move and act by pressing the same links and buttons that a mouse would.
"use strict";

(() => {
  const inbox = document.getElementById("inbox");
  if (!inbox) return;

  const NEAR_END_PX = 80;
  const GATHER_MS = 120; // several hints in a row are one request
  const AGE_MS = 30000;

  const list = () => document.getElementById("rows");
  const thread = () => document.getElementById("thread");
  const log = () => document.getElementById("log");
  const openId = () => (thread() ? Number(thread().dataset.thread) : 0);

  // -- merging by key -----------------------------------------------------------------------------------------------

  const FOCUSABLE = "a[href], button:not(.on-enter), summary, input:not([type=hidden]), select, textarea, [tabindex]";
  const FOLDED = "details:not([open]) > :not(summary)"; // what a closed menu holds cannot have the focus

  // Where the focus goes when its element is drawn anew: the same one by id, key or value, else the one in its place.
  function counterpart(old, fresh, focused) {
    if (old === focused && fresh.matches(FOCUSABLE)) return fresh;
    const all = (root) => [...root.querySelectorAll(FOCUSABLE)].filter((one) => !one.closest(FOLDED));
    const menu = focused.tagName === "SUMMARY" && focused.parentNode.id;
    const same = (one) => (focused.id ? one.id === focused.id : focused.dataset.key ? one.dataset.key === focused.dataset.key
      : menu ? one.tagName === "SUMMARY" && one.parentNode.id === menu
      : one.tagName === focused.tagName && one.textContent.trim() === focused.textContent.trim() && one.name === focused.name && one.value === focused.value);
    const place = all(old).indexOf(focused);
    return all(fresh).find(same) || all(fresh)[Math.min(Math.max(place, 0), all(fresh).length - 1)];
  }

  function replaceKeeping(old, fresh) {
    const focused = document.activeElement;
    const next = old.contains(focused) && counterpart(old, fresh, focused);
    if (old.tagName === "DETAILS") fresh.open = old.open;
    old.replaceWith(fresh);
    htmx.process(fresh);
    if (next) next.focus({ preventScroll: true });
  }

  // What still waits for its answer stays: the answer would find no place. It is fetched again when the answer came.
  let asked = false;
  function asking(node) {
    const waits = node.matches(".htmx-request") || node.querySelector(".htmx-request") !== null;
    asked = asked || waits;
    return waits;
  }

  // Makes the keyed children of `now` those of `fresh`: untouched ones stay the same nodes.
  function mergeChildren(now, fresh) {
    const wanted = [...fresh.children];
    const keep = new Set(wanted.map((node) => node.id));
    const first = wanted.find((node) => node.dataset.v !== undefined && node.id && document.getElementById(node.id));
    for (const node of [...now.children]) {
      if (keep.has(node.id)) continue;
      const earlier = first && document.getElementById(first.id);
      const loadedBefore = earlier && node.compareDocumentPosition(earlier) & Node.DOCUMENT_POSITION_FOLLOWING;
      if (!loadedBefore) node.remove(); // what "Show earlier" brought stays
    }
    let place = null; // the node after which the next one belongs
    for (const node of wanted) {
      const old = document.getElementById(node.id);
      if (old && now.contains(old)) {
        if (old.dataset.v !== node.dataset.v && !asking(old)) replaceKeeping(old, node);
        place = old.isConnected ? old : node;
      } else if (node.id !== "earlier" && node.id !== "around") {
        if (place) place.after(node);
        else now.append(node);
        htmx.process(node);
        place = node;
      }
    }
  }

  function parsed(html) {
    return new DOMParser().parseFromString(html, "text/html");
  }

  async function fetched(address) {
    // "manual": a session that ended would lead to the sign-in page; the list then stays as it is
    const answer = await fetch(address, { headers: { "HX-Request": "true" }, credentials: "same-origin", redirect: "manual" });
    if (!answer.ok) throw new Error(String(answer.status));
    return parsed(await answer.text());
  }

  // -- the list -----------------------------------------------------------------------------------------------------

  function orderOf(row) {
    return row.dataset.order.split("-").map(Number);
  }

  function before(a, b) {
    const [am, ai] = orderOf(a);
    const [bm, bi] = orderOf(b);
    const newer = am > bm || (am === bm && ai > bi);
    return inbox.dataset.upwards ? !newer : newer;
  }

  const rowsNow = () => [...list().querySelectorAll("li[data-id]")];

  function freshViews(page) {
    const fresh = page.getElementById("views");
    fresh.querySelector("details").open = document.querySelector("#views details").open;
    replaceKeeping(document.getElementById("views"), fresh);
    document.dispatchEvent(new CustomEvent("views:fresh"));
  }

  async function refreshRows(ids) {
    const page = await fetched(`${inbox.dataset.rows}?${inbox.dataset.query}&ids=${ids.join(",")}`);
    freshViews(page);
    const fresh = new Map([...page.querySelectorAll("#rows > li[data-id]")].map((row) => [Number(row.dataset.id), row]));
    for (const id of new Set([...ids, ...fresh.keys()])) placeRow(id, fresh.get(id));
    document.getElementById("no-rows").hidden = rowsNow().length > 0;
    markOpen();
  }

  function placeRow(id, row) {
    const old = document.getElementById("t" + id);
    if (inbox.dataset.found || (old && old.dataset.under)) return row && old && renewChips(old, row);
    if (!row) {
      if (old) leaveRow(old);
      return;
    }
    for (const other of rowsNow()) { // a newer one stands for its post now
      if (row.dataset.post && other !== old && other.dataset.post === row.dataset.post && !other.dataset.under) leaveRow(other);
    }
    if (old && old.dataset.v === row.dataset.v && old.dataset.order === row.dataset.order) return;
    const came = !old || orderOf(row)[0] > orderOf(old)[0];
    const focused = old && old.contains(document.activeElement) && counterpart(old, row, document.activeElement);
    const after = rowsNow().find((other) => other !== old && !other.dataset.under && before(row, other));
    const older = document.getElementById("older");
    if (!after && older) return old && leaveRow(old); // it belongs to a page that is not loaded
    list().insertBefore(row, after || null);
    if (old) old.remove();
    htmx.process(row);
    if (focused) focused.focus({ preventScroll: true });
    if (came && id !== openId() && row.classList.contains("unread")) {
      row.classList.add("came");
      announce(`${inbox.dataset.new} ${row.querySelector(".name").textContent}: ${row.querySelector(".snippet").textContent}`);
    }
  }

  // What a search found stays where and as it was found; only its state is told anew.
  function renewChips(old, row) {
    old.className = row.className;
    old.querySelector(".chips").replaceWith(row.querySelector(".chips"));
  }

  // After a row has left, j goes on with the one that took its place.
  let resume = null;

  function leaveRow(row) {
    const next = row.nextElementSibling && row.nextElementSibling.dataset.id ? row.nextElementSibling : row.previousElementSibling;
    const held = row.contains(document.activeElement);
    if (held || Number(row.dataset.id) === openId() || row === resume) resume = next;
    if (held) (next ? next.querySelector("a") : log() || document.getElementById("main")).focus({ preventScroll: true }); // never a field: keys go on
    row.remove();
  }

  // All may have changed: the first page is merged; what was loaded below it stays.
  async function reloadRows() {
    const page = await fetched(`/?${inbox.dataset.query}`);
    freshViews(page);
    const fresh = new Map([...page.querySelectorAll("#rows > li[data-id]")].map((row) => [row.dataset.id, row]));
    const last = [...fresh.values()].pop();
    const more = page.getElementById("older");
    if (!inbox.dataset.found) {
      for (const row of rowsNow()) {
        const gone = !row.dataset.under && !fresh.has(row.dataset.id);
        if (gone && !(more && last && before(last, row))) leaveRow(row);
      }
      const older = document.getElementById("older");
      if (older && !more) older.remove();
      else if (more && !older) { list().append(more); htmx.process(more); }
    }
    for (const [id, row] of fresh) placeRow(Number(id), row);
    document.getElementById("no-rows").replaceWith(page.getElementById("no-rows"));
    document.getElementById("no-rows").hidden = rowsNow().length > 0;
    markOpen();
  }

  function markOpen() {
    for (const link of list().querySelectorAll("a[aria-current]")) link.removeAttribute("aria-current");
    const row = openId() && document.querySelector(`#t${openId()} > a`);
    if (row) row.setAttribute("aria-current", "true");
  }

  let told = "";
  function announce(words) {
    const announcer = document.getElementById("announcer");
    announcer.textContent = words === told ? words + "\u00a0" : words;
    told = announcer.textContent;
  }

  // -- the open thread ----------------------------------------------------------------------------------------------

  async function refreshThread() {
    const now = thread();
    if (!now) return;
    const looking = document.visibilityState === "visible" && document.hasFocus();
    const askedAt = performance.now();
    const page = await fetched(`${now.dataset.now}?${inbox.dataset.query}${looking ? "&seen=1" : ""}`);
    const fresh = page.getElementById("thread");
    if (!fresh || thread() !== now) return;
    const atEnd = isAtEnd();
    mergeChildren(log(), fresh.querySelector("#log"));
    if (atEnd) toEnd();
    mergeHead(fresh.querySelector("#head"));
    mergeFacts(fresh.querySelector("#facts"));
    const side = document.getElementById("side");
    const newSide = page.getElementById("side");
    if (side && newSide && !side.contains(document.activeElement)) {
      side.replaceChildren(...newSide.children);
    }
    if (!asking(now)) document.dispatchEvent(new CustomEvent("composer:fresh", { detail: { form: fresh.querySelector("#composer"), askedAt } }));
    dress();
  }

  function mergeHead(fresh) {
    const head = document.getElementById("head");
    const menu = head.querySelector("details[open]");
    if ((menu && !isSettled(menu, fresh)) || asking(head)) return; // somebody is choosing: next time
    replaceKeeping(head, fresh);
  }

  // The menu asks how to close, and by now nothing has to be asked.
  function isSettled(menu, fresh) {
    return menu.id === "close-menu" && !fresh.querySelector("#close-menu") && !menu.querySelector("#waive").value;
  }

  function mergeFacts(fresh) {
    const facts = document.getElementById("facts");
    if (facts && fresh && !facts.querySelector("details[open]") && !asking(facts)) replaceKeeping(facts, fresh);
  }

  function isAtEnd() {
    return log().scrollHeight - log().scrollTop - log().clientHeight < NEAR_END_PX;
  }

  function toEnd() {
    staying = true;
    if (log()) log().scrollTop = log().scrollHeight;
  }

  // Who reads the end goes on reading it while pictures above get their height and the composer below grows.
  let staying = false;
  const room = new ResizeObserver(() => { if (staying) toEnd(); });
  document.addEventListener("scroll", (event) => { if (event.target === log()) staying = isAtEnd(); }, true);
  document.addEventListener("load", (event) => { if (staying && event.target.closest?.("#log")) toEnd(); }, true);

  function opened() {
    pressed = "";
    markOpen();
    if (!thread()) return;
    const target = location.hash && document.querySelector("#log " + CSS.escape(location.hash).replace("\\#", "#"));
    staying = !target;
    if (target) target.scrollIntoView();
    else toEnd();
    room.disconnect();
    room.observe(log());
    watch();
    dress();
    showPresence();
  }

  // -- hints --------------------------------------------------------------------------------------------------------

  let waiting = new Set();
  let everything = false;
  let timer = 0;
  let running = false;

  function changed(ids, many) {
    ids.forEach((id) => waiting.add(id));
    everything = everything || many;
    if (!timer && !running) timer = setTimeout(work, GATHER_MS);
  }

  async function work() {
    timer = 0;
    running = true;
    const ids = [...waiting];
    const all = everything;
    waiting = new Set();
    everything = false;
    try {
      if (all || ids.includes(openId())) await refreshThread();
      if (all) await reloadRows();
      else if (ids.length) await refreshRows(ids);
    } catch (error) {
      if (!(error instanceof TypeError)) console.warn("The inbox could not be brought up to date:", error.message);
    } finally {
      running = false;
      if (waiting.size || everything) timer = setTimeout(work, GATHER_MS * 4);
      else if (pressed && isFresh()) press(pressed);
    }
  }

  document.addEventListener("live:changed", (event) => changed(event.detail.threads || [], Boolean(event.detail.many)));
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible" && openId()) changed([openId()], false); });

  // -- who else is here ---------------------------------------------------------------------------------------------

  const here = new Map(); // tab -> {who, typing until}
  const TYPING_MS = 6000;

  function watch() {
    here.clear();
    const message = openId() ? { do: "watch", thread: openId() } : { do: "leave" };
    document.dispatchEvent(new CustomEvent("live:say", { detail: message }));
  }

  document.addEventListener("live:up", watch);
  document.addEventListener("live:down", () => { here.clear(); showPresence(); });
  document.addEventListener("live:presence", (event) => {
    const { kind, thread: id, who, tab } = event.detail;
    if (id !== openId()) return;
    if (kind === "left") here.delete(tab);
    else here.set(tab, { who, typing: kind === "typing" ? Date.now() + TYPING_MS : (here.get(tab) || {}).typing || 0 });
    showPresence();
    if (kind === "typing") setTimeout(showPresence, TYPING_MS + 100);
  });

  function showPresence() {
    const line = document.getElementById("present");
    if (!line) return;
    const names = (people) => [...new Set(people.map((one) => one.who))].join(", ");
    const all = [...here.values()];
    const typing = all.filter((one) => one.typing > Date.now());
    line.hidden = all.length === 0;
    const words = typing.length ? `${names(typing)} ${thread().dataset.typing}` : `${names(all)} ${thread().dataset.here}`;
    if (line.textContent !== words && all.length) line.textContent = words;
  }

  // -- times that age, and the undo window ----------------------------------------------------------------------------

  const words = document.getElementById("time-words").dataset;

  function span(seconds) {
    const minutes = Math.max(Math.floor(seconds / 60), 1);
    if (minutes < 60) return words.min.replace("%", minutes);
    if (minutes < 1440) return words.h.replace("%", Math.floor(minutes / 60));
    return words.d.replace("%", Math.floor(minutes / 1440));
  }

  function age() {
    const now = Date.now();
    for (const time of document.querySelectorAll("time[data-ago], time[data-since]")) {
      const seconds = (now - Date.parse(time.dateTime)) / 1000;
      if (time.hasAttribute("data-since")) time.textContent = span(seconds);
      else if (seconds < 60) time.textContent = words.now;
      else if (seconds < 604800) time.textContent = span(seconds);
    }
  }
  setInterval(age, AGE_MS);

  let ticking = 0;
  function dress() {
    const buttons = [...document.querySelectorAll("[data-until]")];
    for (const button of buttons) {
      const left = Math.ceil(Number(button.dataset.until) - Date.now() / 1000);
      button.querySelector("[data-left]").textContent = left > 0 ? `(${left})` : "";
    }
    clearTimeout(ticking);
    if (buttons.length) ticking = setTimeout(dress, 500);
  }

  // -- keys -----------------------------------------------------------------------------------------------------------

  const phone = matchMedia("(max-width: 47.99rem)");

  function move(step) {
    const links = [...list().querySelectorAll("li[data-id] > a:first-child")];
    if (!links.length) return;
    const row = document.activeElement.closest("#rows > li");
    const held = row && row.querySelector("a");
    const current = held ? links.indexOf(held) : links.findIndex((link) => link.hasAttribute("aria-current"));
    const left = current < 0 && resume && resume.isConnected ? links.indexOf(resume.querySelector("a")) : -1;
    const at = left >= 0 ? left + (step > 0 ? 0 : step) : current + step;
    const next = links[Math.min(Math.max(at, 0), links.length - 1)];
    resume = null;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  // Presses what stands in the open thread; a menu gets the focus, so that the next key chooses.
  function press(key) {
    pressed = "";
    const found = [...document.querySelectorAll(`#open [data-key="${key}"]`)].pop();
    if (!found) return false;
    found.click();
    const menu = found.tagName === "SUMMARY" && found.parentElement;
    if (menu && menu.open) menu.querySelector(".menu :is(input:not([type=hidden]), button)").focus(); // at once: the next key is meant for it
  }

  // A word that is on its way may be the closing one: whether closing still asks for one is known when the head is fresh.
  let pressed = "";

  function isFresh() {
    return !timer && !running && !document.querySelector("#composer.htmx-request");
  }

  function close() {
    if (!document.getElementById("close-menu") || isFresh()) return press("e");
    pressed = "e";
  }

  document.addEventListener("keydown", () => { pressed = ""; }, true); // whoever goes on means something else
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id === "composer" && !event.detail.successful) pressed = "";
  });

  function assignOther() {
    const menu = document.getElementById("assign-menu");
    if (!menu) return false;
    menu.open = true;
    (menu.querySelector(".menu input[type=search]") || menu.querySelector(".menu button")).focus();
  }

  function lane(key) {
    const move = key === "d" && document.querySelector("#composer [data-move]");
    if (move) return move.click(); // the first private word: the hand-over line is proposed too
    const radio = document.querySelector(`#composer input[name=lane][value=${{ r: "reply", d: "message", n: "note" }[key]}]`);
    if (!radio || radio.disabled) return false;
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
    document.getElementById("text").focus();
  }

  function toList() {
    if (phone.matches) return document.querySelector("[data-back]")?.click();
    const row = document.querySelector("#rows a[aria-current]") || (resume && resume.isConnected && resume.querySelector("a")) || list().querySelector("a");
    if (row) row.focus();
  }

  keys.on("j", () => move(1));
  keys.on("k", () => move(-1));
  keys.on("r", () => lane("r"));
  keys.on("d", () => lane("d"));
  keys.on("n", () => lane("n"));
  keys.on("a", () => press("a"));
  keys.on("A", assignOther);
  keys.on("s", () => press("s"));
  keys.on("e", close);
  keys.on("t", () => press("t"));
  keys.on("u", toList);

  // Enter in the search field of a menu takes the first that was found.
  document.addEventListener("keydown", (event) => {
    const list = event.key === "Enter" && event.target.dataset?.find;
    if (!list) return;
    event.preventDefault();
    document.querySelector(`${list} button`)?.click();
  });

  // Escape puts away what hovering shows, until the pointer has left.
  document.addEventListener("keydown", (event) => {
    const shown = event.key === "Escape" && document.querySelector(".reading:hover");
    if (!shown) return;
    shown.classList.add("away");
    shown.addEventListener("pointerleave", () => shown.classList.remove("away"), { once: true });
  });

  // Arrow keys walk through an open menu; Escape leaves a text field without losing one's place.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.id === "search") return toList();
    if (event.key === "Escape" && event.target.id === "text") return log().focus({ preventScroll: true });
    const menu = ["ArrowDown", "ArrowUp"].includes(event.key) && event.target instanceof Element && event.target.matches("button, a, summary") && event.target.closest("details.drop[open]");
    if (!menu) return;
    const all = [...menu.querySelectorAll(".menu :is(button, a[href], input:not([type=hidden]), select)")];
    const at = all.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    all[(at + all.length) % all.length].focus();
  });

  document.addEventListener("click", (event) => {
    const toggle = event.target instanceof Element && event.target.closest("[data-side]");
    if (toggle) {
      const shown = document.getElementById("side").classList.toggle("shown");
      document.querySelectorAll("[data-side][aria-expanded]").forEach((one) => one.setAttribute("aria-expanded", String(shown)));
    }
    const menu = event.target instanceof Element && event.target.closest(".menu button") && event.target.closest("details.drop");
    if (menu && inbox.contains(menu)) setTimeout(() => {
      const held = menu.contains(document.activeElement);
      menu.open = false;
      if (held) menu.querySelector("summary").focus({ preventScroll: true }); // what a closed menu holds cannot have it
    }, 0);
  });

  // "Show all under this post" opens and closes.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const opener = event.detail.elt;
    if (!opener.matches(".expand")) return;
    const row = opener.closest("li");
    const open = opener.getAttribute("aria-expanded") === "true";
    opener.setAttribute("aria-expanded", String(!open));
    if (!open) return;
    event.preventDefault();
    for (const under of list().querySelectorAll(`li[data-under="${row.dataset.id}"], #older-${row.dataset.id}`)) under.remove();
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "open") {
      opened();
      changed([openId()], false); // its row is read now
      document.title = (document.querySelector("#head h2")?.textContent.trim() || "") + " · " + document.title.split(" · ").slice(-2).join(" · ");
      if (matchMedia("(min-width: 48rem)").matches === false) document.getElementById("head").querySelector("a").focus();
    }
  });
  document.addEventListener("htmx:afterSettle", dress);
  document.addEventListener("htmx:afterRequest", () => {
    if (!asked || !openId()) return;
    asked = false;
    changed([openId()], false);
  });

  opened();
})();
