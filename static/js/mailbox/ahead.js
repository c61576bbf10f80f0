/* Fetches ahead the message or page that the pointer or focus rests on; where answers are long in coming also the next page of a list
   that is looked at. app.js loads this, but not on a shared computer. */
(function () {
  "use strict";
  var KEPT = 30000, CALM = 1000, MOST = 20, FAR = 200; // milliseconds; pages of a list that nobody pointed at; milliseconds
  var held, timer, at, since, framed, shown, unread = [];
  var next, calm, asked = 0; // the next page, held beside that
  var line = navigator.connection || {}, times = performance.timing, wait = times.connectEnd - times.connectStart;

  function far() { return (line.rtt || wait) >= FAR; } // where no browser says it: what it took to connect

  function on(names, act) { names.split(" ").forEach(function (name) { document.addEventListener(name, act); }); }
  function named(link) { return /\/message\/\d+\//.test(link.pathname); }
  function linkOf(event) {
    var link = event.target.closest && event.target.closest("#main a[href]");
    return link && link.origin === location.origin && (named(link) || link.matches("[rel=next], [rel=prev], .pager a")) ? link : null;
  }
  function drop() {
    clearTimeout(timer);
    if (held) held.abort();
    held = at = shown = null;
  }
  function leads(xhr, link) {
    return xhr && xhr.link.href === link.href && xhr.link.getAttribute("hx-target") === link.getAttribute("hx-target");
  }
  function leave() {
    clearTimeout(timer);
    at = null;
    if (held && held.readyState < 4) drop();
  }
  function rest(event) {
    var link = linkOf(event);
    if (link && link === at) return;
    leave();
    at = link;
    since = Date.now();
    if (link) timer = setTimeout(ask, event.type === "mouseover" ? 40 : 80, link);
  }
  // what moves may only pass: it is asked for where it stays for 40 ms, or for 80 on the same
  function move() {
    if (!at || leads(held, at)) return;
    clearTimeout(timer);
    timer = setTimeout(ask, Math.max(0, Math.min(40, since + 80 - Date.now())), at);
  }
  function ask(link) {
    if (leads(held, link) || leads(next, link) || unread.length || document.hidden || line.saveData) return;
    drop();
    if (next && next.readyState < 4) next.abort(); // what somebody points at comes first
    at = link;
    held = fetched(link);
  }
  function fetched(link) {
    var xhr = new XMLHttpRequest(), bar = document.getElementById("folders");
    xhr.link = link;
    xhr.open("GET", link.href);
    xhr.setRequestHeader("HX-Request", "true");
    xhr.setRequestHeader("HX-Target", (link.getAttribute("hx-target") || "#main").slice(1));
    xhr.setRequestHeader("X-Traboule-Prefetch", "1");
    if (bar && bar.dataset.shown && !bar.querySelector("#making > *")) xhr.setRequestHeader("X-Traboule-Folders", bar.dataset.shown);
    xhr.onloadend = function () {
      xhr.good = xhr.status === 200 && xhr.responseURL === link.href;
      if (!xhr.good && held === xhr) held = null;
      if (!xhr.good && next === xhr) next = null;
      if (xhr.then) xhr.then();
    };
    xhr.send();
    setTimeout(function () {
      if (held === xhr) drop();
      if (next === xhr) next = null;
    }, KEPT);
    return xhr;
  }
  on("mouseover focusin touchstart", rest);
  on("mousemove", move);
  on("touchmove mouseleave", leave);

  // the page after the list that is looked at, once nothing else was wanted for a second
  function look() {
    clearTimeout(calm);
    if (far() && !line.saveData && line.type !== "cellular") calm = setTimeout(askNext, CALM);
  }
  function askNext() {
    var link = document.querySelector("#messages a[rel=next]");
    if (!link || next || document.hidden || unread.length || asked >= MOST) return;
    if (held && held.readyState < 4) return look();
    asked++;
    next = fetched(link);
  }

  // the frame of HTML is asked for at the click; the page finds it in the browser's cache
  function frame(link) {
    var version = /\?v=\d+/.exec(link.search), box = document.createElement("iframe");
    if (!named(link) || !version || framed === link || "text" in document.body.dataset) return;
    if (leads(held, link) && held.good && held.responseText.indexOf("<iframe") < 0) return;
    framed = link;
    box.hidden = true;
    box.setAttribute("sandbox", "allow-same-origin allow-popups allow-popups-to-escape-sandbox");
    box.src = link.pathname.replace("/message/", "/body/") + version[0] + "&l=" + document.documentElement.lang + "&verdict=calm" + scheme();
    box.onload = function () { box.remove(); };
    document.body.appendChild(box);
    setTimeout(box.onload, 9000); // plain text has none, and fires no event
  }
  function scheme() { // as the page asks for it: webmail/message/views/html_frame.py
    var theme = document.documentElement.dataset.theme || "auto";
    return /auto|dark/.test(theme) && !("original" in document.body.dataset) ? "&scheme=" + theme : "";
  }
  on("mousedown", function (event) {
    var link = linkOf(event);
    if (!link || event.button > 1) return;
    if (!event.button) ask(link);
    frame(link);
  });

  // htmx gets what is held or under way
  on("htmx:beforeSend", function (event) {
    var real = event.detail.xhr, link = event.detail.requestConfig.elt, mine;
    if (link.href) {
      frame(link);
      mine = [held, next].filter(function (one) { return leads(one, link); })[0];
    }
    if (held === mine) held = null;
    if (next === mine) next = null;
    dropAll();
    if (!mine) return;
    real.send = function () {
      mine.then = function () {
        if (mine.good) open(real, mine);
        else XMLHttpRequest.prototype.send.call(real);
      };
      if (mine.readyState === 4) mine.then();
    };
  });
  function open(real, mine) {
    var tell = mine.getResponseHeader("X-Traboule-Unseen");
    ["status", "response", "responseText", "responseURL", "getResponseHeader"].forEach(function (name) {
      Object.defineProperty(real, name, { value: mine[name].bind ? mine[name].bind(mine) : mine[name] });
    });
    if (tell) {
      unread.push(tell);
      read(tell, 1000);
    }
    real.onload();
    shown = tell;
  }

  // what is opened is marked as read
  function token() {
    var data = new FormData();
    data.append("csrf_token", document.querySelector("[name=csrf_token]").value);
    return data;
  }
  function read(tell, wait) {
    var xhr = new XMLHttpRequest();
    xhr.open("POST", tell);
    xhr.onloadend = function () {
      if (!xhr.status || xhr.status > 428) {
        document.dispatchEvent(new Event("htmx:sendError")); // app.js says so
        return setTimeout(read, wait, tell, 3 * wait);
      }
      unread.splice(unread.indexOf(tell), 1);
      if (xhr.status > 399 && shown === tell) location.reload(); // the page says why
    };
    xhr.send(token());
  }
  window.addEventListener("pagehide", function () {
    unread.forEach(function (tell) { navigator.sendBeacon(tell, token()); });
  });

  // nothing held outlives a change
  function dropAll() {
    drop();
    clearTimeout(calm);
    if (next) next.abort();
    next = null;
  }
  function begin() {
    dropAll();
    look();
  }
  on("submit visibilitychange htmx:afterRequest htmx:afterSwap", begin);
  window.addEventListener("resize", begin);
  look();
})();
