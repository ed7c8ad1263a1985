// @ts-check
/* Pages one after the other on a big screen: arrow keys and the keys of a presenter's clicker follow the links. */
(function () {
  "use strict";
  const NEXT = ["ArrowRight", "ArrowDown", "PageDown"], BACK = ["ArrowLeft", "ArrowUp", "PageUp"];
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    const way = NEXT.includes(event.key) ? "next" : BACK.includes(event.key) ? "prev" : "";
    const link = way && document.querySelector("a[rel=" + way + "]");
    if (!link) return;
    event.preventDefault();
    link.click();
  });
})();
