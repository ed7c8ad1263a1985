// @ts-check
/* A page that waits for its turn: when its seconds are over it sends itself again, with all that was ticked.

   Before that it asks whether the server answers at all, so a browser never leaves this page for an error of its
   own and what was ticked is never lost. */
(function () {
  "use strict";
  const form = document.querySelector("form[data-again]");
  if (!form) return;
  form.querySelector("[data-by-itself]").hidden = false;

  const wait = (seconds) => setTimeout(look, seconds * 1000);
  const send = () => HTMLFormElement.prototype.submit.call(form); // whatever its fields are called

  function look() {
    fetch("/healthz", { cache: "no-store" })
      .then((answer) => { if (!answer.ok) throw new Error(String(answer.status)); send(); })
      .catch(() => wait(3 + Math.random() * 5));
  }

  wait(Number(form.dataset.again));
})();
