// @ts-check
/* What a wall and a console have and a phone does not need: updates that can be paused, the whole screen, numbers for
   ears, and forms that are sent without leaving the page. */
(function () {
  "use strict";
  const live = window.Live;
  if (!live) return;

  // ---- pause updates, full screen

  document.addEventListener("click", (event) => {
    const pause = event.target.closest("[data-pause]");
    if (pause) {
      const waiting = live.held;
      live.held = waiting ? null : {};
      pause.setAttribute("aria-pressed", waiting ? "false" : "true");
      pause.textContent = waiting ? pause.dataset.offText : pause.dataset.onText;
      if (waiting) Object.keys(waiting).forEach((topic) => live.show(waiting[topic]));
    }
    if (event.target.closest("[data-fullscreen]")) {
      if (document.fullscreenElement) document.exitFullscreen();
      else document.documentElement.requestFullscreen();
    }
  });

  // ---- a wall's tools, as over a film: there while a pointer moves, gone when it rests

  const RESTS = 4000;
  let resting = 0;

  function pointed() {
    const root = document.documentElement;
    root.classList.add("is-pointed");
    clearTimeout(resting);
    resting = setTimeout(() => root.classList.remove("is-pointed"), RESTS);
  }
  ["pointermove", "pointerdown"].forEach((name) => document.addEventListener(name, pointed, { passive: true }));

  // ---- forms

  live.on("swapped", (topic, element) => { if (window.htmx) window.htmx.process(element); });

  // ---- a slip of the hand: what stands under the pointer or has the focus may just have become another thing

  const SETTLES = 700;
  const PRESSED = "form.do, .controls, .sure";
  let settling = 0, meant = "";
  /* While it has the class no pointer reaches a button (`desk.css`). */
  const settles = () => document.documentElement.classList.toggle("is-settling", settling !== 0);
  function hold() {
    clearTimeout(settling);
    settling = setTimeout(() => { settling = 0; settles(); }, SETTLES);
    settles();
  }

  const meaning = () => Array.from(document.querySelectorAll(".slot .button"), (button) => button.id + button.textContent).join();
  live.on("swapped", (topic) => {
    if (topic !== "stage") return;
    const now = meaning();
    if (meant && meant !== now) hold();
    meant = now;
  });
  document.addEventListener("DOMContentLoaded", () => { meant = meaning(); });
  // "Yes, end it now" comes under the pointer as well.
  document.addEventListener("toggle", (event) => { if (event.target.matches(".sure[open]")) hold(); }, true);

  /** @param {Event} event */
  function stop(event) { event.preventDefault(); event.stopPropagation(); }
  document.addEventListener("click", (event) => {
    if (!event.target.closest(PRESSED)) return;
    const again = event.detail > 1 && event.target.closest("form.do");
    if (again || (settling && event.target.closest(".controls, .sure-box"))) stop(event);
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.repeat && (event.key === "Enter" || event.key === " ") && event.target.closest(PRESSED)) stop(event);
  }, true);

  // ---- what was just done can be undone for a while; then its line goes, and the keyboard is never left nowhere

  let going = 0, wasThere = false; // wasThere: the keyboard, on the line

  function lead() {
    const title = document.querySelector("#stage h1"); // its `tabindex` is in the picture: the next one would take it away
    if (title) title.focus({ preventScroll: true });
  }
  function lineGoes() {
    const line = document.querySelector("form[data-until]");
    clearTimeout(going);
    if (!line) return;
    going = setTimeout(() => {
      const there = line.contains(document.activeElement);
      line.remove();
      if (there) lead();
    }, Number(line.dataset.until) - live.now());
  }
  document.addEventListener("DOMContentLoaded", lineGoes);
  live.on("swapping", () => { wasThere = Boolean(document.activeElement.closest("#undo")); });
  live.on("swapped", (topic) => {
    if (topic !== "stage") return;
    lineGoes();
    if (wasThere && document.activeElement === document.body) lead();
  });

  // A form whose words have done their work is emptied; one whose words were refused keeps them.
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest("form[data-clear]");
    if (!form || !event.detail.successful || event.detail.xhr.responseText.indexOf('role="alert"') >= 0) return;
    form.reset();
    const box = form.closest("details");
    if (box) box.open = false;
  });

  // ---- for ears: how many have answered, at most every ten seconds

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
  live.on("swapped", (topic) => { if (topic === "tally") announce(); });
})();
