// @ts-check
/* A participant's phone: an answer stays in the outbox, in memory and in this tab's storage, until the server says that
   it is stored. Its `op` makes retries harmless (idempotency key), its `seq` makes the latest one win. */
(function () {
  "use strict";
  const live = window.Live, ballot = window.Ballot;
  if (!live || !ballot) return;
  const body = document.body, words = live.words;
  const PATIENCE = 4000, SHORTEST = 500, LONGEST = 30000, QUIET = 250;
  const say = (sentence, what) => words[sentence].replace("%s", what);

  // ---- what this tab keeps: intentions, never identity

  const store = {
    key: (name) => name + ":" + body.dataset.live,
    // Of a questionnaire it outlives the tab; `questionnaire.js` throws it away at the end.
    place: () => body.dataset.keep ? localStorage : sessionStorage,
    get(name, fallback) {
      try { return JSON.parse(this.place().getItem(this.key(name))) || fallback; } catch (error) { return fallback; }
    },
    set(name, value) {
      try { this.place().setItem(this.key(name), JSON.stringify(value)); } catch (error) { /* private mode: memory only */ }
    },
  };
  // Whoever has this phone now finds nothing of whom had it before.
  if (!body.dataset.keep && store.get("seat", "") !== body.dataset.seed) {
    ["outbox", "drafts", "group-outbox", "group-draft", "group-edit", "group-last"].forEach((name) => store.set(name, ""));
    store.set("seat", body.dataset.seed);
  }
  const papers = {}; // poll -> what the server has of mine
  const outbox = store.get("outbox", {}); // poll -> {op, poll, seq, fields, tries}
  const drafts = store.get("drafts", {}); // poll -> {fields, typed} of what is being filled in
  let lastSeq = 0;
  let changing = ""; // the poll whose saved answer is being changed

  const newId = () => window.crypto.randomUUID ? window.crypto.randomUUID()
    : "xxxxxxxxxxxx4xxxyxxxxxxxxxxxxxxx".replace(/[xy]/g, () => Math.floor(Math.random() * 16).toString(16));
  const stage = () => document.getElementById("stage");
  const poll = () => stage().dataset.poll;
  const form = () => stage().querySelector("form.ballot");
  const observing = body.dataset.observer === "yes";

  // ---- the receipt: what happened to my answer

  let shownReceipt = "";

  function receipt(kind, title, more, actions) {
    const place = document.getElementById("receipt");
    if (!place) return;
    const signature = [kind, title, more].join("|");
    if (signature === shownReceipt && !place.hidden) return;
    shownReceipt = signature;
    const box = document.importNode(document.querySelector('template[data-receipt="' + kind + '"]').content, true).firstElementChild;
    box.querySelector("h2").textContent = title;
    box.querySelector("p").textContent = more;
    const row = box.querySelector(".row");
    if (row) {
      row.querySelectorAll("[data-do]").forEach((button) => { if (actions.indexOf(button.dataset.do) < 0) button.remove(); });
      if (!row.children.length) row.remove();
    }
    place.textContent = "";
    place.appendChild(box);
    place.hidden = false;
  }

  function showForm(yes) {
    const own = form();
    if (own) own.classList.toggle("is-answered", !yes);
    const place = document.getElementById("receipt");
    if (place && yes) { place.hidden = true; shownReceipt = ""; }
  }

  function settle() {
    keepInSight();
    const id = poll();
    if (!id || observing) return;
    const waiting = outbox[id], paper = papers[id], open = stage().dataset.state === "ballot";
    if (waiting && waiting.refused) return refusedNow(waiting);
    if (waiting && waiting.visible) {
      showForm(false);
      if (waiting.tries > 1) receipt("failed", words.failed, words.failedMore, ["now", "change"]);
      else receipt("sending", words.sending, words.sendingMore, []);
    } else if (!open) {
      receipt("closed", words.closed, paper ? say("counted", paper.said) : words.notAnswered, []);
    } else if (paper && changing !== id) {
      showForm(false);
      const fixed = stage().dataset.change === "no";
      receipt("saved", say("saved", paper.said), fixed ? words.savedFixed : words.savedMore, fixed ? [] : ["change"]);
    }
    markYours();
  }

  // ---- what was typed and not sent before its question closed

  let typing = ""; // in whose form the focus was when the picture came
  live.on("swapping", () => { const own = document.activeElement.closest("form.ballot"); typing = own ? own.dataset.poll : ""; });

  function isUnsent(id) {
    const draft = drafts[id], waiting = outbox[id];
    return draft && draft.typed && (id !== poll() || stage().dataset.state !== "ballot") && !(waiting && !waiting.refused)
      && JSON.stringify(draft.fields) !== JSON.stringify((papers[id] || {}).fields);
  }

  /* Its words stay until they are put away or their question opens again; whoever was typing them finds the focus there. */
  function keepInSight() {
    const place = document.getElementById("kept-words");
    if (!place) return; // of a questionnaire all questions stay open
    place.querySelectorAll("[data-of]").forEach((box) => { if (!isUnsent(box.dataset.of)) box.remove(); });
    Object.keys(drafts).filter(isUnsent).forEach((id) => {
      if (place.querySelector('[data-of="' + id + '"]')) return;
      const box = document.importNode(document.querySelector("template[data-kept]").content, true).firstElementChild, field = box.querySelector("textarea");
      box.setAttribute("data-of", id);
      field.value = drafts[id].typed;
      place.setAttribute("aria-live", typing === id ? "off" : "polite"); // the focus says it, or the region
      place.appendChild(box);
      if (typing === id) field.focus();
    });
  }

  function refusedNow(waiting) {
    const paper = papers[waiting.poll];
    if (waiting.refused === "closed") {
      showForm(false);
      receipt("closed", words.late, paper ? say("lateKept", paper.said) : words.lateMore, []);
    } else {
      showForm(false);
      receipt("failed", words.refused, waiting.message, ["change"]);
    }
  }

  function wrong(message, field) {
    const own = form();
    if (!own) return;
    showForm(true);
    calm(own);
    const error = own.querySelector("[data-error]");
    error.querySelector("span").textContent = message;
    error.hidden = false;
    const named = field && own.querySelector('[name="' + field + '"]');
    const input = named || own.querySelector("input:not([type=hidden]), textarea, select");
    const place = input && input.closest(".field");
    if (place) place.classList.add("is-wrong");
    if (input) { input.setAttribute("aria-invalid", "true"); input.focus(); }
  }

  function calm(own) {
    own.querySelectorAll("[data-error]").forEach((error) => { error.hidden = true; });
    own.querySelectorAll(".is-wrong").forEach((place) => place.classList.remove("is-wrong"));
    own.querySelectorAll("[aria-invalid]").forEach((input) => input.removeAttribute("aria-invalid"));
  }

  function markYours() {
    const tally = document.getElementById("tally"), paper = papers[poll()];
    if (!tally || !paper) return;
    if (tally.querySelector("[data-after-vote]")) tally.querySelector("[data-after-vote]").hidden = false;
    tally.querySelectorAll("[data-key]").forEach((row) => {
      if (paper.marks.indexOf(row.dataset.key) < 0 || row.querySelector(".yours")) return;
      const mark = document.createElement("span");
      mark.className = "yours";
      mark.textContent = words.yours;
      (row.querySelector(".value") || row).appendChild(mark);
    });
  }

  // ---- sending

  function answer(fields) {
    const id = poll();
    lastSeq = Math.max(lastSeq, (papers[id] || {}).seq || 0, (outbox[id] || {}).seq || 0) + 1;
    outbox[id] = { op: newId(), poll: Number(id), seq: lastSeq, fields: fields, tries: 0 };
    store.set("outbox", outbox);
    deliver(outbox[id]);
    setTimeout(() => { if (outbox[id]) { outbox[id].visible = true; settle(); } }, QUIET);
  }

  function deliver(item) {
    if (outbox[item.poll] !== item || item.refused) return;
    clearTimeout(item.timer);
    item.tries += 1;
    const frame = { t: "vote", op: item.op, poll: item.poll, seq: item.seq, fields: item.fields };
    const spoken = item.tries % 2 === 1 && live.send(frame);
    if (!spoken) post(frame, () => retryLater(item));
    // The line may be half open.
    item.timer = setTimeout(() => { if (spoken) live.drop(); retryLater(item); }, PATIENCE);
  }

  function retryLater(item, wait) {
    if (outbox[item.poll] !== item) return;
    item.visible = true;
    item.tries = Math.max(item.tries, 2); // "not saved yet"
    settle();
    clearTimeout(item.timer);
    item.timer = setTimeout(() => deliver(item), wait || pause(item.tries));
  }

  const asked = (frame) => 1000 * (frame.retry_after || 1) * (0.5 + Math.random());
  const pause = (tries) => 200 + Math.random() * Math.min(LONGEST, SHORTEST * 2 ** tries);

  function post(frame, failed) {
    fetch(body.dataset.post, {
      method: "POST", credentials: "same-origin", body: JSON.stringify(frame),
      headers: { "Content-Type": "application/json" },
    }).then((reply) => {
      if (reply.status >= 500 && reply.status !== 503) throw new Error(String(reply.status));
      return reply.json();
    }).then((data) => live.tell(data.t, data))
      .catch(failed);
  }

  function flush() { Object.keys(outbox).forEach((id) => { if (!outbox[id].refused) deliver(outbox[id]); }); }

  function done(id) {
    if (outbox[id]) clearTimeout(outbox[id].timer);
    delete outbox[id];
    delete drafts[id];
    store.set("outbox", outbox);
    store.set("drafts", drafts);
  }

  live.on("ack", (frame) => {
    if (!frame.poll) return; // of a group
    const item = outbox[frame.poll];
    keep(frame);
    if (item && item.op === frame.op) { done(frame.poll); arrived(frame.poll); }
  });

  function arrived(id) {
    if (String(id) !== poll()) return;
    changing = "";
    settle();
    focusReceipt();
  }

  live.on("nack", (frame) => {
    const item = outbox[frame.poll];
    if (!item || item.op !== frame.op) return;
    clearTimeout(item.timer);
    if (frame.code === "busy" || frame.code === "rate") return retryLater(item, asked(frame));
    if (frame.code === "invalid") {
      delete outbox[frame.poll];
      store.set("outbox", outbox);
      if (String(frame.poll) === poll()) { changing = poll(); wrong(frame.message, frame.field); }
      return;
    }
    if (frame.code === "stale") { done(frame.poll); settle(); return; }
    item.refused = frame.code;
    item.message = frame.message;
    item.visible = true;
    store.set("outbox", outbox);
    settle();
  });

  live.on("mine", (frame) => { frame.papers.forEach(keep); settle(); });

  function keep(paper) {
    const old = papers[paper.poll];
    if (old && old.seq > paper.seq) return;
    papers[paper.poll] = { seq: paper.seq, fields: paper.fields, marks: paper.marks, said: paper.said };
    lastSeq = Math.max(lastSeq, paper.seq);
  }

  function tellShown() { if (form() && !observing) live.send({ t: "shown", poll: Number(poll()) }); }
  live.on("open", () => { tellShown(); flush(); });
  live.on("wake", () => Object.keys(outbox).forEach((id) => { if (outbox[id].tries > 1 && !outbox[id].refused) deliver(outbox[id]); }));

  // ---- the form

  const isTyping = () => {
    const active = document.activeElement;
    return active && /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName);
  };
  function focusReceipt() {
    const title = document.querySelector("#receipt h2");
    if (title) { title.tabIndex = -1; title.focus({ preventScroll: true }); }
  }

  function ready(first) {
    const id = poll(), own = form();
    if (own) {
      if (outbox[id] && outbox[id].refused === "closed") { delete outbox[id].refused; deliver(outbox[id]); } // it is open again
      ballot.upgrade(own);
      const start = (outbox[id] || drafts[id] || {}).fields;
      if (start && !own.querySelector("[data-error]:not([hidden])")) ballot.fill(own, start);
      tellShown();
    }
    settle();
    if (!first && !isTyping()) focusTitle();
  }

  function focusTitle() {
    const title = stage().querySelector("h1");
    if (title) { title.tabIndex = -1; title.focus({ preventScroll: true }); window.scrollTo(0, 0); }
  }

  document.addEventListener("input", (event) => {
    const own = event.target.closest("form.ballot");
    if (!own) return;
    drafts[own.dataset.poll] = { fields: ballot.read(own), typed: ballot.typed(own) };
    store.set("drafts", drafts);
  });

  document.addEventListener("submit", (event) => {
    const own = event.target.closest("form.ballot");
    if (!own) return;
    event.preventDefault();
    calm(own);
    answer(ballot.read(own));
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const id = poll(), box = button.closest("[data-of]");
    if (button.dataset.do === "now" && outbox[id]) deliver(outbox[id]);
    if (button.dataset.do === "copy") {
      box.querySelector("textarea").select(); // a page without HTTPS has no clipboard of its own
      if (document.execCommand("copy")) button.textContent = button.dataset.copied;
      button.focus();
    }
    if (button.dataset.do === "away") {
      delete drafts[box.dataset.of];
      store.set("drafts", drafts);
      keepInSight();
      focusTitle();
    }
    if (button.dataset.do === "change") {
      event.preventDefault();
      const fields = outbox[id] ? outbox[id].fields : (papers[id] || {}).fields;
      if (outbox[id]) { clearTimeout(outbox[id].timer); delete outbox[id]; store.set("outbox", outbox); }
      changing = id;
      showForm(true);
      if (form()) {
        if (fields) ballot.fill(form(), fields);
        // A ranking's own fields are covered.
        const inputs = Array.from(form().querySelectorAll("input:not([type=hidden]), textarea, select, button")).filter((field) => field.offsetParent && !field.disabled);
        const input = inputs.find((field) => field.checked) || inputs[0];
        if (input) input.focus();
      }
    }
  });

  live.phone = { store, newId, post, pause, asked, isTyping, PATIENCE };
  live.on("swapped", (topic, _element, isNew) => {
    if (topic === "stage" && isNew) { shownReceipt = changing = ""; ready(false); }
    else if (topic === "stage") settle();
    if (topic === "tally") markYours();
  });
  JSON.parse((document.getElementById("papers") || { textContent: "[]" }).textContent).forEach(keep);
  if (stage().dataset.changing) changing = poll();
  ready(true);
})();
