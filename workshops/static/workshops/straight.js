// @ts-check
/* A form marked here is answered with the page that comes next (`views/joining.py`): one round trip less. That page's
   address takes the place of the form's in the history, so reloading and going back never send a form twice. */
(function () {
  "use strict";
  const address = document.body.dataset.address;
  if (address && address !== location.pathname) history.replaceState(null, "", address);
  for (const form of document.querySelectorAll("form[data-straight]")) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "straight", value: "1" });
    form.append(field);
  }
})();
