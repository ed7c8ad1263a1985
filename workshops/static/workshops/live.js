/* The live part of every screen: phone, wall and console.

   State, not deltas: the server sends whole small pictures, each the element with the id of its topic. A lost
   message is harmless, and first load, update and reconnect are one thing. Everything works without this file;
   it makes it immediate. No dependencies, no framework, ES2017. */
(function () {
  "use strict";
  const body = document.body;
  if (!body.dataset.live) return;

  const read = (id) => JSON.parse((document.getElementById(id) || { textContent: "{}" }).textContent);
  const words = read("words");
  const seen = read("seen");
  const handlers = {}; // frame type -> what to do; phone.js adds its own
  const swapped = []; // called after a topic has changed: (topic, element)
  const PING = 25000, PATIENCE = 10000, SHORTEST = 500;
  // Phones are many and have a slow poll meanwhile; a wall or a console has no other way to come back.
  const LONGEST = body.dataset.pictures ? 30000 : 5000;

  let offset = Number(body.dataset.now || Date.now()) - Date.now(); // server clock minus ours
  let socket = null, failures = 0, heard = 0, retry = 0, polling = 0;

  // ---- words about the connection -----------------------------------------------------------------

  function signal(state) {
    document.querySelectorAll("[data-signal]").forEach((place) => {
      if (place.dataset.signal === state) return; // a live region speaks only when something changes
      place.dataset.signal = state;
      place.textContent = words[state];
      place.classList.toggle("is-weak", state !== "connected");
    });
  }

  // ---- pictures -------------------------------------------------------------------------------------

  function show(frame) {
    const old = document.getElementById(frame.topic);
    if (!old) return;
    const holder = document.createElement("template");
    holder.innerHTML = frame.html;
    const fresh = holder.content.firstElementChild;
    if (!fresh) return;
    seen[frame.topic] = frame.rev;
    // The same question, still being answered: what is on the page, and what is being typed, stays.
    if (old.dataset.key && old.dataset.key === fresh.dataset.key) return;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.querySelectorAll("details[data-keep][open]").forEach((open) => {
      const same = fresh.querySelector('details[data-keep="' + open.dataset.keep + '"]');
      if (same) same.open = true;
    });
    if (old.dataset.key && fresh.dataset.key) fresh.classList.add("is-new");
    old.replaceWith(fresh);
    after(frame.topic, fresh);
    if (focused && document.getElementById(focused)) document.getElementById(focused).focus();
  }

  function after(topic, element) {
    if (element.dataset.body) body.className = element.dataset.body;
    tick();
    swapped.forEach((react) => react(topic, element));
  }

  handlers.screen = show;
  handlers.hello = (frame) => { offset = frame.now - Date.now(); tick(); };

  // ---- small groups are rare: what a phone needs for them comes when it is told of one -------------------

  let fetching = 0; // since when

  function needsDesk(place) {
    let waits = null; // what was written and not stored when the groups ended
    try { waits = sessionStorage.getItem("group-outbox:" + body.dataset.live); } catch (error) { /* private mode */ }
    return body.dataset.desk && !live.group && Date.now() - fetching > PATIENCE && (place.group || (waits && waits !== "[]"));
  }

  handlers.place = (place) => {
    live.place = place;
    if (!needsDesk(place)) return;
    fetching = Date.now();
    const anew = () => setTimeout(() => { fetching = 0; handlers.place(live.place); }, SHORTEST * (2 + 6 * Math.random()));
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
  };

  function take(text) {
    heard += 1;
    const frame = JSON.parse(text);
    if (handlers[frame.t]) handlers[frame.t](frame);
  }

  // ---- the socket: backs off with full jitter, comes back by itself -----------------------------------

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
      if (live.onopen) live.onopen();
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

  /* The seat is gone (left, or the workshop was cleared): the page itself knows what to offer. */
  function lostSeat() {
    let last = Date.now() - performance.now(); // where nothing can be kept, this page's own beginning counts
    try {
      last = Number(sessionStorage.getItem("lost-seat") || 0);
      sessionStorage.setItem("lost-seat", Date.now());
    } catch (error) { /* private mode */ }
    if (Date.now() - last > 10000) return location.reload();
    clearTimeout(retry);
    retry = setTimeout(connect, PATIENCE);
    return signal("offline");
  }

  function send(data) {
    if (!socket || socket.readyState !== 1) return false;
    socket.send(JSON.stringify(data));
    return true;
  }

  /* Half-open connections look alive for minutes: where a ping finds no answer, the socket is dropped and tried anew. */
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
    if (live.onwake) live.onwake();
  }
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("online", wake);
  window.addEventListener("pageshow", wake);
  window.addEventListener("offline", () => { signal("offline"); drop(); });

  // ---- networks that let no socket through: a slow poll -----------------------------------------------

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
        if (!data || !polling) return; // a socket has come in meanwhile, and brings newer pictures
        signal("weak");
        if (unreachable) { unreachable = false; failures = 1; connect(); } // the server is back, so a socket may be too
        data.frames.forEach((frame) => handlers[frame.t] && handlers[frame.t](frame));
        if (live.onwake) live.onwake();
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

  // ---- clocks: the server's time, whatever this device believes -----------------------------------------

  const minutes = (seconds) => Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");

  function tick() {
    const now = Date.now() + offset;
    document.querySelectorAll("[data-ends]").forEach((place) => {
      const left = Math.max(0, Math.round((place.dataset.ends - now) / 1000));
      if (place.tagName === "PROGRESS") place.value = left;
      else if (place.classList.contains("clock")) place.style.setProperty("--left", left / (place.dataset.total || left || 1));
      else place.textContent = minutes(left);
    });
    document.querySelectorAll("[data-soon]").forEach((words) => {
      const left = Math.round((words.dataset.soon - now) / 1000);
      words.hidden = left > words.dataset.from || left <= words.dataset.to;
    });
    document.querySelectorAll("[data-since]").forEach((place) => {
      place.textContent = minutes(Math.max(0, Math.round((now - place.dataset.since) / 1000)));
    });
  }
  setInterval(tick, 1000);

  const live = { handlers, swapped, seen, send, drop, words, now: () => Date.now() + offset, connected: () => Boolean(socket && socket.readyState === 1) };
  window.Live = live;
  // Once every deferred script has run, so that phone.js is ready for the first frame.
  document.addEventListener("DOMContentLoaded", () => { tick(); connect(); });
})();
