// @ts-check
/* A page that waits for something to open looks again by itself and reloads when it has. */
(function () {
  "use strict";
  const state = () => document.body.dataset.wait;
  function look() {
    fetch(location.href, { credentials: "same-origin" })
      .then((answer) => answer.text())
      .then((text) => { if (text.indexOf('data-wait="' + state() + '"') < 0) location.reload(); })
      .catch(() => {}) // no signal: the next look will tell
      .then(() => setTimeout(look, 4000 + Math.random() * 4000));
  }
  if (state()) setTimeout(look, 4000);
})();
