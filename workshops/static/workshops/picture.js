// @ts-check
// A file that is too large is said to be so before it is sent: a server takes no more of it than its limit.
// And the card's previews are drawn anew when the picture was changed.
(function () {
  "use strict";
  document.addEventListener("picture-changed", () => {
    document.querySelectorAll("iframe[data-preview]").forEach((frame) => {
      if (frame instanceof HTMLIFrameElement) frame.contentWindow.location.reload();
    });
  });

  document.addEventListener("change", (event) => {
    const input = event.target;
    if (!(input instanceof HTMLInputElement) || !input.dataset.largest) return;
    const file = input.files[0];
    const tooLarge = file && file.size > Number(input.dataset.largest);
    input.setCustomValidity(tooLarge ? input.dataset.tooLarge : "");
    if (!tooLarge) return;
    input.reportValidity();
    input.value = "";
    input.setCustomValidity("");
  });
})();
