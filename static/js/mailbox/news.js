/* New mail without reloading: asks once a minute, and whenever the server says that something changed ([data-push]); reminders of
   events that come meanwhile, on pages of any area. app.js loads this where a page has been open that long, or at once where news
   are pushed, and /settings. */
(function () {
  "use strict";
  var EVERY = 60000, asked = "", last = "", told = 0, over = false, asking = false, again = false, source = null, heard = "";
  var french = document.documentElement.lang === "fr";
  function list() { return document.querySelector("#messages[data-news]"); }
  function desktop() { return "Notification" in window ? Notification.permission : "denied"; }

  function ask() {
    var form = list();
    if (over || !form) return;
    if (document.hidden && !(form.dataset.notify !== undefined && desktop() === "granted")) return;
    if (asked !== form.dataset.news) { // a page that was loaded since knows better
      asked = form.dataset.news;
      last = "";
      told = 0;
    }
    again = asking; // the answer on its way may be too old
    if (asking) return;
    asking = true;
    fetch(asked + (last && "&last=" + last), { headers: headers(), cache: "no-store" }).then(function (answer) {
      if (answer.status === 401) return end();
      if (answer.status === 200) return answer.text().then(function (html) { if (list() === form) tell(form, html); });
    }).catch(function () { last = last || ""; /* away for a moment: asked again in a minute */ }).then(function () {
      asking = false;
      if (again) ask();
    });
  }

  function headers() {
    var bar = document.getElementById("folders"), sent = { "HX-Request": "true" };
    if (bar && bar.dataset.shown) sent["X-Traboule-Folders"] = bar.dataset.shown;
    return sent;
  }

  // a stream says when to ask, while the page is in sight. Where it is refused, the list is asked each minute all the same
  function due() { return document.getElementById("due-reminders"); }
  function inSight() { return !document.hidden || (due() && due().dataset.notify !== undefined && desktop() === "granted"); }
  function listen() {
    var form = list(), box = due();
    var url = !over && inSight() && (form && form.dataset.push || box && box.dataset.push) || "";
    if (url === heard) return;
    heard = url;
    if (source) source.close();
    source = url ? new EventSource(url + (box && box.dataset.shown ? "?reminders=" + box.dataset.shown : "")) : null;
    if (!source) return;
    if (box) box.setAttribute("aria-live", "polite");
    source.onopen = ask; // what came before it opened
    source.addEventListener("news", ask);
    source.addEventListener("reminders", remind);
    source.addEventListener("full", function (event) { event.target.close(); }); // three windows take turns, a minute each
  }
  function minute() {
    ask();
    if (!document.hidden && source && source.readyState === EventSource.CLOSED) heard = ""; // there may be room now
    listen();
  }

  // a reminder came, or was answered in another window
  function remind(event) {
    var box = due();
    if (!box) return;
    if (!box.contains(document.activeElement)) {
      return fetch(event.data, { headers: { "HX-Request": "true" }, cache: "no-store" }).then(function (answer) {
        if (answer.status === 401) return end();
        if (answer.status === 200) return answer.text().then(renewDue);
      }).catch(function () { /* away for a moment: the next page has it */ });
    }
    box.addEventListener("focusout", function left() { // whoever is answering one is not disturbed
      box.removeEventListener("focusout", left);
      setTimeout(remind, 0, event);
    });
  }
  function answers(box) { return Array.prototype.slice.call(box.querySelectorAll("form")); }
  function renewDue(html) {
    var before = due(), box = document.createElement("template"), parts, after, known;
    box.innerHTML = html;
    parts = document.importNode(box.content, true);
    after = parts.getElementById("due-reminders");
    if (!before || !after || before.contains(document.activeElement)) return;
    known = answers(before).map(function (form) { return form.getAttribute("action"); });
    answers(after).forEach(function (form) {
      form.elements.back.value = location.pathname + location.search;
      if (known.indexOf(form.getAttribute("action")) < 0) notifyOf(form);
    });
    ["data-push", "data-shown", "data-notify"].forEach(function (name) {
      if (after.hasAttribute(name)) before.setAttribute(name, after.getAttribute(name));
      else before.removeAttribute(name);
    });
    before.textContent = "";
    while (after.firstChild) before.appendChild(after.firstChild);
    htmx.process(before);
    listen();
  }
  function notifyOf(form) { // several windows show one between them: that of the reminder
    var line = form.parentNode.querySelector("span");
    if (!document.hidden || !line || due().dataset.notify === undefined || desktop() !== "granted") return;
    try {
      new Notification(line.textContent.trim(), { tag: "traboule" + form.getAttribute("action") });
    } catch (error) { /* some phones take them from a service worker only */ }
  }

  function tell(form, html) {
    var box = document.createElement("template");
    box.innerHTML = html;
    var parts = document.importNode(box.content, true), note = parts.getElementById("news"), folders = parts.getElementById("folders");
    if (folders) renew(folders);
    if (!note) return;
    last = note.dataset.state;
    document.title = note.dataset.title;
    var came = Number(note.dataset.came), link = note.querySelector("a");
    if (came > told) notify(note);
    told = came;
    if (!came) return withdraw();
    if (!idle(form, link)) return say(note);
    var at = document.activeElement;
    htmx.ajax("GET", link.getAttribute("href"), { target: "#main", swap: "outerHTML show:none" }).then(function () {
      if (at === document.body) document.activeElement.blur(); // nobody was in the page: nobody is sent into it
      link.remove();
      say(note);
    });
  }
  function mark(folders, current) { // what is current is so still
    var href = current && current.getAttribute("href");
    Array.prototype.forEach.call(folders.querySelectorAll("a"), function (link) {
      if (href && link.getAttribute("href") === href) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
  }
  function renew(folders) {
    var before = document.getElementById("folders");
    if (before.contains(document.activeElement) || before.querySelector("#making > *")) return;
    mark(folders, before.querySelector("a[aria-current]"));
    before.replaceWith(folders);
    htmx.process(folders);
  }
  // whether the list may be replaced: it is the one with the new messages, and nobody is in the middle of something
  function idle(form, link) {
    var at = document.activeElement, main = document.getElementById("main");
    return link.href === location.href.split("#")[0] && (at === document.body || at === main)
      && !form.querySelector("input[name=uids]:checked, input[name=all]") && !document.querySelector("details.menu[open], dialog[open], #preview article");
  }

  // who looks at new mail keeps the rows that they ticked, as far as they are still there
  var ticked = null;
  function place(form) { return form.getAttribute("action") + form.elements.v.value; } // its buttons are called "action" too
  document.addEventListener("htmx:beforeSwap", function (event) {
    var form = list(), asked = event.detail.requestConfig;
    ticked = null;
    if (event.detail.target.id !== "main" || !form || !form.elements || !asked || !asked.elt.closest("#news")) return;
    var boxes = form.querySelectorAll("input[name=uids]:checked");
    ticked = { list: place(form), values: Array.prototype.map.call(boxes, function (box) { return box.value; }) };
  });
  document.addEventListener("htmx:afterSwap", function (event) {
    var form = list();
    if (event.detail.target.id !== "main" || !ticked || !form || !form.elements || place(form) !== ticked.list) return;
    form.querySelectorAll("input[name=uids]").forEach(function (box) {
      if (ticked.values.indexOf(box.value) >= 0 && !box.checked) box.click(); // not only checked: the count of app.js hears of it
    });
    ticked = null;
  });

  function withdraw() {
    var old = document.querySelector("#notices #news");
    if (old) old.remove();
  }
  function say(note) {
    withdraw();
    document.getElementById("notices").appendChild(note);
    htmx.process(note);
  }
  function end() {
    var note = document.createElement("div"), link = document.createElement("a");
    over = true;
    listen();
    note.id = "news";
    note.className = "notice notice-caution";
    note.textContent = (french
      ? "Vous avez été déconnecté : cette page ne se met plus à jour."
      : "You were signed out: this page is no longer kept up to date.") + " ";
    link.href = location.href;
    link.textContent = french ? "Se connecter" : "Sign in";
    link.setAttribute("hx-boost", "false");
    note.appendChild(link);
    say(note);
  }

  function notify(note) {
    if (!document.hidden || note.dataset.notify === undefined || desktop() !== "granted") return;
    try {
      new Notification(note.dataset.notify, { body: note.querySelector("span").textContent, tag: "traboule" });
    } catch (error) {
      told = 0; // some phones take them from a service worker only: the title still counts
    }
  }

  // the button of the preferences: the browser asks only after a click
  function dress() {
    var button = document.querySelector("[data-allow]");
    if (!button) return;
    button.hidden = desktop() !== "default";
    button.nextElementSibling.textContent = button.nextElementSibling.dataset[desktop()] || "";
  }
  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-allow]")) Notification.requestPermission().then(dress);
  });
  document.addEventListener("htmx:afterSwap", dress);
  dress();

  ask();
  setInterval(minute, EVERY);
  document.addEventListener("visibilitychange", minute);
  document.addEventListener("htmx:afterSwap", listen);
  listen();
})();
