/* Forms are answered with the page that comes next (`views/straight.py`), which saves a slow line a wait each.

   That page has an address of its own: it goes into the history in place of the form's, so reloading and going back
   ask for pages and never to send a form twice. Only a form that this script has marked is answered so. */
(function () {
  "use strict";
  const moved = document.body.dataset.moved;
  if (moved) history.replaceState(null, "", moved);
  for (const form of document.querySelectorAll("form[data-straight]")) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "straight", value: "1" });
    form.append(field);
  }
})();
