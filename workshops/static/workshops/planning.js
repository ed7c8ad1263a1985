// @ts-check
// Planning a series: rows that come late do not replace those in which somebody is already typing.
// A plan's one box: Enter adds what stands there; a pasted list keeps its lines, and Ctrl + Enter adds it.
(function () {
  "use strict";
  document.addEventListener("htmx:beforeSwap", (event) => {
    const detail = event.detail;
    const rows = document.getElementById("series");
    if (rows && rows === detail.target && rows.contains(document.activeElement)) detail.shouldSwap = false;
  });

  // The page of a plan comes back whole: what somebody has begun to type elsewhere on it stays.
  /** @type {[string, string][]} */
  let typed = [];

  document.addEventListener("htmx:beforeSwap", (event) => {
    const detail = event.detail;
    if (detail.target.id !== "plan") return;
    const fields = /** @type {NodeListOf<HTMLInputElement>} */ (detail.target.querySelectorAll(".input[id]:not(select)"));
    const sent = /** @type {Element} */ (detail.requestConfig.elt);
    typed = [...fields].filter((one) => one.value !== one.defaultValue && !sent.contains(one)).map((one) => [one.id, one.value]);
  });

  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, value] of typed) {
      const field = /** @type {any} */ (document.getElementById(id));
      if (field) { field.value = value; field.dataset.kept = ""; }
    }
  });

  // Minutes that were left while the page was on its way were not sent: their form was no longer there.
  document.addEventListener("htmx:afterSettle", () => {
    for (const [id] of typed) {
      const field = /** @type {any} */ (document.getElementById(id));
      if (field && field.form && field !== document.activeElement && field.matches(".minutes .input")) field.form.requestSubmit();
    }
    typed = [];
  });

  // A field that was filled in for somebody fires no change when it is left.
  document.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement) delete event.target.dataset.kept;
  });
  document.addEventListener("focusout", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement) || !("kept" in field.dataset) || !field.matches(".minutes .input")) return;
    delete field.dataset.kept;
    if (field.form && field.value !== field.defaultValue) field.form.requestSubmit();
  });

  document.addEventListener("keydown", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLTextAreaElement) || box.id !== "one" || event.key !== "Enter") return;
    if (event.shiftKey || event.isComposing || (box.value.includes("\n") && !event.ctrlKey)) return;
    event.preventDefault();
    const add = /** @type {HTMLElement | null} */ (box.form && box.form.querySelector("button[value=add]"));
    if (add) add.click();
  });
})();
