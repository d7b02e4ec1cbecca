// "@" in a note offers colleagues and teams; the chosen name is inserted.
"use strict";

(() => {
  const MOST = 8;
  const CALL = /(^|[^\p{L}\p{N}])@([^\n@]{0,40})$/u;

  const form = () => document.getElementById("composer");
  const text = () => document.getElementById("text");
  const isNote = () => form()?.elements.namedItem("lane").value === "note";

  const names = window.chooser("name-choice", {
    take(option) {
      const place = called();
      if (place) names.insert(`${option.dataset.name} `, place.start);
      else names.close();
    },
  });
  const known = new Map(); // address -> promise of the names of that thread, and of what was searched for in it

  function called() {
    if (!isNote()) return null;
    const match = CALL.exec(text().value.slice(0, text().selectionStart));
    return match && { words: match[2], start: text().selectionStart - match[2].length };
  }

  // Asked for once, however fast somebody types; where there are too many to tell, once for what was typed.
  async function everybody(words) {
    const address = form().dataset.names;
    const first = await told(address);
    return first.more && words ? (await told(`${address}?q=${encodeURIComponent(words)}`)).names : first.names;
  }

  function told(address) {
    if (!known.has(address)) {
      known.set(address, ask(address));
      known.get(address).catch(() => known.delete(address));
    }
    return known.get(address);
  }

  async function ask(address) {
    const answer = await fetch(address, { redirect: "manual" });
    if (!answer.ok) throw new Error(`The names were not told: ${answer.status}`);
    return answer.json();
  }

  async function look() {
    const asked = called()?.words;
    let all = [];
    try {
      all = await everybody(asked?.trim());
    } catch {
      return names.close(); // no connection, or refused: there is nobody to choose from
    }
    const place = called();
    if (!place) return names.close();
    if (place.words !== asked) return; // somebody typed on: a later look shows what they mean now
    const wanted = place.words.toLocaleLowerCase();
    const begins = (one) => one.name.toLocaleLowerCase().split(/\s+/).some((_word, at, parts) => parts.slice(at).join(" ").startsWith(wanted));
    const found = all.filter(begins).slice(0, MOST);
    if (!found.length || (found.length === 1 && found[0].name.toLocaleLowerCase() === wanted)) return names.close();
    names.show(found.map((one) => shown(one, all.indexOf(one))));
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
      mark.textContent = document.getElementById("name-choice").dataset.team;
      option.append(" ", mark);
    }
    return option;
  }

  document.addEventListener("input", (event) => {
    if (event.target.id !== "text") return;
    if (called()) look();
    else names.close();
  });
})();
