// "@" in a note offers colleagues and teams: arrow keys choose, Enter or Tab inserts the name, Escape leaves.
"use strict";

(() => {
  const MOST = 8;
  const CALL = /(^|[^\p{L}\p{N}])@([^\n@]{0,40})$/u;

  const form = () => document.getElementById("composer");
  const text = () => document.getElementById("text");
  const list = () => document.getElementById("name-choice");
  const options = () => [...list().children];
  const chosen = () => list().querySelector("[aria-selected=true]");
  const isNote = () => form()?.elements.namedItem("lane").value === "note";

  const known = new Map(); // address -> promise of the names of that thread

  function called() {
    if (!isNote()) return null;
    const match = CALL.exec(text().value.slice(0, text().selectionStart));
    return match && { words: match[2], start: text().selectionStart - match[2].length };
  }

  // Asked for once, however fast somebody types.
  function names() {
    const address = form().dataset.names;
    if (!known.has(address)) {
      known.set(address, ask(address));
      known.get(address).catch(() => known.delete(address));
    }
    return known.get(address);
  }

  async function ask(address) {
    const answer = await fetch(address, { redirect: "manual" });
    if (!answer.ok) throw new Error(`The names were not told: ${answer.status}`);
    return (await answer.json()).names;
  }

  async function look() {
    let all = [];
    try {
      all = await names();
    } catch {
      return close(); // no connection, or refused: there is nobody to choose from
    }
    const place = list() && called();
    if (!place) return close();
    const wanted = place.words.toLocaleLowerCase();
    const begins = (one) => one.name.toLocaleLowerCase().split(/\s+/).some((_word, at, parts) => parts.slice(at).join(" ").startsWith(wanted));
    const found = all.filter(begins).slice(0, MOST);
    if (!found.length || (found.length === 1 && found[0].name.toLocaleLowerCase() === wanted)) return close();
    const before = !list().hidden && chosen()?.dataset.name;
    list().replaceChildren(...found.map(shown));
    list().hidden = false;
    choose(options().find((one) => one.dataset.name === before) || options()[0]);
  }

  function shown(one, number) {
    const option = document.createElement("li");
    option.id = `name-${number}`;
    option.setAttribute("role", "option");
    option.dataset.name = one.name;
    option.append(one.name);
    if (one.team) {
      const mark = document.createElement("span");
      mark.className = "chip";
      mark.textContent = list().dataset.team;
      option.append(" ", mark);
    }
    return option;
  }

  function close() {
    if (!list() || list().hidden) return;
    list().hidden = true;
    text()?.removeAttribute("aria-activedescendant");
  }

  function choose(option) {
    options().forEach((one) => one.setAttribute("aria-selected", String(one === option)));
    text().setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function move(step) {
    const all = options();
    choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
  }

  function insert(option) {
    const place = called();
    if (place) text().setRangeText(`${option.dataset.name} `, place.start, text().selectionStart, "end");
    close();
    text().focus();
    text().dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("input", (event) => {
    if (event.target.id !== "text") return;
    if (called()) look();
    else close();
  });

  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "text" || !list() || list().hidden || event.ctrlKey || event.metaKey) return;
    const deed = {
      ArrowDown: () => move(1), ArrowUp: () => move(-1), Escape: close,
      Enter: () => insert(chosen()), Tab: () => insert(chosen()),
    }[event.key];
    if (!deed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    deed();
  }, true);

  document.addEventListener("pointerdown", (event) => {
    const option = event.target instanceof Element && event.target.closest("#name-choice [data-name]");
    if (!option) return;
    event.preventDefault();
    insert(option);
  });

  document.addEventListener("focusout", (event) => { if (event.target.id === "text") close(); });
})();
