// @ts-check
/* People are dragged into groups, with a mouse or, after a moment's hold, with a finger. An extra on top: what is
   dropped is ticked and the group's own “Move here” is pressed, so nothing is done here that a keyboard cannot do.
   Everything is remembered by id: a new picture may come at any moment. */
(function () {
  "use strict";
  const FAR = 6, HOLD = 350, EDGE = 56, STEP = 14;
  const id = (name) => document.getElementById(name);
  if (!id("breakouts") || !window.PointerEvent) return;
  document.body.classList.add("can-drag");

  /** @type {{box: string, x: number, y: number, touch: boolean, timer?: number, ghost?: HTMLElement, over?: string} | null} */
  let drag = null; // the chip under the finger, dragged once it has a ghost

  document.addEventListener("pointerdown", (event) => {
    const chip = event.target.closest("#breakouts .person"), box = chip && chip.querySelector("[name=places]");
    if (!box || event.button || drag) return;
    drag = { box: box.id, x: event.clientX, y: event.clientY, touch: event.pointerType === "touch" };
    if (drag.touch) drag.timer = setTimeout(() => begin(drag.x, drag.y), HOLD);
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.ghost) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < FAR) return;
      if (drag.touch) return end(); // a finger that moves at once scrolls
      begin(event.clientX, event.clientY);
    }
    if (drag) move(event.clientX, event.clientY);
  });

  /* Who is ticked goes along, if the dragged one is among them. */
  function people() {
    const own = id(drag.box), ticked = Array.from(document.querySelectorAll("#breakouts [name=places]:checked"));
    return !own ? [] : ticked.indexOf(own) >= 0 ? ticked : [own];
  }

  function begin(x, y) {
    const boxes = people();
    if (!boxes.length) return end();
    drag.ghost = document.createElement("div");
    drag.ghost.className = "drag-ghost";
    drag.ghost.setAttribute("aria-hidden", "true");
    drag.ghost.textContent = boxes.length > 1 ? String(boxes.length) : boxes[0].closest(".person").textContent.trim();
    document.body.appendChild(drag.ghost);
    document.body.classList.add("is-dragging");
    move(x, y);
  }

  function move(x, y) {
    drag.ghost.style.transform = "translate(" + (x + 12) + "px, " + (y + 12) + "px)";
    const under = document.elementFromPoint(x, y), target = under && under.closest("[data-drop]");
    mark(target ? target.dataset.drop : "");
    const by = y < EDGE ? -STEP : y > innerHeight - EDGE ? STEP : 0;
    if (by) [document.scrollingElement, id("main")].forEach((part) => { part.scrollTop += by; });
  }

  function mark(over) {
    drag.over = over;
    document.querySelectorAll("[data-drop]").forEach((place) => place.classList.toggle("is-over", place.dataset.drop === over));
  }

  document.addEventListener("pointerup", () => {
    if (!drag) return;
    const button = drag.ghost && drag.over && id(drag.over), boxes = drag.ghost ? people() : [];
    const dropped = Boolean(drag.ghost);
    end();
    if (!dropped) return;
    // The click that follows would tick or untick what was dragged.
    const swallow = (event) => { event.preventDefault(); event.stopPropagation(); };
    document.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => {
      document.removeEventListener("click", swallow, { capture: true });
      if (button && boxes.some((box) => !button.closest("[data-drop]").contains(box))) drop(button, boxes);
    });
  });

  function drop(button, boxes) {
    document.querySelectorAll("#breakouts [name=places]").forEach((box) => {
      const goes = boxes.some((one) => one.id === box.id);
      if (box.checked !== goes) { box.checked = goes; box.dispatchEvent(new Event("change", { bubbles: true })); }
    });
    const still = id(button.id); // the picture may be a new one by now
    if (still) still.click();
  }

  function end() {
    if (!drag) return;
    clearTimeout(drag.timer);
    if (drag.ghost) { mark(""); drag.ghost.remove(); }
    document.body.classList.remove("is-dragging");
    drag = null;
  }

  document.addEventListener("pointercancel", end);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") end(); });
  // Once somebody is being dragged the page must not scroll with the finger, nor a menu open.
  document.addEventListener("touchmove", (event) => { if (drag && drag.ghost) event.preventDefault(); }, { passive: false });
  document.addEventListener("contextmenu", (event) => { if (drag && drag.touch) event.preventDefault(); });
})();
