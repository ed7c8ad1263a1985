/* What a wall and a console have and a phone does not need: updates that can be paused, the whole screen, numbers for
   ears, and forms that are sent without leaving the page. */
(function () {
  "use strict";
  const live = window.Live;
  if (!live) return;

  // ---- pause updates, full screen ----------------------------------------------------------------------

  const show = live.handlers.screen;
  let paused = null; // while updates are paused: the newest picture of each topic

  live.handlers.screen = (frame) => { if (paused) paused[frame.topic] = frame; else show(frame); };

  document.addEventListener("click", (event) => {
    const pause = event.target.closest("[data-pause]");
    if (pause) {
      const waiting = paused;
      paused = paused ? null : {};
      pause.setAttribute("aria-pressed", paused ? "true" : "false");
      pause.textContent = paused ? pause.dataset.onText : pause.dataset.offText;
      if (waiting) Object.keys(waiting).forEach((topic) => show(waiting[topic]));
    }
    if (event.target.closest("[data-fullscreen]")) {
      if (document.fullscreenElement) document.exitFullscreen();
      else document.documentElement.requestFullscreen();
    }
  });

  // ---- forms ---------------------------------------------------------------------------------------------

  live.swapped.push((topic, element) => { if (window.htmx) window.htmx.process(element); });

  // The second half of a double click must not land on what the first half has put there.
  document.addEventListener("click", (event) => {
    if (event.detail > 1 && event.target.closest("form.do")) event.preventDefault();
  }, true);

  // A form whose words have done their work is emptied; one whose words were refused keeps them.
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest("form[data-clear]");
    if (!form || !event.detail.successful || event.detail.xhr.responseText.indexOf('role="alert"') >= 0) return;
    form.reset();
    const box = form.closest("details");
    if (box) box.open = false;
  });

  // ---- for ears: how many have answered, at most every ten seconds -------------------------------------

  const QUIET = 10000;
  let announced = 0, announcing = 0;

  function announce() {
    const place = document.querySelector("[data-announce]");
    if (!place || announcing) return;
    announcing = setTimeout(() => {
      const told = document.querySelector(place.dataset.announce);
      const sentence = told ? told.textContent.replace(/\s+/g, " ").trim() : "";
      announcing = 0;
      announced = Date.now();
      if (place.textContent !== sentence) place.textContent = sentence;
    }, Math.max(0, announced + QUIET - Date.now()));
  }
  live.swapped.push((topic) => { if (topic === "tally") announce(); });
})();
