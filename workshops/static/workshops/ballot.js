// @ts-check
/* Makes a ballot handier than its plain HTML; without this file every ballot still works.

   The form's own fields always hold the answer; what is drawn here only reads and writes them.

   What an answer means is the poll type's alone (`from_form`, `to_form`). Words come from data-* attributes, @ a name,
   # a number. */
(function () {
  "use strict";
  const $ = (root, selector) => root.querySelector(selector);
  const $$ = (root, selector) => Array.from(root.querySelectorAll(selector));
  const fields = (form, name) => $$(form, "[name='" + name + "']");
  const field = (form, name) => fields(form, name)[0];
  const checked = (form, name) => fields(form, name).filter(input => input.checked).map(input => input.value);
  const passes = form => checked(form, "pass").length > 0;
  const prefixed = (form, prefix) => $$(form, "[name^='" + prefix + "']");
  const label = input => {
    const words = input.closest("label") || $(input.form, "label[for='" + input.id + "']");
    const span = $(words, ":scope > span") || words;
    return Array.from(span.childNodes).filter(node => node.nodeName !== "SMALL").map(node => node.textContent).join("").replace(/\s+/g, " ").trim();
  };
  const changed = input => input.dispatchEvent(new Event("input", { bubbles: true }));

  /* "3 chosen" in every plural form: data attribute → JSON {category: phrase with #} */
  const plural = new Intl.PluralRules(document.documentElement.lang || "en");
  function phrase(json, n) {
    const forms = JSON.parse(json);
    return (forms[plural.select(n)] || forms.other).replace("#", n);
  }
  function show(element, words) {
    if (element.textContent !== words) element.textContent = words;
    element.hidden = !words;
  }

  /* --- read, fill: the same for every poll type */

  const NOT_THE_ANSWER = ["csrfmiddlewaretoken", "poll", "op"];

  function read(form) {
    /** @type {Fields} */
    const fields = {};
    new FormData(form).forEach((value, name) => {
      if (value && NOT_THE_ANSWER.indexOf(name) < 0) (fields[name] = fields[name] || []).push(String(value));
    });
    return fields;
  }

  /* What somebody wrote, gave or ranked, a line for each field; nothing of ticks. */
  const typed = form => Array.from(form.elements).filter(input => /^(text|textarea|select-one)$/.test(input.type) && input.value)
    .map(input => (/_/.test(input.name) ? label(input) + ": " : "") + input.value).join("\n");

  function fill(form, values) {
    Array.from(form.elements).filter(input => input.name && input.type !== "hidden").forEach(input => {
      const own = values[input.name] || [];
      if (/radio|checkbox/.test(input.type)) input.checked = own.indexOf(input.value) >= 0;
      else input.value = own[fields(form, input.name).indexOf(input)] || "";
    });
    redraw(form);
  }

  /* --- upgrades */

  /* The same order as polls/types/order.py: FNV-1a of "seed:key", stirred by Murmur3's finaliser. */
  function place(seed, name) {
    let n = 0x811c9dc5;
    new TextEncoder().encode(seed + ":" + name).forEach(byte => { n = Math.imul(n ^ byte, 0x01000193); });
    n = Math.imul(n ^ (n >>> 16), 0x85ebca6b);
    n = Math.imul(n ^ (n >>> 13), 0xc2b2ae35);
    return (n ^ (n >>> 16)) >>> 0;
  }
  function shuffle(box, seed) {
    const free = Array.from(box.children).filter(child => child.dataset.key && !child.classList.contains("is-aside"));
    const mixed = free.slice().sort((a, b) => place(seed, a.dataset.key) - place(seed, b.dataset.key));
    const after = free.length ? free[free.length - 1].nextSibling : null;
    if (mixed.some((child, i) => child !== free[i])) mixed.forEach(child => box.insertBefore(child, after));
  }

  /* Answers that shut each other out: a pass, "none of these", "no baby room" */
  function exclude(form, input) {
    const clear = inputs => inputs.forEach(other => { if (other !== input) other.checked = false; });
    const alone = input.name === "pass" || input.name === "none" || input.hasAttribute("data-alone");
    if (alone && input.checked) clear(fields(form, "option").concat(fields(form, "pass"), fields(form, "none")));
    else if (!alone && (input.type === "checkbox" ? input.checked : input.value)) {
      clear($$(form, ".paper [data-alone]").concat(fields(form, "pass"), fields(form, "none")));
    }
    if (input.name === "other" && input.value) fields(form, "choice").forEach(c => { c.checked = c.value === "~other"; });
  }

  function redraw(form) {
    $$(form, "[data-chosen]").forEach(count => {
      const n = checked(form, "option").length;
      show(count, n ? phrase(count.dataset.chosen, n).replace("@", count.dataset.max) : "");
    });
    $$(form, ".count[data-left]").forEach(count => {
      const input = $(count.parentNode, ".input");
      const left = input.maxLength - input.value.length;
      const late = count.hasAttribute("data-late") && left > Math.max(5, input.maxLength / 3);
      show(count, late ? "" : phrase(count.dataset.left, left));
    });
    $$(form, "[data-sure]").forEach(sure => {
      const input = field(form, "number"), typed = input.value.trim(), n = Number(typed.replace(",", "."));
      const odd = typed && ((input.dataset.below !== "" && n < input.dataset.below) || (input.dataset.above !== "" && n > input.dataset.above));
      show(sure, odd && !passes(form) && !checked(form, "none").length ? sure.dataset.sure.replace("@", typed) : "");
    });
    $$(form, "[data-points]").forEach(box => points(form, box));
    $$(form, "[data-ranking]").forEach(box => ranking(form, box));
  }

  function button(words, icon, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button";
    made.setAttribute("aria-label", words);
    made.innerHTML = '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="' + icon + '"/></svg>';
    made.addEventListener("click", act);
    return made;
  }
  function element(name, kind, words) {
    const made = document.createElement(name);
    made.className = kind;
    made.textContent = words || "";
    return made;
  }

  /* Points: a step down and up beside every field, and what remains, always in sight */
  function points(form, box) {
    const budget = Number(box.dataset.points), rest = $(box, ".remaining");
    const given = () => prefixed(form, "points_").reduce((sum, input) => sum + (Number(input.value) || 0), 0);
    if (!$(box, ".moves")) prefixed(form, "points_").forEach(input => {
      const step = by => () => {
        const left = by > 0 ? budget - given() : Infinity;
        const next = Math.max(0, (Number(input.value) || 0) + Math.min(by, Math.max(left, 0)));
        input.value = next || "";
        changed(input);
      };
      const by = Math.max(1, Math.round(budget / 20)), name = label(input), moves = element("span", "moves");
      input.parentNode.insertBefore(moves, input);
      moves.append(button(box.dataset.less.replace("@", name), "M5 12h14", step(-by)), input, button(box.dataset.more.replace("@", name), "M5 12h14M12 5v14", step(by)));
    });
    const left = budget - given();
    rest.classList.toggle("is-done", !left);
    show(rest, left > 0 ? phrase(rest.dataset.left, left) : left < 0 ? phrase(rest.dataset.over, -left) : rest.dataset.done);
  }

  /* Ranking: tap to add, arrows to swap, a cross to take off. The selects stay the answer. */
  const order = form => prefixed(form, "rank_").filter(select => select.value).sort((a, b) => a.value - b.value);

  function ranking(form, box) {
    const plain = $(box, "[data-plain]");
    let lists = $(box, ".rank-lists");
    if (!lists) {
      lists = element("div", "rank-lists stack gap5");
      plain.parentNode.insertBefore(lists, plain);
      lists.after(element("p", "visually-hidden"));
      lists.nextElementSibling.setAttribute("role", "status");
    }
    plain.hidden = true;
    lists.replaceChildren(mine(form, box), rest(form, box));
  }

  function set(form, box, selects, moved, focus) {
    prefixed(form, "rank_").forEach(select => { select.value = ""; });
    selects.forEach((select, i) => { select.value = String(i + 1); });
    changed(moved);
    const name = label(moved), said = moved.value ? box.dataset.moved.replace("#", ordinal(moved, moved.value)) : box.dataset.gone;
    $(box, ".rank-lists").nextElementSibling.textContent = said.replace("@", name);
    const found = $$(box, "[data-for='" + moved.name + "'] button:not([disabled])");
    const next = found[focus] || found[0] || $(box, ".addable, .moves button:not([disabled])");
    if (next) next.focus();
  }
  const ordinal = (select, n) => select.options[n].textContent;

  function section(title, list, rows) {
    const made = element("section", "stack gap3");
    made.append(element("h2", "", title), list);
    list.append.apply(list, rows);
    return made;
  }

  function mine(form, box) {
    const mineNow = order(form), top = Number(box.dataset.ranking), rows = mineNow.map((select, i) => ranked(form, box, mineNow, select, i));
    if (rows.length < top) {
      const empty = element("li", "rank is-empty"), next = prefixed(form, "rank_")[0];
      const circle = element("span", "place", String(rows.length + 1));
      circle.setAttribute("aria-hidden", "true");
      empty.append(circle, element("span", "what", box.dataset.empty.replace("@", ordinal(next, rows.length + 1))));
      rows.push(empty);
    }
    return section(box.dataset.mine, element("ol", "ranks"), rows);
  }

  function ranked(form, box, now, select, i) {
    const row = element("li", "rank"), name = label(select), moves = element("span", "moves");
    const swap = by => () => {
      const next = now.slice();
      next.splice(i, 1);
      next.splice(i + by, 0, select);
      set(form, box, next, select, by < 0 ? 0 : 1);
    };
    const up = button(box.dataset.up.replace("@", name), "M12 19V5M5.5 11.5L12 5l6.5 6.5", swap(-1));
    const down = button(box.dataset.down.replace("@", name), "M12 5v14M5.5 12.5L12 19l6.5-6.5", swap(1));
    const off = button(box.dataset.off.replace("@", name), "M6 6l12 12M18 6L6 18", () => set(form, box, now.filter(other => other !== select), select, 0));
    up.disabled = i === 0;
    down.disabled = i === now.length - 1;
    const circle = element("span", "place", String(i + 1)), what = element("span", "what", name);
    what.dir = "auto";
    row.dataset.for = select.name;
    moves.append(up, down, off);
    row.append(circle, what, moves);
    return row;
  }

  function rest(form, box) {
    const now = order(form), left = prefixed(form, "rank_").filter(select => !select.value);
    if (now.length >= Number(box.dataset.ranking) || !left.length) return document.createTextNode("");
    return section(box.dataset.rest, element("ul", "ranks"), left.map(select => {
      const row = element("li", ""), add = element("button", "addable", ""), name = element("b", "", label(select));
      add.type = "button";
      name.dir = "auto";
      add.append(name, element("span", "", box.dataset.add.replace("@", ordinal(select, now.length + 1))));
      row.dataset.for = select.name;
      add.addEventListener("click", () => {
        set(form, box, now.concat(select), select, 9);
        const next = $(box, ".addable");
        if (next) next.focus();
      });
      row.append(add);
      return row;
    }));
  }

  function upgrade(form) {
    if (!form.dataset.upgraded) {
      form.dataset.upgraded = "yes";
      $$(form, "[data-shuffle]").forEach(box => shuffle(box, document.body.dataset.seed || ""));
      form.addEventListener("input", event => {
        if (event.target.closest(".paper")) exclude(form, event.target);
        redraw(form);
      });
    }
    redraw(form);
  }

  window.Ballot = { upgrade: upgrade, read: read, fill: fill, typed: typed };
})();
