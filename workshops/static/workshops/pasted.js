// @ts-check
// A pasted transcript goes as a file, because a form's fields may be small only; and the page says what happens meanwhile.
(function () {
  "use strict";
  const form = document.querySelector("form[data-pasted]");

  form.addEventListener("formdata", ({ formData }) => {
    const text = formData.get("text");
    if (!text) return;
    formData.delete("text");
    formData.append("pasted", new File([text], "pasted.txt", { type: "text/plain" }));
  });

  form.addEventListener("submit", () => {
    form.querySelector("[data-meanwhile]").textContent = form.dataset.pasted;
  });
})();
