/* Groups on the console: open one group's pad, keep what is ticked while pictures change, say who calls.
   After live.js. Without this file a group opens as a page of its own (`?group=`) and everything works. */
(function () {
  "use strict";
  const live = window.Live;
  const place = (id) => document.getElementById(id);
  if (!live || !place("group")) return;

  // ---- one group's pad -------------------------------------------------------------------------------

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

  live.onopen = () => { if (opened) live.send({ t: "look", group: opened }); };

  // ---- ticks and choices stay where they are ----------------------------------------------------------

  const kept = { breakouts: {}, group: {} };

  document.addEventListener("change", (event) => {
    const picture = event.target.closest("#breakouts, #group");
    if (!picture || !event.target.id) return;
    const value = event.target.type === "checkbox" ? event.target.checked : event.target.value;
    kept[picture.id][event.target.id] = value;
  });

  function restore(topic, element) {
    Object.keys(kept[topic]).forEach((id) => {
      const field = element.querySelector("#" + id);
      if (!field) delete kept[topic][id];
      else if (field.type === "checkbox") field.checked = kept[topic][id];
      else field.value = kept[topic][id];
    });
  }

  /* What was ticked for a gesture has done its work and is not ticked any more. The new picture may be faster than the
     answer: it comes without these ticks, so that the next gesture does not take them along. Refused, they come back.
     Asked on the way out, because a form that a picture has replaced tells the page no more of its answer. */
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.detail.elt.closest("form"), picture = form && form.closest("#breakouts, #group");
    if (!picture) return;
    const ids = [...form.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.id);
    const ticks = kept[picture.id], xhr = event.detail.xhr;
    ids.forEach((id) => { delete ticks[id]; });
    xhr.addEventListener("loadend", () => {
      const done = xhr.status >= 200 && xhr.status < 300 && xhr.responseText.indexOf('role="alert"') < 0;
      ids.filter((id) => !(id in ticks)).forEach((id) => { // those that nobody has touched meanwhile
        const box = place(id);
        if (!done) ticks[id] = true;
        if (box) box.checked = !done;
      });
    });
  });

  // ---- what a new picture brings -----------------------------------------------------------------------

  let step = (place("breakouts") || document.body).dataset.step;

  live.swapped.push((topic, element) => {
    if (topic === "help") { mark(); call(element.dataset.calls); }
    if (topic !== "breakouts" && topic !== "group") return;
    restore(topic, element);
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
