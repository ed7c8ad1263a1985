// @ts-check
// Ctrl+Z outside fields presses the button of the line that says what was just done; once.
(function () {
  "use strict";
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key !== "z" || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
    if (target.closest("input, textarea, select, [contenteditable]")) return;
    const found = /** @type {unknown} */ (document.querySelector("form[data-undo]:not([data-sent])"));
    const form = /** @type {HTMLFormElement | null} */ (found);
    if (!form) return;
    event.preventDefault();
    form.dataset.sent = "";
    form.requestSubmit();
  });
})();
