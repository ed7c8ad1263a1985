// @ts-check
/* Checking words by keyboard: one item has the focus, one key decides about it, and the next one has the focus.

   One key (Q) goes to the queue from anywhere; the others work only while the focus is inside it. None works while
   somebody types, and all can be turned off. Decisions are sent one by one and not waited for: an item leaves the list
   at once, and comes back with a sentence if it was refused. Without this file every item has its buttons. */
(function () {
  "use strict";
  const live = window.Live, tools = document.getElementById("queue-tools");
  if (!live || !tools) return;
  const STATES = { s: "shown", h: "hidden", r: "redacted", f: "flagged" };
  const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]"; // takes letters itself
  const LATE = 5000; // a picture drawn before the decision may still arrive for so long
  const form = document.getElementById("reword");
  const undo = document.getElementById("queue-undo"), toggle = document.getElementById("queue-keys");
  const sent = new Map(); // ref -> decided here; the server's picture may not know yet
  const past = []; // refs decided here, the last one last
  let at = -1; // which of the waiting items has the focus
  let wanted = ""; // the item that comes back by an undo

  const item = (ref) => document.querySelector('#queue [data-ref="' + ref + '"]');
  const waiting = () => [...document.querySelectorAll("#queue [data-waiting] > [data-ref]")];
  const open = () => waiting().filter((one) => !one.hidden);
  const button = (one) => one.querySelector("button");

  function go(one) {
    const place = one ? button(one) : document.getElementById("queue-title");
    if (place) place.focus();
  }

  /* The focus stays with whoever types. */
  const mayMove = () => !document.activeElement || !document.activeElement.closest(TYPED);

  // ---- deciding

  function decide(ref, state, words) {
    const one = item(ref), here = open(), place = here.indexOf(one);
    if (place >= 0) {
      sent.set(ref, true);
      one.hidden = true;
      go(here[place + 1] || here[place - 1]);
    }
    wanted = state === "pending" ? ref : "";
    if (state !== "pending") past.push(ref);
    undo.disabled = !past.length;
    post(ref, state, words);
  }

  function takeBack() {
    const ref = past.pop();
    undo.disabled = !past.length;
    if (!ref) return;
    settle(ref); // no picture follows where this undo is as quick as the decision
    const one = waiting().find((each) => each.dataset.ref === ref);
    if (document.activeElement === undo) { // an Enter too many there must not show what comes back
      wanted = "";
      if (undo.disabled) go(null);
    } else {
      wanted = ref;
      setTimeout(() => { if (wanted === ref) wanted = ""; }, LATE); // by then it is here, or somebody is elsewhere
      if (one && mayMove()) go(one);
    }
    post(ref, "pending");
  }

  /* In the order of the keys (`hx-sync`): an undo never overtakes what it undoes. */
  function post(ref, state, words) {
    const values = words ? { ref, state, words } : { ref, state };
    window.htmx.ajax("POST", tools.dataset.url, { source: tools, target: "#notice", swap: "outerHTML", values });
  }

  tools.addEventListener("htmx:afterRequest", (event) => {
    const { requestConfig, successful, xhr } = event.detail, ref = requestConfig.parameters.ref;
    if (!successful) failed();
    if (!successful || xhr.responseText.indexOf('role="alert"') >= 0) refused(ref);
    else setTimeout(() => settle(ref), LATE);
  });

  function refused(ref) {
    const one = item(ref), place = past.lastIndexOf(ref);
    if (place >= 0) past.splice(place, 1);
    undo.disabled = !past.length;
    settle(ref);
    if (one && at < 0) go(one);
  }

  function settle(ref) {
    sent.delete(ref);
    const one = item(ref);
    if (one) one.hidden = false;
  }

  function failed() {
    const notice = document.getElementById("notice");
    notice.textContent = tools.dataset.failed;
    notice.setAttribute("role", "alert");
  }

  // ---- keys

  let keys = true;
  try { keys = localStorage.getItem("queue-keys") !== "off"; } catch (error) { /* private mode */ }

  function showKeys() {
    toggle.setAttribute("aria-pressed", keys ? "true" : "false");
    toggle.textContent = keys ? toggle.dataset.onText : toggle.dataset.offText;
  }

  toggle.addEventListener("click", () => {
    keys = !keys;
    try { localStorage.setItem("queue-keys", keys ? "on" : "off"); } catch (error) { /* private mode */ }
    showKeys();
  });

  document.addEventListener("keydown", (event) => {
    const place = event.target;
    if (!keys || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (!place.closest || place.closest(TYPED)) return;
    const key = event.key.toLowerCase(), one = place.closest("#queue [data-ref]");
    if (key === "q" && !tools.hidden) {
      wanted = "";
      return go(one || open()[0]);
    }
    if (!place.closest("#queue")) return; // what decides about words must stand before the eyes of who presses it
    if (key === "u" || STATES[key] || key === "e") event.preventDefault();
    if (event.repeat && key !== "j" && key !== "k") return; // a key that is held decides once
    if (key === "u") return takeBack();
    if (key === "j" || key === "k" || key === "arrowdown" || key === "arrowup") {
      event.preventDefault();
      return step(one, key === "j" || key === "arrowdown" ? 1 : -1);
    }
    if (!one || one.dataset.state === "flagged") return;
    if (key === "e" || (key === "r" && !one.dataset.instead)) return edit(one);
    if (STATES[key]) decide(one.dataset.ref, STATES[key]);
  });

  function step(one, by) {
    const all = [...document.querySelectorAll("#queue [data-ref]")].filter((each) => each.offsetParent);
    const next = one ? all[all.indexOf(one) + by] : all[0];
    wanted = "";
    if (next) go(next);
  }

  // ---- buttons do the same as keys

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("#queue [data-ref] button[name^=as_], #queue [data-reword]");
    if (!pressed) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.detail > 1) return; // the second half of a double click
    const one = pressed.closest("[data-ref]");
    if (pressed.dataset.reword !== undefined) return edit(one);
    decide(one.dataset.ref, pressed.name.slice("as_".length));
  }, true);

  undo.addEventListener("click", takeBack);
  undo.addEventListener("keydown", (event) => { if (event.repeat) event.preventDefault(); }); // a key that is held undoes once

  // ---- other words, outside the pictures, so that none ever replaces what is typed

  let edited = "";

  function edit(one) {
    wanted = "";
    edited = one.dataset.ref;
    form.elements.ref.value = edited;
    form.elements.words.value = one.dataset.instead || one.querySelector("q").textContent;
    form.hidden = false;
    form.elements.words.focus();
  }

  function close() {
    form.hidden = true;
    go(item(edited) || open()[0]);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation(); // htmx listens on the form itself
    const ref = form.elements.ref.value;
    close();
    decide(ref, "redacted", form.elements.words.value);
  }, true);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  document.getElementById("reword-cancel").addEventListener("click", (event) => { event.preventDefault(); close(); });

  // ---- pictures

  const find = () => {
    const one = document.activeElement.closest("#queue [data-ref]");
    at = one ? open().indexOf(one) : document.activeElement === document.body ? at : -1;
  };
  document.addEventListener("focusin", find);

  live.on("swapped", (topic) => {
    if (topic !== "queue") return;
    waiting().forEach((one) => { if (sent.has(one.dataset.ref)) one.hidden = true; });
    tools.hidden = !document.querySelector("#queue [data-ref]") && !past.length;
    const all = open(), back = waiting().find((one) => one.dataset.ref === wanted); // among those decided it stands as well, meanwhile
    if (back) wanted = "";
    if (back && mayMove()) go(back);
    // Somebody else has decided about it: what stood after it is in its place.
    else if (at >= 0 && document.activeElement === document.body) go(all[at] || all[all.length - 1]);
    find();
  });

  tools.hidden = !document.querySelector("#queue [data-ref]");
  showKeys();
})();
