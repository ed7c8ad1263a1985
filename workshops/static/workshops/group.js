// @ts-check
/* A participant's small group. What people do waits in an outbox, in order, until the server has answered. The pad is
   one picture for the whole group; what is this person's own in it is marked here. */
(function () {
  "use strict";
  const live = window.Live;
  const el = (id) => document.getElementById(id);
  const copy = (id) => /** @type {Part} */ (el(id).content.firstElementChild.cloneNode(true));
  if (!live || live.group) return;
  live.group = true; // it is here, and comes no second time
  const words = JSON.parse(el("group-words").textContent);
  const phone = live.phone, desk = phone && el("desk"); // an observer has neither
  const LETTERS = 1000, COUNTED = 800, QUIET = 10000;
  let place = live.place || JSON.parse(el("place").textContent); // the newest: this script may come later than the page

  let silence = 0;

  function say(sentence) {
    el("said").textContent = sentence;
    clearTimeout(silence);
    silence = setTimeout(() => { el("said").textContent = ""; }, QUIET);
  }

  const told = {}; // what has been said: a picture is drawn anew many times

  /* All of a first page is no news. */
  function tellNews(group, first) {
    let fresh = told.help && !group.querySelector("[data-news=help]") ? words.answered : "";
    if (fresh) delete told.help;
    group.querySelectorAll("[data-news]").forEach((news) => {
      if (!told[news.dataset.news]) fresh = news.textContent.replace(/\s+/g, " ").trim();
      told[news.dataset.news] = true;
    });
    if (fresh && !first) say(fresh);
  }

  // ---- the soft timer

  let warned = phone ? phone.store.get("group-soon", "") : "";

  /* Said once, also by a page that is loaded anew. */
  setInterval(() => {
    const soon = document.querySelector("#clock [data-from]:not([hidden])");
    const warning = soon && place.group ? soon.dataset.soon + " " + soon.dataset.from : warned;
    if (warning === warned) return;
    warned = warning;
    if (phone) phone.store.set("group-soon", warned);
    say(soon.textContent);
  }, 1000);

  // ---- the picture of the pad

  let shown = ""; // which group's pad it is
  let known = {}; // ids of the notes in the last picture
  let newNotes = 0, announcing = 0;

  function findNewNotes(group, first) {
    const before = known;
    known = {};
    shown = group.dataset.group;
    group.querySelectorAll("#notes > li:not([data-own])").forEach((li) => {
      known[li.id] = true;
      if (first || before[li.id]) return;
      li.classList.add("is-new");
      if (li.dataset.by !== place.tag) { newNotes += 1; announce(); }
    });
  }

  function announce() {
    announcing = announcing || setTimeout(() => { announcing = 0; say(words.new.replace("%s", newNotes)); newNotes = 0; }, QUIET);
  }

  const isWriting = () => Boolean(desk) && desk.contains(document.activeElement);
  /** @type {Element} */
  let here = document.body;
  let top = 0, box = ""; // where the focus is when a picture comes

  live.on("swapping", () => {
    here = document.activeElement;
    top = here.getBoundingClientRect().top;
    box = (here.closest("#notes > li, #scribe") || { id: "" }).id;
  });

  live.on("swapped", (topic, picture, isNew) => {
    if (topic === "stage" && isNew && picture.dataset.state === "ballot") say(isWriting() ? words.asked : ""); // nothing lies over a ballot
    if (topic === "group") {
      findNewNotes(picture, shown !== picture.dataset.group);
      tellNews(picture, false);
      mark();
    }
    // A picture above what somebody types must not push it away under their fingers, nor take the place where they are.
    if (isWriting()) window.scrollBy(0, here.getBoundingClientRect().top - top);
    if (box && document.activeElement === document.body) comeBack(el(box));
  });

  /* What was pressed is gone: its neighbour is next, or the heading of the notes. */
  function comeBack(box) {
    const near = box ? Array.from(box.querySelectorAll("button")).filter((button) => button.offsetParent) : [];
    const place = near.pop() || el("notes-title");
    if (place) place.focus({ preventScroll: true });
  }

  // Where this person sat last: words that they finish after the group time are meant for it.
  let last = phone ? phone.store.get("group-last", 0) : 0;
  function sitting() { if (phone && place.group > 0) phone.store.set("group-last", last = place.group); }
  sitting();

  live.on("place", (frame) => {
    const moved = frame.group !== place.group;
    place = frame;
    sitting();
    if (moved && el("group").dataset.group !== String(frame.group)) { // the new picture is on its way
      const empty = document.createElement("section");
      empty.id = "group";
      empty.hidden = true;
      el("group").replaceWith(empty);
      delete live.seen.group;
      delete told.help; // that was the other group's
    }
    mark();
    if (!phone) listen();
  });

  /* Which group an observer listens to only this page knows. */
  function listen() {
    el("listen").hidden = place.group < 1;
    el("listen").querySelector("a").href = "?listen=after-" + place.group;
    history.replaceState(null, "", location.pathname + (place.group > 0 ? "?listen=" + place.group : ""));
  }

  // ---- what is this person's own

  /* As it will be when all that waits has arrived: a tap shows at once. */
  function isOn(command, id, stored) {
    return outbox.reduce((on, item) => item.frame.t === command && (item.frame.note || item.frame.group) === id && !item.refused
      ? item.frame.on : on, stored);
  }

  function mark() {
    const group = el("group"), state = group.dataset.state, isOpen = state === "open" || state === "recalled";
    if (!desk) return;
    const words = el("note-text").value.trim(); // of a note that was begun: they stay when the group time is over
    desk.hidden = !place.group && !outbox.length && !isWriting() && !words && !el("editor").dataset.typed;
    el("composer").hidden = !isOpen && document.activeElement !== el("note-text") && !words;
    el("group-do").hidden = place.group < 1;
    el("at-table").hidden = group.dataset.made !== "by_table";
    group.querySelectorAll("[data-number]").forEach((line) => { line.hidden = !place.number; line.querySelector("b").textContent = place.number || ""; });
    const called = isOn("help", place.group, group.dataset.help === "yes");
    const pressed = document.activeElement.id; // the other of the two takes its place
    el("help-on").hidden = called;
    el("help-off").hidden = !called;
    ["help-off", "help-on"].forEach((id, on) => { el(id).value = "help:" + place.group + ":" + on; });
    if (pressed === "help-on" || pressed === "help-off") el(called ? "help-off" : "help-on").focus();
    const isScribe = Boolean(group.dataset.scribe) && group.dataset.scribe === place.tag;
    group.querySelectorAll("[data-scribe-is]").forEach((part) => { part.hidden = (part.dataset.scribeIs === "me") !== isScribe; });
    if (group.dataset.hidden === "yes") drawOwn(el("notes"), place.own);
    else group.querySelectorAll("#notes > [data-own]").forEach((li) => li.remove()); // the picture has them now
    const notes = Array.from(group.querySelectorAll("#notes > li"));
    notes.forEach((li, at) => markNote(li, at, notes.length, isOpen, isScribe, group.dataset.hidden === "yes"));
    const elsewhere = el("elsewhere");
    if (elsewhere) { // a desk from before may still be kept
      drawOwn(elsewhere, place.elsewhere);
      elsewhere.parentElement.hidden = !elsewhere.children.length;
      elsewhere.querySelectorAll("li").forEach((li) => markNote(li, 0, 1, true, false, true));
    }
    if (pressed && document.activeElement === document.body) (el(pressed) || el("notes-title") || document.body).focus({ preventScroll: true });
    drawUnsent();
  }

  const drawn = new WeakMap(); // list -> the notes in it

  /* Notes that are in no picture: one's own where people think first, and in a group that was left. */
  function drawOwn(list, notes) {
    const signature = JSON.stringify(notes || []);
    if (!list || drawn.get(list) === signature) return;
    drawn.set(list, signature);
    list.textContent = "";
    (notes || []).forEach((own) => {
      const li = list.appendChild(copy("own-note")), text = li.firstElementChild;
      li.dataset.own = "";
      li.id = "note-" + own.note;
      li.dataset.by = place.tag;
      li.dataset.rev = own.rev;
      text.id = "text-" + own.note;
      text.textContent = own.text;
      if (!own.of) return;
      const of = li.appendChild(document.createElement("p"));
      of.className = "marks small";
      of.dir = "auto";
      of.textContent = own.of;
    });
  }

  function markNote(li, at, many, isOpen, isScribe, isHidden) {
    const id = Number(li.id.slice(5)), own = li.dataset.by === place.tag;
    let tools = li.querySelector(".note-do");
    if (tools && tools.dataset.own === undefined) { tools.remove(); tools = null; } // drawn for a page without this script
    if (!tools) {
      tools = copy("note-do");
      tools.dataset.own = "";
      tools.querySelectorAll("button, summary").forEach((one) => {
        one.id = (one.value || "more") + "-" + id;
        one.setAttribute("aria-describedby", "text-" + id);
      });
      li.appendChild(tools);
    }
    tools.hidden = !isOpen;
    const agreed = isOn("agree", id, place.agreed.indexOf(id) >= 0);
    const picked = isOn("pick", id, li.classList.contains("is-picked"));
    const can = {
      agree: [!own, "agree:" + id + ":" + (agreed ? 0 : 1), agreed],
      edit: [own || isScribe, "edit:" + id],
      pick: [!isHidden, "pick:" + id + ":" + (picked ? 0 : 1), picked],
      take_back: [own, "take_back:" + id],
      up: [isScribe && at > 0, "move_note:" + id + ":" + (at - 1)],
      down: [isScribe && at < many - 1, "move_note:" + id + ":" + (at + 1)],
    };
    tools.querySelectorAll("button").forEach((button) => {
      const [allowed, value, pressed] = can[button.id.split("-")[0]];
      button.hidden = !allowed;
      button.value = value;
      if (pressed !== undefined) button.setAttribute("aria-pressed", pressed ? "true" : "false");
    });
  }

  // ---- the outbox

  const outbox = phone ? phone.store.get("group-outbox", []) : []; // in order: {frame, late, refused, message, theirs}
  let flying = null, timer = 0, arrived = []; // arrived: notes that are stored and not in the picture yet
  const next = () => outbox.find((item) => !item.refused);
  const keep = () => { phone.store.set("group-outbox", outbox.map((item) => Object.assign({}, item, { tries: 0 }))); mark(); };

  function put(frame) {
    frame.op = phone.newId();
    outbox.push({ frame: frame, tries: 0 });
    keep();
    flush();
  }

  function flush() { if (next() && flying !== next()) deliver(next()); }

  function deliver(item) {
    if (next() !== item) return;
    clearTimeout(timer);
    flying = item;
    item.tries = (item.tries || 0) + 1;
    const spoken = item.tries % 2 === 1 && live.send(item.frame);
    if (!spoken) phone.post(item.frame, () => later(item));
    timer = setTimeout(() => { if (spoken) live.drop(); later(item); }, phone.PATIENCE);
  }

  function later(item, wait) {
    if (flying !== item) return;
    if (!item.late) { item.late = true; say(words.waiting); keep(); }
    clearTimeout(timer);
    timer = setTimeout(() => deliver(item), wait || phone.pause(item.tries));
  }

  function answered(item) {
    if (flying === item) { flying = null; clearTimeout(timer); }
    keep();
    flush();
  }

  function remove(item) { outbox.splice(outbox.indexOf(item), 1); }
  const withOp = (op) => op ? outbox.find((item) => item.frame.op === op && !item.refused) : undefined;

  function stored(item, frame) {
    const { t, note, on, text } = item.frame;
    remove(item);
    if (t === "agree") place.agreed = place.agreed.filter((id) => id !== note).concat(on ? [note] : []);
    const hidden = place.own || el("group").dataset.hidden === "yes";
    if (hidden) place.own = place.own || [];
    if (t === "note" && hidden) place.own = place.own.filter((own) => own.note !== frame.note).concat({ note: frame.note, rev: frame.rev, text: text });
    ["own", "elsewhere"].filter((which) => place[which]).forEach((which) => {
      if (t === "edit_note") place[which] = place[which].map((own) => own.note === note ? Object.assign({}, own, { rev: frame.rev, text: text }) : own);
      if (t === "take_back") place[which] = place[which].filter((own) => own.note !== note);
    });
    if (t === "note" && !hidden) {
      arrived.push({ frame: item.frame, note: frame.note });
      setTimeout(() => { arrived = arrived.filter((one) => one.note !== frame.note); drawUnsent(); }, phone.PATIENCE);
    }
    say(words[on === false ? t + " off" : t === "note" && place.own ? "own" : t]);
    answered(item);
  }

  function refused(item, frame) {
    if (frame.code === "busy" || frame.code === "rate") return later(item, phone.asked(frame));
    if (frame.code === "conflict") { item.theirs = frame; say(frame.message); }
    if (item.frame.text) { item.refused = frame.code; item.message = frame.message; }
    else { remove(item); say(frame.message); }
    answered(item);
    const line = el("unsent").querySelector('[data-op="' + item.frame.op + '"]');
    if (line && !phone.isTyping()) line.focus();
  }

  // ---- what waits, was refused, or met another change

  function drawUnsent() {
    const list = el("unsent");
    const late = outbox.some((item) => item.late && !item.refused); // they go in order: behind one that waits all wait
    arrived = arrived.filter((one) => !el("note-" + one.note));
    /** @type {{frame: any, state: string, refused?: string, theirs?: {text: string}}[]} */
    const lines = arrived.map((one) => ({ frame: one.frame, state: words.note }))
      .concat(outbox.filter((item) => item.frame.text || item.late).map((item) => ({ frame: item.frame, refused: item.refused, theirs: item.theirs,
        state: item.refused ? item.message : late ? words.waiting : words.sending })));
    const signature = JSON.stringify(lines);
    if (list.dataset.signature === signature) return;
    list.dataset.signature = signature;
    const focused = list.contains(document.activeElement) ? document.activeElement.id : "";
    list.textContent = "";
    lines.forEach((line) => {
      const li = copy("unsent-" + (line.theirs ? "conflict" : line.refused ? "refused" : "waiting"));
      const put = (name, text) => { const part = li.querySelector("[data-" + name + "]"); if (part) part.textContent = text; };
      li.dataset.op = line.frame.op;
      put("mine", line.frame.text || words[line.frame.on === false ? line.frame.t + " off" : line.frame.t]);
      put("state", line.state);
      if (line.theirs) put("theirs", line.theirs.text);
      li.querySelectorAll("button").forEach((button) => {
        button.id = button.value + "-" + line.frame.op;
        if (!line.theirs) button.hidden = button.value === (line.frame.t === "note" ? "note" : "again"); // a note that is gone takes no change
      });
      list.appendChild(li);
    });
    list.hidden = !lines.length;
    if (focused && el(focused)) el(focused).focus();
  }

  /* One step in storage too: at no moment is a text in neither place. */
  function decide(item, choice) {
    const text = item.frame.text, at = outbox.indexOf(item);
    const fresh = (frame) => outbox.splice(at, 1, { frame: Object.assign(frame, { op: phone.newId() }), tries: 0 });
    if (choice === "note") fresh({ t: "note", group: place.group, text: text });
    else if (choice === "edit_note") fresh({ t: "edit_note", note: item.theirs.note, rev: item.theirs.rev, text: text });
    else if (choice === "again") fresh(Object.assign({}, item.frame, item.frame.group && place.group > 0 ? { group: place.group } : {}));
    else remove(item);
    keep();
    flush();
    if (!desk.contains(document.activeElement) && !el("composer").hidden) el("note-text").focus();
  }

  // ---- the desk

  const letters = (field) => Array.from(field.value.trim()).length;

  function count(field) {
    const place = el(field.id.replace("-text", "-count")), over = letters(field) - LETTERS;
    place.hidden = field.value.length < COUNTED;
    place.textContent = (over > 0 ? words.over : words.left).replace("%s", Math.abs(over));
    place.classList.toggle("is-over", over > 0);
  }

  function complaint(field) {
    return blame(field, !letters(field) ? words.empty : letters(field) > LETTERS ? words.long : "");
  }

  function blame(field, wrong) {
    const place = field.form.querySelector("[data-error]");
    place.textContent = "";
    if (!wrong) { field.removeAttribute("aria-invalid"); return ""; }
    place.appendChild(copy("wrong")).lastElementChild.textContent = wrong;
    field.setAttribute("aria-invalid", "true");
    field.focus();
    return wrong;
  }

  function sendNote() {
    const field = el("note-text");
    if (complaint(field)) return;
    const text = field.value.trim();
    field.value = "";
    put({ t: "note", group: place.group > 0 ? place.group : last, text: text });
    typed(field); // only now: until it is in the outbox it is in the draft
  }

  function openEditor(id) {
    const li = el("note-" + id), form = el("editor"), field = el("edit-text");
    if (!form.hidden && form.elements.note.value !== String(id) && form.dataset.typed) { say(words.busy); field.focus(); return; }
    if (form.hidden || form.elements.note.value !== String(id)) fillEditor({ note: id, rev: Number(li.dataset.rev), text: li.querySelector(".words").textContent });
    field.focus();
  }

  function fillEditor(edit) {
    const form = el("editor");
    form.hidden = false;
    form.elements.note.value = edit.note;
    form.elements.rev.value = edit.rev;
    delete form.dataset.typed;
    el("edit-text").value = edit.text;
    typed(el("edit-text"));
  }

  function closeEditor() {
    const form = el("editor"), back = el("edit-" + form.elements.note.value);
    form.hidden = true;
    delete form.dataset.typed;
    phone.store.set("group-edit", null);
    if (back) back.focus();
  }

  function sendEdit(form) {
    const field = el("edit-text");
    if (complaint(field)) return;
    put({ t: "edit_note", note: Number(form.elements.note.value), rev: Number(form.elements.rev.value), text: field.value.trim() });
    closeEditor();
  }

  function typed(field) {
    const form = field.form;
    if (field.id === "note-text") phone.store.set("group-draft", field.value);
    else phone.store.set("group-edit", { note: Number(form.elements.note.value), rev: Number(form.elements.rev.value), text: field.value });
    count(field);
  }

  const FIELDS = { agree: ["note", "on"], pick: ["note", "on"], take_back: ["note"], move_note: ["note", "place"], scribe: ["group", "on"], help: ["group", "on"], choose: ["group"], stand_up: [] };

  function press(button) {
    const [command, ...values] = button.value.split(":"), line = button.closest("#unsent li");
    if (line) return decide(outbox.find((item) => item.frame.op === line.dataset.op), command);
    if (command === "note") return sendNote();
    if (command === "edit_note") return sendEdit(button.form);
    if (command === "edit") return openEditor(Number(values[0]));
    if (command === "table") return sendTable(button.form);
    const frame = { t: command };
    FIELDS[command].forEach((name, at) => { frame[name] = name === "on" ? values[at] === "1" : Number(values[at]); });
    return put(frame);
  }

  function sendTable(form) {
    const number = Number(form.elements.table.value);
    if (!blame(form.elements.table, Number.isInteger(number) && number > 0 ? "" : words.number)) put({ t: "table", table: number });
  }

  // ---- begin

  const first = el("group");
  findNewNotes(first, true);
  tellNews(first, !live.place);
  if (!phone) { listen(); live.on("open", () => { if (place.group > 0) live.send({ t: "look", group: place.group }); }); }
  if (!desk) return;

  live.on("ack", (frame) => { const item = withOp(frame.op); if (item) stored(item, frame); });
  live.on("nack", (frame) => { const item = withOp(frame.op); if (item) refused(item, frame); });
  live.on("open", () => { if (next()) deliver(next()); });
  live.on("wake", () => { if (next() && next().late) deliver(next()); });

  document.addEventListener("click", (event) => {
    const button = event.target.closest('button[name="do"]');
    if (button && (el("group").contains(button) || desk.contains(button))) { event.preventDefault(); press(button); }
    if (event.target.closest("#editor [data-cancel]")) { event.preventDefault(); closeEditor(); }
  });
  desk.addEventListener("input", (event) => {
    const field = event.target;
    if (field.id === "edit-text") field.form.dataset.typed = "yes";
    if (field.hasAttribute("aria-invalid")) blame(field, "");
    if (field.tagName === "TEXTAREA") typed(field);
  });

  const edit = phone.store.get("group-edit", null), draft = phone.store.get("group-draft", "");
  if (edit && el("editor").hidden) { fillEditor(edit); el("editor").dataset.typed = "yes"; }
  if (draft && !el("note-text").value) { el("note-text").value = draft; count(el("note-text")); }
  mark();
  flush();
})();
