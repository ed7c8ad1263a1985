// @ts-check
/* Groups on the console: open one group's pad, untick what was sent, say who calls.
   After live.js. Without this file a group opens as a page of its own (`?group=`) and everything works. */
(function () {
  "use strict";
  const live = window.Live;
  const place = (id) => document.getElementById(id);
  if (!live || !place("group")) return;

  // ---- one group's pad

  let opened = Number(place("group").dataset.group || 0);
  let arriving = false; // the pad was asked for by hand: what comes next is what somebody wants to read
  let filled = null; // the group whose name and link stand in the form

  function look(group) {
    opened = group;
    live.send({ t: "look", group: group });
    if (!group) close();
    mark();
  }

  function close() {
    const empty = document.createElement("section");
    empty.id = "group";
    empty.hidden = true;
    place("group").replaceWith(empty);
    filled = null;
  }

  function mark() {
    document.querySelectorAll("#breakouts [data-look], #help [data-look]").forEach((link) => {
      if (Number(link.dataset.look) === opened) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-look]");
    if (!link || !live.connected()) return; // without a line the page itself is asked for
    event.preventDefault();
    const before = opened, group = Number(link.dataset.look);
    if (group && group === opened) return arrive();
    arriving = Boolean(group);
    look(group);
    const opener = group ? null : place("look-" + before);
    if (opener) opener.focus();
  });

  function arrive() {
    const title = place("group-title");
    arriving = false;
    if (!title) return;
    title.focus({ preventScroll: true });
    title.scrollIntoView({ block: "start" });
  }

  /* The form of its name stands outside the picture, so that nothing typed is lost; another group fills it anew. */
  function fill(pad) {
    if (filled === pad.dataset.group) return;
    filled = pad.dataset.group;
    place("group-name").value = pad.dataset.name || "";
    place("group-link").value = pad.dataset.link || "";
  }

  live.on("open", () => { if (opened) live.send({ t: "look", group: opened }); });

  // ---- ticks that have done their work

  /* What was ticked for a gesture is not ticked any more, so that the next gesture does not take it along; refused, it is
     ticked again. */
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.detail.elt.closest("form");
    if (!form || !form.closest("#breakouts, #group")) return;
    const xhr = event.detail.xhr, sent = [...form.querySelectorAll("input[type=checkbox]:checked")];
    sent.forEach((box) => { box.checked = false; });
    xhr.addEventListener("loadend", () => {
      const done = xhr.status >= 200 && xhr.status < 300 && xhr.responseText.indexOf('role="alert"') < 0;
      if (!done) sent.forEach((box) => { box.checked = true; });
    });
  });

  // ---- what a new picture brings

  let step = (place("breakouts") || document.body).dataset.step;

  live.on("swapped", (topic, element) => {
    if (topic === "help") { mark(); call(element.dataset.calls); }
    if (topic !== "breakouts" && topic !== "group") return;
    if (topic === "group") {
      if (Number(element.dataset.group) !== opened) return close();
      fill(element);
      if (arriving) arrive();
      return;
    }
    mark();
    if (opened && (element.hidden || !element.querySelector("#look-" + opened))) look(0);
    if (element.dataset.step === "make" && step !== "make") document.querySelector(".for-make").open = true;
    step = element.dataset.step;
  });

  /* For ears: who calls, once for each change. */
  function call(words) {
    const told = document.querySelector("[data-call-words]"), sentence = (words || "").trim();
    if (told.textContent !== sentence) told.textContent = sentence;
  }

  call((place("help") || document.body).dataset.calls);
  if (opened) filled = String(opened);
})();
