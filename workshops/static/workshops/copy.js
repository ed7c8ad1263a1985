// @ts-check
// "Copy joining link": puts link and code on the clipboard and says so. Without a script the link itself stands there.
(function () {
  "use strict";
  const SHOWN = 2500; // milliseconds
  document.documentElement.classList.add("can-copy");

  document.addEventListener("click", (event) => {
    const target = event.target;
    const button = target instanceof Element ? /** @type {HTMLElement} */ (target.closest("[data-copy]")) : null;
    if (button) copy(button.dataset.copy).then(() => copied(button), () => byHand(button));
  });

  /** @param {string} words */
  function copy(words) {
    // a page without HTTPS has no clipboard of its own
    return navigator.clipboard ? navigator.clipboard.writeText(words) : byCommand(words);
  }

  /** @param {string} words */
  async function byCommand(words) {
    const field = document.createElement("textarea");
    const focus = /** @type {HTMLElement} */ (document.activeElement);
    field.value = words;
    field.className = "visually-hidden";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (focus) focus.focus();
    if (!done) throw new Error("no clipboard");
  }

  /** @param {HTMLElement} button */
  function copied(button) {
    button.classList.add("is-copied");
    say(button, button.dataset.copied);
    setTimeout(() => { button.classList.remove("is-copied"); say(button, ""); }, SHOWN);
  }

  /** @param {HTMLElement} button */
  function byHand(button) {
    const box = button.closest(".copy-link");
    if (!box) return;
    box.classList.add("is-by-hand");
    say(button, button.dataset.byHand);
    const address = box.querySelector(".address");
    if (address instanceof HTMLInputElement) address.select();
    else getSelection().selectAllChildren(address);
  }

  /**
   * @param {HTMLElement} button
   * @param {string} words
   */
  function say(button, words) {
    const status = button.parentElement.querySelector("[role=status]");
    if (status) status.textContent = words;
  }
})();
