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

  function replaceKeeping(old, fresh) {
    const focused = document.activeElement;
    const inside = old.contains(focused);
    const path = inside && (focused.id ? "#" + CSS.escape(focused.id) : focused.tagName.toLowerCase());
    if (old.tagName === "DETAILS") fresh.open = old.open;
    old.replaceWith(fresh);
    htmx.process(fresh);
    if (inside) (fresh.matches(path) ? fresh : fresh.querySelector(path) || fresh).focus({ preventScroll: true });
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
    const [micros, id] = row.dataset.order.split("-").map(Number);
    return [micros, id];
  }

  function newer(a, b) {
    const [am, ai] = orderOf(a);
    const [bm, bi] = orderOf(b);
    return am > bm || (am === bm && ai > bi);
  }

  async function refreshRows(ids) {
    const page = await fetched(`${inbox.dataset.rows}?${inbox.dataset.query}&ids=${ids.join(",")}`);
    document.getElementById("views").replaceWith(page.getElementById("views"));
    const fresh = new Map([...page.querySelectorAll("#rows > li[data-id]")].map((row) => [Number(row.dataset.id), row]));
    for (const id of ids) placeRow(id, fresh.get(id));
    document.getElementById("no-rows").hidden = Boolean(list().querySelector("li[data-id]"));
    markOpen();
  }

  function placeRow(id, row) {
    const old = document.getElementById("t" + id);
    if (!row) {
      if (old) leaveRow(old);
      return;
    }
    if (old && old.dataset.v === row.dataset.v && old.dataset.order === row.dataset.order) return;
    const came = !old || orderOf(row)[0] > orderOf(old)[0];
    const focused = old && old.contains(document.activeElement);
    if (old) old.remove();
    const after = [...list().querySelectorAll("li[data-id]")].find((other) => newer(row, other));
    const older = document.getElementById("older");
    if (!after && older) return; // it belongs to a page that is not loaded
    list().insertBefore(row, after || null);
    htmx.process(row);
    if (focused) row.querySelector("a").focus({ preventScroll: true });
    if (came && id !== openId() && row.classList.contains("unread")) {
      row.classList.add("came");
      announce(`${inbox.dataset.new} ${row.querySelector(".name").textContent}: ${row.querySelector(".snippet").textContent}`);
    }
  }

  function leaveRow(row) {
    if (row.contains(document.activeElement)) {
      const next = row.nextElementSibling || row.previousElementSibling;
      const link = next && next.querySelector("a");
      if (link) link.focus({ preventScroll: true });
    }
    row.remove();
  }

  async function reloadRows() {
    const page = await fetched(`/?${inbox.dataset.query}`);
    document.getElementById("views").replaceWith(page.getElementById("views"));
    const focused = document.activeElement && document.activeElement.closest && document.activeElement.closest("#rows > li");
    list().replaceChildren(...page.getElementById("rows").children);
    document.getElementById("no-rows").replaceWith(page.getElementById("no-rows"));
    htmx.process(list());
    if (focused && document.getElementById(focused.id)) document.querySelector(`#${focused.id} a`).focus({ preventScroll: true });
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
    const atEnd = log().scrollHeight - log().scrollTop - log().clientHeight < NEAR_END_PX;
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
    if (head.querySelector("details[open]") || asking(head)) return; // somebody is choosing: next time
    replaceKeeping(head, fresh);
  }

  function mergeFacts(fresh) {
    const facts = document.getElementById("facts");
    if (facts && fresh && !facts.querySelector("details[open]") && !asking(facts)) replaceKeeping(facts, fresh);
  }

  function toEnd() {
    if (log()) log().scrollTop = log().scrollHeight;
  }

  function opened() {
    markOpen();
    if (!thread()) return;
    const target = location.hash && document.querySelector("#log " + CSS.escape(location.hash).replace("\\#", "#"));
    if (target) target.scrollIntoView();
    else toEnd();
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

  function writing(element) {
    return element instanceof HTMLElement && element.matches("input:not([type=radio], [type=checkbox]), textarea, select");
  }

  function move(step) {
    const links = [...list().querySelectorAll("li[data-id] > a")];
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    const current = at >= 0 ? at : links.findIndex((link) => link.hasAttribute("aria-current"));
    const next = links[Math.min(Math.max(current + step, 0), links.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function press(key) {
    const found = [...document.querySelectorAll(`#open [data-key="${key}"]`)].pop();
    if (!found) return;
    found.click();
    if (key === "s") requestAnimationFrame(() => { const first = document.querySelector("#snooze-menu[open] button"); if (first) first.focus(); });
  }

  function lane(key) {
    const move = key === "d" && document.querySelector("#composer [data-move]");
    if (move) return move.click(); // the first private word: the hand-over line is proposed too
    const radio = document.querySelector(`#composer input[name=lane][value=${{ r: "reply", d: "message", n: "note" }[key]}]`);
    if (!radio || radio.disabled) return;
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
    document.getElementById("text").focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && writing(event.target)) return event.target.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target) || document.querySelector("dialog[open]")) return;
    const deeds = {
      j: () => move(1), k: () => move(-1), ArrowDown: null, r: () => lane("r"), d: () => lane("d"), n: () => lane("n"),
      a: () => press("a"), s: () => press("s"), e: () => press("e"),
      u: () => { const row = document.querySelector("#rows a[aria-current]") || list().querySelector("a"); if (matchMedia("(max-width: 47.99rem)").matches) document.querySelector("[data-back]")?.click(); else if (row) row.focus(); },
      "/": () => { const search = document.getElementById("search"); search.focus(); search.select(); },
    };
    const deed = deeds[event.key];
    if (!deed) return;
    event.preventDefault();
    deed();
  });

  document.addEventListener("click", (event) => {
    const toggle = event.target instanceof Element && event.target.closest("[data-side]");
    if (toggle) {
      const shown = document.getElementById("side").classList.toggle("shown");
      document.querySelectorAll("[data-side][aria-expanded]").forEach((one) => one.setAttribute("aria-expanded", String(shown)));
    }
    const menu = event.target instanceof Element && event.target.closest(".menu button") && event.target.closest("details.drop");
    if (menu && inbox.contains(menu)) setTimeout(() => { menu.open = false; }, 0);
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
