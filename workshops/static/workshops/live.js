// @ts-check
/* The live part of every screen (docs/architecture.md). Everything works without it; it makes it immediate. */
(function () {
  "use strict";
  const body = document.body;
  if (!body.dataset.live) return;
  // The page may have come as the answer to a form of another address (`straight.js`).
  const address = body.dataset.address;
  if (address && address !== location.pathname) history.replaceState(null, "", address);

  const read = (id) => JSON.parse((document.getElementById(id) || { textContent: "{}" }).textContent);
  const words = read("words");
  const seen = read("seen");
  const PING = 25000, PATIENCE = 10000, SHORTEST = 500;
  // A wall or a console has no slow poll meanwhile.
  const LONGEST = body.dataset.pictures ? 30000 : 5000;

  let offset = Number(body.dataset.now || Date.now()) - Date.now(); // server clock minus ours
  /** @type {WebSocket | null} */
  let socket = null;
  let failures = 0, heard = 0, retry = 0, polling = 0;

  /** @type {Record<string, Function[]>} */
  const handlers = {};
  /** @type {Live["on"]} */
  const on = (type, handler) => { (handlers[type] = handlers[type] || []).push(handler); };
  /** @param {string} type @param {any[]} news */
  const tell = (type, ...news) => (handlers[type] || []).forEach((handler) => handler(...news));

  function signal(state) {
    document.querySelectorAll("[data-signal]").forEach((place) => {
      if (place.dataset.signal === state) return;
      place.dataset.signal = state;
      place.textContent = words[state];
      place.classList.toggle("is-weak", state !== "connected");
    });
  }

  // ---- pictures

  /* An element's identity in the next picture. */
  const keyOf = (node) => (node.nodeType !== 1 ? "" : node.id || node.dataset.key || (node.nodeName === "OPTION" ? node.value : ""));
  /* `data-own`: this page's own, which no picture touches. */
  const isOwn = (node) => node.nodeType === 1 && node.hasAttribute("data-own");
  const alike = (one, other) => one.nodeName === other.nodeName && keyOf(one) === keyOf(other) && isOwn(one) === isOwn(other);

  /* Make `old` like `fresh`, of the same elements, so all that a reader has done stays: open details, focus, typed words.
     `ids`: the old picture's elements with an id, which stay themselves wherever they go. */
  function morph(old, fresh, ids) {
    const wants = Array.from(fresh.childNodes), names = (node) => Array.from(node.attributes, (each) => each.name);
    names(old).forEach((name) => { if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name); });
    names(fresh).forEach((name) => {
      const value = fresh.getAttribute(name);
      if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    });
    // What is gone goes first: what stays then need not be moved, and keeps its focus.
    const left = Array.from(old.childNodes).filter((node) => {
      const stays = isOwn(node) || wants.some((want) => alike(node, want));
      if (!stays) node.remove();
      return stays;
    });
    let at = old.firstChild;
    wants.forEach((want) => {
      const known = ids.get(want.id), may = known && alike(known, want) && !known.contains(old);
      const same = (may ? known : left.find((node) => alike(node, want))) || want.cloneNode(isOwn(want));
      if (left.indexOf(same) >= 0) left.splice(left.indexOf(same), 1);
      if (same.nodeType !== 1) { if (same.nodeValue !== want.nodeValue) same.nodeValue = want.nodeValue; }
      else if (!isOwn(same)) morph(same, want, ids);
      if (same === at) at = at.nextSibling;
      else old.insertBefore(same, at);
    });
    left.forEach((node) => { if (!isOwn(node) && node.parentNode === old) node.remove(); });
  }

  /** @param {Frame} frame */
  function show(frame) {
    if (live.held) { live.held[frame.topic] = frame; return; }
    const old = document.getElementById(frame.topic), focused = document.activeElement;
    const holder = document.createElement("template");
    holder.innerHTML = frame.html;
    const fresh = holder.content.firstElementChild;
    if (!old || !(fresh instanceof HTMLElement)) return;
    seen[frame.topic] = frame.rev;
    tell("swapping", frame.topic);
    /** @type {HTMLElement} */
    let now = old;
    if (old.dataset.key === fresh.dataset.key) {
      morph(old, fresh, new Map(Array.from(old.querySelectorAll("[id]"), (each) => [each.id, each])));
    } else old.replaceWith(now = fresh); // another question: nothing of the last one is its own
    const back = focused && (focused.isConnected ? focused : document.getElementById(focused.id));
    if (back instanceof HTMLElement && back !== document.activeElement && now.contains(back)) back.focus({ preventScroll: true });
    if (now.dataset.body) body.className = now.dataset.body;
    tick();
    tell("swapped", frame.topic, now, now === fresh);
  }

  on("screen", show);
  on("hello", (frame) => { offset = frame.now - Date.now(); tick(); });

  // ---- small groups are rare: their script comes with the first

  let fetching = 0; // since when

  function needsDesk(place) {
    let waits = false; // what was written and not stored when the groups ended
    try { waits = ["outbox", "draft"].some((kind) => (sessionStorage.getItem("group-" + kind + ":" + body.dataset.live) || "").length > 2); } catch (error) { /* private mode */ }
    return body.dataset.desk && !live.group && Date.now() - fetching > PATIENCE && (place.group || waits);
  }

  on("place", function arrange(place) {
    live.place = place;
    if (!needsDesk(place)) return;
    fetching = Date.now();
    const anew = () => setTimeout(() => { fetching = 0; arrange(live.place); }, SHORTEST * (2 + 6 * Math.random()));
    fetch(body.dataset.desk, { credentials: "same-origin" })
      .then((answer) => { if (!answer.ok) throw new Error(String(answer.status)); return answer.text(); })
      .then((html) => {
        if (!document.getElementById("group-words")) document.getElementById("group").insertAdjacentHTML("afterend", html);
        const script = document.createElement("script");
        script.src = body.dataset.deskScript;
        script.onerror = anew;
        document.head.appendChild(script);
      })
      .catch(anew);
  });

  function take(text) {
    heard += 1;
    const frame = JSON.parse(text);
    tell(frame.t, frame);
  }

  // ---- the socket

  function connect() {
    clearTimeout(retry);
    if (socket && socket.readyState < 2) return;
    const address = location.protocol.replace("http", "ws") + "//" + location.host + body.dataset.live;
    try { socket = new WebSocket(address); } catch (error) { return again(); }
    const mine = socket;
    // A handshake that a dead network has swallowed would wait for minutes.
    setTimeout(() => { if (mine === socket && mine.readyState === 0) drop(); }, PATIENCE);
    let greeted = false;
    mine.onopen = () => {
      mine.send(JSON.stringify({ t: "hello", seen: seen }));
      tell("open");
    };
    mine.onmessage = (event) => {
      if (!greeted) { // not before: a server without its database takes sockets, and sends them away again
        greeted = true;
        failures = 0;
        stopPolling();
        signal("connected");
      }
      take(event.data);
    };
    mine.onclose = (event) => {
      if (mine !== socket) return;
      if (event.code === 4401 || event.code === 4403) return lostSeat();
      again();
    };
  }

  function again() {
    socket = null;
    failures += 1;
    if (turned) { turned = false; look(); } // no socket either: ask for pictures after all
    signal(navigator.onLine === false ? "offline" : "reconnecting");
    clearTimeout(retry);
    retry = setTimeout(connect, Math.random() * Math.min(LONGEST, SHORTEST * 2 ** failures));
    if (failures >= 3) startPolling();
  }

  /* The right to look is gone, and what was shown goes with it. `data-ended` is where staff are told why. */
  function lostSeat() {
    let last = Date.now() - performance.now(); // where nothing can be kept, this page's own beginning counts
    try {
      last = Number(sessionStorage.getItem("lost-seat") || 0);
      sessionStorage.setItem("lost-seat", String(Date.now()));
    } catch (error) { /* private mode */ }
    if (Date.now() - last > 10000) {
      if (!body.dataset.ended) return location.reload();
      body.style.display = "none";
      return location.replace(body.dataset.ended);
    }
    clearTimeout(retry);
    retry = setTimeout(connect, PATIENCE);
    return signal("offline");
  }

  function send(data) {
    if (!socket || socket.readyState !== 1) return false;
    socket.send(JSON.stringify(data));
    return true;
  }

  /* Half-open connections look alive for minutes. */
  function drop() {
    if (!socket) return;
    const old = socket;
    old.onclose = null;
    old.close();
    again();
  }

  function ping() {
    const mine = socket, before = heard;
    if (send({ t: "ping" })) setTimeout(() => { if (mine === socket && heard === before) drop(); }, PATIENCE);
  }
  setInterval(ping, PING);

  function wake() {
    if (document.visibilityState === "hidden") return;
    if (!socket || socket.readyState > 1) { failures = Math.min(failures, 1); connect(); }
    else ping();
    tell("wake");
  }
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("online", wake);
  window.addEventListener("pageshow", wake);
  window.addEventListener("offline", () => { signal("offline"); drop(); });

  // ---- no socket gets through: a slow poll

  let unreachable = false, turned = false;

  function startPolling() {
    if (polling || !body.dataset.pictures) return;
    polling = setTimeout(poll, 0);
  }
  function stopPolling() { clearTimeout(polling); polling = 0; turned = false; }
  /* A server that was away comes back to all at once, and a picture drawn for each costs more than their sockets. */
  function poll() {
    if (!unreachable) return look();
    turned = true;
    return connect();
  }
  function look() {
    const limit = new AbortController();
    setTimeout(() => limit.abort(), PATIENCE);
    fetch(body.dataset.pictures + "?seen=" + encodeURIComponent(JSON.stringify(seen)) + location.search.replace("?", "&"), // an observer's page says its group
      { credentials: "same-origin", signal: limit.signal })
      .then((answer) => {
        if (answer.status === 401) { lostSeat(); return null; }
        if (!answer.ok) throw new Error(String(answer.status));
        return answer.json();
      })
      .then((data) => {
        if (!data || !polling) return; // a socket brings newer ones
        signal("weak");
        if (unreachable) { unreachable = false; failures = 1; connect(); }
        data.frames.forEach((frame) => tell(frame.t, frame));
        tell("wake");
      })
      .catch(() => {
        if (!polling) return;
        unreachable = true;
        signal("offline");
      })
      .then(() => {
        if (!polling) return;
        clearTimeout(polling);
        polling = setTimeout(poll, 4000 + Math.random() * 4000);
      });
  }

  // ---- clocks, by the server's time

  const minutes = (seconds) => Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");

  function tick() {
    const now = Date.now() + offset;
    document.querySelectorAll("[data-ends]").forEach((place) => {
      const left = Math.max(0, Math.round((Number(place.dataset.ends) - now) / 1000));
      if (place.tagName === "PROGRESS") place.value = String(left);
      else if (place.classList.contains("clock")) place.style.setProperty("--left", String(left / Number(place.dataset.total || left || 1)));
      else place.textContent = minutes(left);
    });
    document.querySelectorAll("[data-soon]").forEach((words) => {
      const left = Math.round((Number(words.dataset.soon) - now) / 1000);
      words.hidden = left > Number(words.dataset.from) || left <= Number(words.dataset.to);
    });
    document.querySelectorAll("[data-since]").forEach((place) => {
      place.textContent = minutes(Math.max(0, Math.round((now - Number(place.dataset.since)) / 1000)));
    });
  }
  setInterval(tick, 1000);

  /** @type {Live} */
  const live = { on, tell, show, seen, send, drop, words, now: () => Date.now() + offset, connected: () => Boolean(socket && socket.readyState === 1) };
  window.Live = live;
  // Not before phone.js is ready for the first frame.
  document.addEventListener("DOMContentLoaded", () => { tick(); connect(); });
})();
