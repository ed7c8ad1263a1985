// @ts-check
// The button of a sheet that is to be printed.
(function () {
  "use strict";
  const button = /** @type {HTMLElement} */ (document.querySelector("[data-print]"));
  button.hidden = false;
  document.querySelector("[data-by-hand]").remove();
  button.addEventListener("click", () => window.print());
})();
