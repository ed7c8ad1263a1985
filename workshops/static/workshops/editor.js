// @ts-check
/* The card editor: saves by itself, and loses nothing that was typed.

   The whole form is posted on leaving a field and while somebody types; nothing of what is typed is ever swapped. What
   has not been saved yet is kept on this device, and offered back after a lost connection or a closed tab. Without
   this file the form is an ordinary one. */
(function () {
  "use strict";
  document.documentElement.classList.add("has-script");
  const PAUSE = 2000, LONGEST = 8000, RETRY = 5000;
  /** a line can go dead without a word, and the browser itself would wait for minutes */
  const GIVE_UP = 20000;
  /** what belongs to one drawing of the page, and not to what somebody has typed */
  const OF_THE_PAGE = ["csrfmiddlewaretoken", "rev", "item_rev", "base", "do", "theirs", "kind", "reason"];

  /** @param {any} form */
  function start(form) {
    if (form.dataset.started) return;
    form.dataset.started = "yes";
    const editing = form.closest("[data-editing]") || document;
    const place = "card:" + form.getAttribute("action");
    const saved = form.querySelector("[data-saved]");
    let changes = 0, sent = 0, first = 0, timer = 0, busy = false, waits = !!form.querySelector(".is-conflict");

    // ---- what is typed, and where it is kept

    const field = (name) => form.elements.namedItem(name);
    /** @returns {[string, string][]} */
    const typed = () => /** @type {any} */ ([...new FormData(form)]).filter(([name]) => !OF_THE_PAGE.includes(name));
    const asDrawn = JSON.stringify(typed());
    const page = () => Object.fromEntries(["rev", "item_rev", "base"].filter(field).map((name) => [name, field(name).value]));

    function keep() {
      try {
        localStorage.setItem(place, JSON.stringify({ at: Date.now(), page: page(), typed: typed(), decided: waits }));
      } catch { /* a full or forbidden store: saving goes on without it */ }
    }
    function kept() {
      try {
        return JSON.parse(localStorage.getItem(place) || "null");
      } catch {
        return null;
      }
    }
    const forget = () => { try { localStorage.removeItem(place); } catch { /* as above */ } };
    const say = (words) => { if (saved.textContent !== words) saved.textContent = words; };

    // ---- saving

    function changed() {
      changes += 1;
      keep();
      if (waits) return say(saved.dataset.waits);
      say(saved.dataset.typing);
      first = first || Date.now();
      later(Math.max(0, Math.min(PAUSE, first + LONGEST - Date.now())));
    }
    function later(after) {
      clearTimeout(timer);
      timer = setTimeout(save, after);
    }

    async function save() {
      if (busy || waits || sent === changes) return;
      const mine = changes;
      busy = true;
      first = 0;
      clearTimeout(timer);
      const patience = new AbortController();
      const giveUp = setTimeout(() => patience.abort(), GIVE_UP);
      try {
        const answer = await fetch(form.action, {
          method: "POST", body: new URLSearchParams(/** @type {any} */ (new FormData(form))),
          headers: { "X-Autosave": "1" }, redirect: "manual", signal: patience.signal,
        });
        if (answer.status === 409) await told(answer);
        else if (answer.ok) took(await answer.json(), mine);
        else if (answer.type === "opaqueredirect" || answer.status === 403) say(saved.dataset.signedOut);
        else failed();
      } catch {
        failed();
      } finally {
        clearTimeout(giveUp);
        busy = false;
      }
      if (!waits && sent !== changes) later(sent >= mine ? PAUSE : RETRY);
    }
    const failed = () => say(saved.dataset.offline);

    function took(news, mine) {
      sent = mine;
      ["rev", "item_rev", "base"].forEach((name) => { if (name in news) field(name).value = news[name]; });
      if (sent === changes) {
        forget();
        say(news.saved);
      } else keep();
      form.querySelectorAll("[data-error]").forEach((error) => {
        const name = error.dataset.error || "";
        const sum = /^sum-(\d+)$/.exec(name);
        const words = news.errors[name] || (sum && news.sum_errors && news.sum_errors[sum[1]]) || "";
        if (name === "kind" || error.textContent === words) return;
        error.textContent = words;
        error.hidden = !words;
      });
      const version = form.querySelector("[data-version]");
      if (version) version.textContent = news.version;
      if (news.options) draw(news);
      editing.querySelectorAll("[data-preview]").forEach(refresh);
    }

    async function told(answer) {
      const news = await answer.json();
      waits = true;
      ["rev", "item_rev", "base"].forEach((name) => { if (name in news) field(name).value = news[name]; });
      form.querySelector("[data-conflict]").innerHTML = news.html;
      keep();
      say(saved.dataset.waits);
      const conflict = form.querySelector(".is-conflict");
      conflict.scrollIntoView({ block: "nearest" });
    }

    // ---- what the server made of it, beside what is typed

    function draw(news) {
      const became = form.querySelector("[data-became]");
      if (became) {
        became.closest(".lines").classList.toggle("is-bare", !news.lines.length);
        became.replaceChildren(...news.lines.map(([change, words]) => {
          const line = document.createElement("li");
          line.className = "is-" + change;
          line.textContent = words;
          return line;
        }));
      }
      const problems = form.querySelector("[data-problems]");
      if (problems) {
        problems.hidden = !news.problems.length;
        problems.replaceChildren(...news.problems.map((words) => {
          const line = document.createElement("li");
          line.textContent = words;
          return line;
        }));
      }
      form.querySelectorAll("[data-chips]").forEach((chips) => {
        const name = chips.dataset.chips;
        rechip(chips, name, name === "exclusive" ? news.options : news.countable);
      });
      Object.entries(news.sums).forEach(([number, key]) => {
        const row = form.querySelector(`[data-sum="${number}"]`);
        if (!row) return;
        field(`sum-${number}-key`).value = key;
        if (key in news.figures) row.querySelector("[data-figure] b").textContent = news.figures[key];
      });
      const after = form.querySelector("[data-after]");
      if (after && after.innerHTML.trim() !== news.after.trim() && !after.contains(document.activeElement)) {
        const chosen = form.querySelector("[name=kind]:checked");
        const reason = field("reason") ? field("reason").value : "";
        after.innerHTML = news.after;
        const same = chosen && form.querySelector(`[name=kind][value=${chosen.value}]`);
        if (same) same.checked = true;
        if (field("reason")) field("reason").value = reason;
      }
    }

    /** Ticks for the options that there are now; a tick stays, and a tick that has gone stays while it is ticked. */
    function rechip(chips, name, options) {
      const now = [...chips.querySelectorAll("input")];
      if (chips.contains(document.activeElement)
        && now.map((input) => input.value).join() === options.map(([key]) => key).join()) return;
      const ticked = new Set(now.filter((input) => input.checked).map((input) => input.value));
      const focused = now.find((input) => input === document.activeElement);
      const known = new Set(options.map(([key]) => key));
      const gone = now.filter((input) => input.checked && !known.has(input.value)).map((input) => input.closest("label"));
      chips.replaceChildren(...options.map(([key, label]) => {
        const chip = document.createElement("label");
        chip.className = "pick";
        const input = document.createElement("input");
        Object.assign(input, { type: "checkbox", name, value: key, checked: ticked.has(key) });
        const words = document.createElement("span");
        words.textContent = label;
        chip.append(input, words);
        return chip;
      }), ...(name === "exclusive" ? [] : gone));
      if (focused) {
        const again = [...chips.querySelectorAll("input")].find((input) => input.value === focused.value);
        if (again) again.focus();
      }
    }

    // ---- what was not saved, offered back

    const offer = form.querySelector("[data-offer]");
    const before = kept();
    // What waited for a decision went with the page, where its revision is another one now.
    const arrived = before && before.decided && before.page.rev !== page().rev;
    if (before && !arrived && !waits && JSON.stringify(before.typed) !== asDrawn) {
      const words = offer.querySelector("[data-offer-words]");
      const time = new Date(before.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      words.textContent = words.dataset.words.replace("{time}", time);
      offer.hidden = false;
    } else forget();

    offer.querySelector("[data-put-back]").addEventListener("click", () => {
      putBack(before.typed);
      // As the page was then: if somebody else has saved since, the server says so.
      Object.entries(before.page).forEach(([name, value]) => { if (field(name)) field(name).value = value; });
      offer.hidden = true;
      changed();
      later(0);
      form.querySelector("textarea, input:not([type=hidden])").focus();
    });
    offer.querySelector("[data-throw-away]").addEventListener("click", () => {
      forget();
      offer.hidden = true;
      form.querySelector("textarea, input:not([type=hidden])").focus();
    });

    function putBack(fields) {
      const rows = fields.filter(([name]) => name === "sum").map(([, number]) => number);
      rows.forEach((number) => { if (!form.querySelector(`[data-sum="${number}"]`)) addSum(); });
      [...form.elements].forEach((input) => {
        if (!input.name || OF_THE_PAGE.includes(input.name)) return;
        const values = fields.filter(([name]) => name === input.name).map(([, value]) => value);
        if (input.type === "checkbox" || input.type === "radio") input.checked = values.includes(input.value);
        else if (values.length && input.name !== "sum") input.value = values[0];
      });
    }

    // ---- hands

    form.addEventListener("input", (event) => {
      const name = event.target.name;
      if (!["theirs", "kind", "reason"].includes(name)) changed();
    });
    form.addEventListener("change", (event) => {
      const input = event.target;
      if (["theirs", "kind", "reason"].includes(input.name)) return;
      if (input.name === "type") carryOver(input.value);
      if (!offer.hidden) offer.hidden = true;
      later(0);
    });
    form.addEventListener("submit", (event) => {
      clearTimeout(timer);
      if (waits || (!busy && sent === changes)) {
        waits = true; // the page goes, and with it all that is on it
        return;
      }
      // First what was typed, so that nobody leaves a page whose words have not arrived.
      event.preventDefault();
      sendThen(event.submitter);
    });
    async function sendThen(button) {
      while (busy) await new Promise((done) => setTimeout(done, 30));
      await save();
      if (!waits && sent === changes) form.requestSubmit(button);
    }
    form.addEventListener("click", (event) => {
      const step = event.target.closest("[data-step]");
      if (!step) return;
      const minutes = field("minutes");
      minutes.value = String(Math.max(0, (parseInt(minutes.value, 10) || 0) + Number(step.dataset.step)));
      changed();
    });

    /** A list of options can be the points of a scale, and the other way round. */
    function carryOver(type) {
      const options = field("options"), points = field("points");
      if (type === "scale" && !points.value.trim()) points.value = options.value;
      if (type !== "scale" && !options.value.trim()) options.value = points.value;
    }

    const more = form.querySelector("[data-more-sums]");
    if (more) more.querySelector("summary").addEventListener("click", (event) => {
      event.preventDefault();
      addSum().querySelector("input.name").focus();
    });
    function addSum() {
      const blank = more.querySelector("[data-sum]");
      const number = Number(blank.dataset.sum);
      const row = /** @type {any} */ (blank.cloneNode(true));
      more.before(row);
      blank.dataset.sum = String(number + 1);
      blank.querySelectorAll("[name]").forEach((each) => {
        const input = each;
        if (input.name === "sum") input.value = String(number + 1);
        input.name = input.name.replace(/^sum-\d+/, `sum-${number + 1}`);
      });
      blank.querySelectorAll("[data-chips]").forEach((each) => {
        each.dataset.chips = `sum-${number + 1}-member`;
      });
      blank.querySelectorAll("[data-error]").forEach((each) => {
        each.id = `error-sum-${number + 1}`;
        each.dataset.error = `sum-${number + 1}`;
      });
      return row;
    }

    // ---- a page that goes, a connection that comes

    addEventListener("online", () => { if (sent !== changes) later(0); });
    addEventListener("pagehide", () => {
      if (waits || busy || sent === changes) return;
      fetch(form.action, {
        method: "POST", body: new URLSearchParams(/** @type {any} */ (new FormData(form))),
        headers: { "X-Autosave": "1" }, keepalive: true,
      }).catch(() => {});
    });
  }

  // ---- previews

  /** @param {any} frame */
  function refresh(frame) {
    const ticked = ["large", "dark"].filter((name) => frame.closest(".previews").querySelector(`[data-${name}]:checked`));
    const wanted = frame.src.split("?")[0] + (ticked.length ? "?" + ticked.join("&") : "");
    if (frame.contentWindow && frame.src === wanted) frame.contentWindow.location.reload();
    else frame.src = wanted;
  }
  document.addEventListener("change", (event) => {
    const input = event.target;
    if (input.matches("[data-large], [data-dark]")) input.closest(".previews").querySelectorAll("[data-preview]").forEach(refresh);
  });

  const startAll = () => document.querySelectorAll("form[data-card]").forEach(start);
  startAll();
  document.addEventListener("htmx:load", startAll);
})();
