// @ts-check
/* A questionnaire on a phone: every question is on the page already, so going on and back needs no signal.

   There is no socket: nothing here moves by itself. This file stands for `live.js`, so that `phone.js` keeps, sends and
   repeats answers as in a workshop, by POST, and shows the same receipts. What waits is kept over closing the page. */
(function () {
  "use strict";
  const body = document.body;

  // ---- what this phone keeps of it is thrown away when it is over, or when somebody else has the seat

  const kept = /^(outbox|drafts):/;
  function forget(prefix, but) {
    let unsent = 0;
    try {
      Object.keys(localStorage).filter((key) => kept.test(key) && key.replace(kept, "").startsWith(prefix)).forEach((key) => {
        if (but && key.replace(kept, "") === but) return;
        if (key.startsWith("outbox:")) unsent += Object.keys(JSON.parse(localStorage.getItem(key)) || {}).length;
        localStorage.removeItem(key);
      });
    } catch (error) { /* private mode: nothing is kept */ }
    return unsent;
  }
  if (body.dataset.forget) {
    const late = document.querySelector("[data-unsent-late]");
    if (forget(body.dataset.forget) && late) late.hidden = false;
  }
  if (!body.dataset.live) return;
  forget(body.dataset.keep, body.dataset.live);

  // ---- what `phone.js` finds in place of the socket

  const words = JSON.parse(document.getElementById("words").textContent);
  const offset = Number(body.dataset.now) - Date.now(); // server clock minus ours
  /** @type {Record<string, Function[]>} */
  const handlers = {};
  /** @type {Live["on"]} */
  const on = (type, handler) => { (handlers[type] = handlers[type] || []).push(handler); };
  /** @param {string} type @param {any[]} news */
  const tell = (type, ...news) => (handlers[type] || []).forEach((handler) => handler(...news));

  const shown = new Set([stage().dataset.poll]); // this page's own was written down as it was drawn

  /* That a question was looked at counts for its base; a vote says it too, so what finds no signal may be lost. */
  function send(frame) {
    if (frame.t !== "shown") return false;
    const poll = String(frame.poll);
    if (shown.has(poll)) return true;
    shown.add(poll);
    fetch(body.dataset.post, {
      method: "POST", credentials: "same-origin", keepalive: true, body: JSON.stringify(frame),
      headers: { "Content-Type": "application/json" },
    }).catch(() => shown.delete(poll));
    return true;
  }

  /** @type {Live} */
  const live = { on, tell, show() {}, seen: {}, send, drop() {}, words, now: () => Date.now() + offset, connected: () => false };
  window.Live = live;

  // ---- where somebody is

  function stage() { return document.getElementById("stage"); }
  const forms = new Map(Array.from(document.querySelectorAll("template[data-question]"), (each) => [Number(each.dataset.question), each]));
  const polls = new Map(); // poll -> number
  forms.forEach((form, number) => {
    const own = form.content.querySelector("#stage");
    if (own.dataset.poll) polls.set(own.dataset.poll, number);
  });
  const total = polls.size;
  const given = new Set(); // numbers of questions with an answer, stored or on its way
  const at = () => Number(stage().dataset.number);

  JSON.parse(document.getElementById("papers").textContent).forEach((paper) => given.add(polls.get(String(paper.poll))));

  /* The next question without an answer; 0 is the end. */
  function nextOpen(number) {
    for (let n = number + 1; n <= total; n += 1) if (!given.has(n)) return n;
    return 0;
  }

  function go(number) {
    const form = forms.get(number);
    if (!form) return;
    const fresh = document.importNode(form.content, true).querySelector("#stage");
    stage().replaceWith(fresh);
    tell("swapped", "stage", fresh, true);
    settle();
    if (!number) ending();
  }

  function walk(number) {
    history.pushState({ question: number }, "", number ? "?q=" + number : location.pathname + "?all=1");
    go(number);
  }

  const number = at();
  history.replaceState({ question: number }, "", location.search || "?q=" + number);
  window.addEventListener("popstate", (event) => {
    if (event.state && forms.has(event.state.question)) { say(""); go(event.state.question); }
    else location.reload();
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-go]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    say("");
    walk(link.hasAttribute("data-next") || link.hasAttribute("data-skip") ? nextOpen(at()) : Number(link.dataset.go));
  });

  /* What the page says around the question. */
  function settle() {
    const done = Array.from(given).length, place = document.getElementById("way-words");
    document.getElementById("way").value = String(done);
    place.textContent = place.dataset.words.replace("#", String(done));
    const next = stage().querySelector("[data-next]"), skip = stage().querySelector("[data-skip]");
    if (next && skip) { next.hidden = !given.has(at()); skip.hidden = given.has(at()); }
    const waits = unsent(), note = document.getElementById("unsent");
    // Of the question before one's eyes its own receipt tells.
    const elsewhere = waits.filter((poll) => polls.get(poll) !== at()).length;
    note.hidden = !elsewhere;
    if (elsewhere) note.textContent = words.unsent.replace("%s", String(elsewhere));
  }

  function unsent() {
    const outbox = live.phone ? live.phone.store.get("outbox", {}) : {};
    return Object.keys(outbox).filter((poll) => !outbox[poll].refused);
  }

  function say(sentence) {
    const place = document.getElementById("kept");
    place.hidden = !sentence;
    place.textContent = sentence;
  }

  /* At the end the server's own page says what was answered, once it has everything. */
  function ending() {
    if (stage().dataset.state === "end" && !unsent().length) location.replace(location.pathname + "?all=1");
  }

  // ---- answers: `phone.js` keeps and sends them; here somebody goes on

  let sent = ""; // the poll whose form was sent from this page, and which is still before one's eyes

  document.addEventListener("submit", (event) => {
    const own = event.target.closest("form.ballot");
    if (!own) return;
    sent = own.dataset.poll;
    given.add(polls.get(sent));
    say("");
    setTimeout(settle, 0);
  });

  on("ack", (frame) => {
    const number = polls.get(String(frame.poll));
    if (!number) return;
    given.add(number);
    // After `phone.js` has taken it out of what waits.
    setTimeout(() => {
      if (sent === String(frame.poll) && at() === number) {
        sent = "";
        say(words.saved.replace("%s", frame.said));
        walk(nextOpen(number));
      } else settle();
      ending();
    }, 0);
  });

  on("nack", (frame) => {
    const number = polls.get(String(frame.poll));
    if (!number || frame.code === "busy" || frame.code === "rate") return;
    if (frame.code !== "stale") given.delete(number);
    if (frame.code === "invalid" && at() !== number) { say(""); walk(number); } // `phone.js` says there what is wrong
    if (frame.code === "closed") over();
    setTimeout(() => { settle(); ending(); }, 0);
  });

  // ---- the close, and the signal

  function over() { document.getElementById("closed-note").hidden = false; }

  /* Its moment may have been moved since this page came, so the server is asked. */
  let asking = false;
  setInterval(() => {
    if (asking || live.now() < Number(body.dataset.closes) * 1000 || !document.getElementById("closed-note").hidden) return;
    asking = true;
    fetch(body.dataset.address, { credentials: "same-origin" }).then((answer) => answer.text()).then((page) => {
      const moved = page.match(/data-closes="(\d+)"/);
      if (moved) body.dataset.closes = moved[1];
      else if (page.indexOf("data-forget=") >= 0) over();
    }).catch(() => {}).then(() => { asking = false; });
  }, 5000);

  function signal() {
    const place = document.querySelector("[data-signal]"), gone = navigator.onLine === false;
    place.textContent = gone ? words.offline : "";
    place.classList.toggle("is-weak", gone);
  }
  window.addEventListener("offline", signal);
  ["online", "pageshow"].forEach((name) => window.addEventListener(name, () => { signal(); tell("wake"); }));
  document.addEventListener("visibilitychange", () => { if (document.visibilityState !== "hidden") tell("wake"); });

  document.addEventListener("DOMContentLoaded", () => {
    tell("open"); // what waited since the last time is sent now
    unsent().forEach((poll) => { if (polls.has(poll)) given.add(polls.get(poll)); });
    signal();
    settle();
  });
})();
