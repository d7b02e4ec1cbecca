// A small list of emoji beside the composer: typing filters, arrow keys move, Enter puts one into the text.
"use strict";

(() => {
  const EMOJI = `
😀 grinning smile happy|😃 smile happy open|😄 laugh smile eyes|😁 beaming grin|😅 sweat smile relief|😂 tears of joy laugh|🙂 slight smile|🙃 upside down|😉 wink|😊 blush smile|😍 heart eyes love|🥰 smiling hearts love|😘 kiss|😎 sunglasses cool|🤩 star struck|🤗 hug|🤔 thinking|🤨 raised eyebrow|😐 neutral|😬 grimace|🙄 rolling eyes|😌 relieved|😴 sleep|🤒 ill thermometer|😕 confused|🙁 slight frown|😟 worried|😢 cry tear|😭 sob cry|😞 disappointed|😤 huff|😠 angry|😡 rage angry|😱 scream|😳 flushed|🥳 party|🤯 mind blown|🤷 shrug|🤦 facepalm|🙏 thanks please pray|👍 thumbs up yes|👎 thumbs down no|👏 clap|🙌 raised hands|👌 ok|✌️ victory peace|🤞 fingers crossed luck|🤝 handshake|👋 wave hello|💪 strong|👀 eyes look|❤️ red heart love|🧡 orange heart|💛 yellow heart|💚 green heart|💙 blue heart|💜 purple heart|🖤 black heart|💔 broken heart|💯 hundred|✨ sparkles|⭐ star|🌟 glowing star|🔥 fire|🎉 party popper celebrate|🎊 confetti|🎁 gift|🏆 trophy|🥇 gold medal|✅ check done|☑️ ticked|❌ cross no|❗ exclamation|❓ question|⚠️ warning|ℹ️ information|🆕 new|🔔 bell|📣 megaphone|💬 speech|💡 idea bulb|🔍 search|🔗 link|📎 paperclip|📌 pin|📅 calendar|⏰ alarm clock|⏳ hourglass wait|📦 parcel package|🚚 delivery truck|✈️ plane|🚗 car|🚲 bicycle|🏠 house home|🏕️ camping tent|⛺ tent|🥾 hiking boot|🏔️ mountain|🌲 tree|🌞 sun|🌧️ rain|❄️ snow|🌈 rainbow|🌍 earth|🌱 plant|🌹 rose|☕ coffee|🍕 pizza|🍰 cake|🍺 beer|🥂 cheers|📱 phone|💻 laptop|📧 e-mail|📞 telephone|📷 camera|🎵 music|💳 card pay|💶 euro money|🛒 cart shop|🔧 wrench repair|🔒 lock private|🔑 key|🚀 rocket|🐶 dog|🐱 cat|👶 baby|👩 woman|👨 man|👪 family`
    .trim().split("|").map((entry) => { const [sign, ...names] = entry.split(" "); return { sign, name: names.join(" ") }; });
  const menu = () => document.querySelector("#composer .emoji");
  const list = () => menu().querySelector(".emoji-list");
  const buttons = () => [...list().children].filter((one) => !one.hidden);

  const columns = () => getComputedStyle(list()).gridTemplateColumns.split(" ").length;

  function reveal() {
    if (menu()) menu().hidden = false;
  }

  function fill() {
    if (list().children.length) return;
    list().append(...EMOJI.map(({ sign, name }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = sign;
      button.title = name;
      button.setAttribute("aria-label", name);
      button.tabIndex = -1;
      return button;
    }));
    list().firstChild.tabIndex = 0;
  }

  function filter(words) {
    const wanted = words.trim().toLowerCase().split(/\s+/);
    for (const one of list().children) one.hidden = !wanted.every((word) => one.title.includes(word));
    stop(buttons()[0]);
  }

  function stop(button) {
    for (const one of list().children) one.tabIndex = one === button ? 0 : -1;
  }

  function insert(sign) {
    const text = document.getElementById("text");
    menu().open = false;
    text.setRangeText(sign, text.selectionStart, text.selectionEnd, "end");
    text.focus();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("toggle", (event) => {
    if (event.target !== menu() || !menu().open) return;
    fill();
    const find = document.getElementById("emoji-find");
    find.value = "";
    filter("");
    find.focus();
  }, true);

  document.addEventListener("input", (event) => { if (event.target.id === "emoji-find") filter(event.target.value); });

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest(".emoji-list button");
    if (button) insert(button.textContent);
  });

  document.addEventListener("keydown", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("#composer .emoji")) return;
    const all = buttons();
    const at = all.indexOf(document.activeElement);
    if (event.key === "Escape") {
      menu().open = false;
      menu().querySelector("summary").focus();
    } else if (event.target.id === "emoji-find") {
      if (event.key === "Enter") { if (all[0]) insert(all[0].textContent); } else if (event.key === "ArrowDown") all[0]?.focus(); else return;
    } else {
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() }[event.key];
      if (!step) return;
      if (at + step < 0) document.getElementById("emoji-find").focus();
      else (all[at + step] || all[all.length - 1])?.focus();
      stop(document.activeElement.closest(".emoji-list") ? document.activeElement : all[0]);
    }
    event.preventDefault();
    event.stopPropagation();
  }, true);

  document.addEventListener("htmx:afterSwap", reveal);
  document.addEventListener("composer:fresh", () => setTimeout(reveal, 0));
  reveal();
})();
