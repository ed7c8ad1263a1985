// @ts-check
// Prepare a workshop. The one box is a combobox (ARIA APG) over a plain form; pasted lines make it a text area. Steps
// can be dragged as well as moved by their buttons. What somebody is typing is never swapped away.
(function () {
  "use strict";
  const PAUSE = 140; // milliseconds without a key before the box searches
  const htmx = window.htmx;

  /** @param {string} css @param {ParentNode} [root] */
  const one = (css, root = document) => root.querySelector(css);
  /** @param {string} css @param {ParentNode} [root] */
  const all = (css, root = document) => [...root.querySelectorAll(css)];

  // --- the agenda, swapped while somebody types in it --------------------------------------------------

  /** @param {any} field */
  const isTyped = (field) => field.value !== field.defaultValue;

  /** @type {{ typed: Map<string, string>, focus: string, menu: string }} */
  let kept = { typed: new Map(), focus: "", menu: "" };
  let swapping = false; // a field that is taken away loses its focus, too

  document.addEventListener("htmx:beforeSwap", (event) => {
    const detail = event.detail;
    if (detail.target.id !== "agenda-now") return;
    const sent = detail.requestConfig.parameters;
    const fields = all("#agenda-now input.input");
    const typed = fields.filter((field) => isTyped(field)
      && !(detail.requestConfig.elt.contains(field) && field.value === sent[field.name]));
    const menu = one("details.more[open]");
    swapping = true;
    kept = {
      typed: new Map(typed.map((field) => [field.id, field.value])),
      focus: document.activeElement ? document.activeElement.id : "",
      menu: menu && sent.do === "move" ? menu.id : "",
    };
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "agenda-now") return;
    swapping = false;
    for (const [id, value] of kept.typed) {
      const field = document.getElementById(id);
      if (field) field.value = value;
    }
    unsent = [...kept.typed.keys()].filter((id) => id !== kept.focus);
    const menu = kept.menu && document.getElementById(kept.menu);
    if (menu) menu.setAttribute("open", "");
    makeDraggable();
    // A button that went with its place ("Move up" at the top) leaves the focus at its menu.
    const again = kept.focus && (document.getElementById(kept.focus)
      || document.getElementById(kept.focus.replace(/^\w+-/, "menu-")));
    if (again && document.activeElement !== again) again.focus({ preventScroll: true });
  });

  // What was typed while an answer came is sent when its field is left; or at once, where it was left already.
  /** @type {string[]} */
  let unsent = [];

  // With no settle delay (htmx-config) htmx listens to what it has swapped in at once: no press is a plain form's.
  document.addEventListener("htmx:afterSettle", () => {
    for (const id of unsent.splice(0)) {
      const field = document.getElementById(id);
      if (field) field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });

  document.addEventListener("focusout", (event) => {
    const field = event.target;
    if (swapping || !kept.typed.has(field.id)) return;
    kept.typed.delete(field.id);
    if (isTyped(field) && field.dataset.sent !== field.value) {
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });

  document.addEventListener("change", (event) => {
    const field = event.target;
    if (!field.matches("#agenda-now input")) return;
    field.dataset.sent = field.value;
  });

  document.addEventListener("click", (event) => {
    const target = event.target;
    for (const menu of all("details.more[open]")) if (!menu.contains(target)) menu.removeAttribute("open");
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest("details.more[open]");
    if (!menu) return;
    menu.removeAttribute("open");
    one("summary", menu).focus();
  });

  // --- dragging, beside the buttons --------------------------------------------------------------------

  /** @type {HTMLElement | null} */
  let dragged = null;

  function makeDraggable() {
    for (const handle of all(".step[data-step] > .at")) handle.draggable = true;
  }

  /** @param {any} event */
  const stepUnder = (event) => event.target.closest(".step[data-step]");

  function clearMarks() {
    for (const step of all(".is-before, .is-after, .is-dragged")) step.classList.remove("is-before", "is-after", "is-dragged");
  }

  /** @param {HTMLElement} step @param {any} event */
  function isBelow(step, event) {
    const box = step.getBoundingClientRect();
    return event.clientY > box.top + box.height / 2;
  }

  document.addEventListener("dragstart", (/** @type {any} */ event) => {
    dragged = event.target.matches(".at") ? stepUnder(event) : null;
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.id);
    event.dataTransfer.setDragImage(one(".card", dragged), 20, 20);
    dragged.classList.add("is-dragged");
  });

  document.addEventListener("dragover", (event) => {
    const over = dragged && stepUnder(event);
    if (!over || over === dragged) return;
    event.preventDefault();
    const below = isBelow(over, event);
    for (const step of all(".is-before, .is-after")) step.classList.remove("is-before", "is-after");
    over.classList.add(below ? "is-after" : "is-before");
  });

  document.addEventListener("drop", (event) => {
    const over = dragged && stepUnder(event);
    if (!over || over === dragged) return;
    event.preventDefault();
    const from = Number(dragged.dataset.place);
    const at = Number(over.dataset.place) + (isBelow(over, event) ? 1 : 0);
    send(one(".minutes", dragged).getAttribute("action"), { do: "move", to: String(from < at ? at - 1 : at), rev: one("#agenda-now").dataset.rev });
  });

  document.addEventListener("dragend", () => { clearMarks(); dragged = null; });

  // --- sending -------------------------------------------------------------------------------------------

  const token = () => one("input[name=csrfmiddlewaretoken]").value;

  /** @param {string} url @param {Record<string, string>} values */
  function send(url, values) {
    return htmx.ajax("POST", url, {
      target: "#agenda-now", swap: "outerHTML", values: { csrfmiddlewaretoken: token(), ...values },
    }).catch(() => {}); // htmx says so in an event of its own
  }

  // --- the one box ---------------------------------------------------------------------------------------

  const box = one("[data-box]");
  makeDraggable();
  if (!box || !one("#agenda-now")) return;

  const form = one("form", box);
  const lines = one("#one", box);
  const line = document.createElement("input");
  const after = one("#one-after", box);
  const foundPlace = one("#found-place", box);
  const becomesPlace = one("#becomes-place", box);
  const said = one("[data-said]", box);
  const hint = one("#one-hint", box);
  const firstHint = hint.textContent;
  /** how the lines are to be read, and answered, where somebody has said so */
  let chosen = { as: "", type: "" };
  let shownFor = ""; // the words that the list stands for
  let timer = 0;
  /** what is on its way, one after the other; the box is free for the next at once */
  let queue = Promise.resolve();
  let arrived = false;
  let asked = new AbortController();

  const field = () => (line.isConnected ? line : lines);

  function asLine() {
    line.value = lines.value.split("\n")[0];
    if (lines.isConnected) lines.replaceWith(line);
    hint.textContent = firstHint;
  }

  function asLines() {
    lines.value = line.value;
    if (line.isConnected) { closeList(); line.replaceWith(lines); }
    lines.focus();
  }

  for (const [name, value] of Object.entries({
    class: "input", id: "one", name: "text", role: "combobox", autocomplete: "off", dir: "auto", enterkeyhint: "done",
    "aria-expanded": "false", "aria-controls": "found", "aria-autocomplete": "list", "aria-describedby": "one-hint",
  })) line.setAttribute(name, value);
  const wasFocused = document.activeElement === lines;
  one("[data-plain]", form).remove();
  asLine();
  if (wasFocused || location.hash === "#add") line.focus();

  // the list

  const options = () => all("[role=option]", foundPlace);
  const selected = () => one("[aria-selected=true]", foundPlace);

  /** @param {HTMLElement | undefined} option */
  function select(option) {
    for (const each of options()) each.setAttribute("aria-selected", String(each === option));
    if (option) {
      line.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else line.removeAttribute("aria-activedescendant");
  }

  function closeList() {
    clearTimeout(timer);
    asked.abort();
    foundPlace.replaceChildren();
    shownFor = "";
    line.setAttribute("aria-expanded", "false");
    line.removeAttribute("aria-activedescendant");
  }

  /** @param {string} words */
  function listAddress(words) {
    const address = new URL(box.dataset.found, location.href);
    address.searchParams.set("text", words);
    return address;
  }

  async function search() {
    const words = line.value.trim();
    if (!words) { closeList(); return; }
    asked.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(listAddress(words), { signal: asked.signal, headers: { "HX-Request": "true" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const html = await answer.text();
      if (words !== line.value.trim() || !line.isConnected) return;
      foundPlace.innerHTML = html;
      shownFor = words;
      line.setAttribute("aria-expanded", "true");
      const first = one("[data-do=known]", foundPlace) || one("#new-question", foundPlace);
      select(first);
      said.textContent = box.dataset.results.replace("#", String(options().length));
    } catch (error) {
      if (error.name !== "AbortError") closeList();
    }
  }

  /** Enter came before the list: what would have stood first in it is added. @param {string} words */
  function addFirst(words) {
    add(async () => {
      const answer = await fetch(listAddress(words), { headers: { "HX-Request": "true" } });
      const list = document.createElement("div");
      list.innerHTML = answer.ok ? await answer.text() : "";
      const known = one("[data-do=known]", list);
      return known ? { do: "known", ref: known.dataset.ref } : { do: "question", text: words };
    });
  }

  /** @param {HTMLElement} option */
  function choose(option) {
    if (option.dataset.step) {
      const link = one(`#step-${option.dataset.step} h3 a`);
      closeList();
      if (link) link.focus();
      return;
    }
    const values = { do: option.dataset.do, ref: option.dataset.ref || "", text: line.value };
    add(async () => values);
  }

  line.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(search, PAUSE);
  });

  line.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const listed = options();
    const at = listed.indexOf(selected());
    if (event.key === "Enter") {
      event.preventDefault();
      if (event.shiftKey) {
        asLines();
        lines.value += "\n";
      } else if (shownFor && shownFor === line.value.trim() && at >= 0) choose(listed[at]);
      else if (line.value.trim()) addFirst(line.value.trim());
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!listed.length) search();
      else select(listed[(at + (event.key === "ArrowDown" ? 1 : -1) + listed.length) % listed.length]);
    } else if (event.key === "Escape") {
      if (listed.length) closeList();
      else line.value = "";
    } else if (event.key === "Tab") closeList();
  });

  foundPlace.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays in the box
  foundPlace.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
  });

  document.addEventListener("click", (event) => {
    if (!box.contains(event.target)) closeList();
  });

  // pasted lines

  line.addEventListener("paste", (event) => {
    const words = event.clipboardData.getData("text/plain");
    if (!words.trim().includes("\n")) return;
    event.preventDefault();
    const [start, end] = [line.selectionStart, line.selectionEnd];
    const whole = line.value.slice(0, start) + words + line.value.slice(end);
    asLines();
    lines.value = whole.trim();
    chosen = { as: "", type: "" };
    hint.textContent = box.dataset.pasted.replace("#", String(lines.value.split("\n").filter((each) => each.trim()).length));
    look();
  });

  lines.addEventListener("input", () => {
    clearTimeout(timer);
    if (!lines.value.trim()) {
      becomesPlace.replaceChildren();
      asLine();
      line.focus();
    } else timer = window.setTimeout(look, 2 * PAUSE);
  });

  lines.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    addLines("question");
  });

  async function look() {
    asked.abort();
    asked = new AbortController();
    const values = { csrfmiddlewaretoken: token(), do: "look", text: lines.value, after: after.value, ...chosen };
    try {
      const answer = await fetch(box.dataset.add, {
        method: "POST", body: new URLSearchParams(values), signal: asked.signal, headers: { "HX-Request": "true" },
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const focus = document.activeElement && becomesPlace.contains(document.activeElement)
        ? /** @type {any} */ (document.activeElement).value : "";
      becomesPlace.innerHTML = await answer.text();
      const again = focus && becomesPlace.querySelector(`input[value="${focus}"]`);
      if (again) again.focus();
    } catch (error) {
      if (error.name !== "AbortError") hint.textContent = box.dataset.wait;
    }
  }

  becomesPlace.addEventListener("change", (event) => {
    chosen.type = event.target.value;
    look();
  });

  becomesPlace.addEventListener("submit", (/** @type {any} */ event) => {
    event.preventDefault();
    const button = event.submitter;
    if (button && button.dataset.as) {
      chosen = { as: button.dataset.as, type: "" };
      look().then(() => { const next = one("#becomes-add", becomesPlace); if (next) next.focus(); });
    } else addLines(button ? button.value : "question");
  });

  form.addEventListener("submit", (event) => event.preventDefault());

  // adding

  /** @param {string} what */
  function addLines(what) {
    const values = { do: what, text: lines.value, ...chosen };
    if (lines.value.trim()) add(async () => values);
  }

  /** @param {() => Promise<Record<string, string>>} values */
  function add(values) {
    const words = field().value;
    const read = { ...chosen };
    empty();
    queue = queue.then(async () => {
      arrived = false;
      await values().then((known) => send(box.dataset.add, { after: after.value, ...known })).catch(() => {});
      if (!arrived) giveBack(words, read);
    });
  }

  function empty() {
    const hadFocus = box.contains(document.activeElement);
    lines.value = "";
    asLine();
    closeList();
    chosen = { as: "", type: "" };
    becomesPlace.replaceChildren();
    if (hadFocus) line.focus();
  }

  /** It was not added: the words are in the box again, before what was typed since. */
  /** @param {string} words @param {{ as: string, type: string }} read */
  function giveBack(words, read) {
    const since = field().value;
    const hadFocus = box.contains(document.activeElement);
    const whole = since ? `${words}\n${since}` : words;
    chosen = read;
    if (whole.includes("\n")) {
      line.value = "";
      if (line.isConnected) line.replaceWith(lines);
      lines.value = whole;
    } else line.value = whole;
    if (hadFocus) field().focus();
    if (!becomesPlace.children.length) hint.textContent = box.dataset.wait;
  }

  document.addEventListener("htmx:afterRequest", (event) => {
    const { xhr, pathInfo } = event.detail;
    if (!pathInfo || pathInfo.requestPath !== box.dataset.add) return;
    const added = xhr.getResponseHeader("X-Added");
    if (!added) return;
    arrived = true;
    hint.textContent = firstHint;
    if (after.value) putBelow(added, one(`#step-${added} h3`).textContent);
    box.scrollIntoView({ block: "nearest" });
  });

  // where it goes

  /** @param {string} step @param {string} title */
  function putBelow(step, title) {
    after.value = step;
    one("[data-follows]", box).hidden = !step;
    one("[data-follows-title]", box).textContent = title;
  }

  document.addEventListener("click", (event) => {
    const target = event.target;
    const below = target.closest("[data-add-after]");
    if (below || target.closest("[data-follows-off]")) {
      event.preventDefault();
      putBelow(below ? below.dataset.addAfter : "", below ? below.dataset.title : "");
      const menu = below && below.closest("details");
      if (menu) menu.removeAttribute("open");
      box.scrollIntoView({ block: "center" });
      field().focus();
    }
  });
})();
