// @ts-check
// The colour of a programme is shown on the page while it is chosen, with the contrast that the server has computed for
// every hue. Saving it needs no script.
(function () {
  "use strict";
  const slider = /** @type {HTMLInputElement | null} */ (/** @type {unknown} */ (document.querySelector("[data-hue]")));
  const said = document.querySelector("[data-hue-value]");
  const contrast = document.querySelector("[data-hue-contrast]");
  if (!slider || !said || !contrast) return;
  const contrasts = (slider.dataset.hue || "").split(" ");

  slider.addEventListener("input", () => {
    document.documentElement.style.setProperty("--hue", slider.value);
    said.textContent = slider.value;
    contrast.textContent = contrasts[Number(slider.value)];
  });
})();
