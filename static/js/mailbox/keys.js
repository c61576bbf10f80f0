/* One key for each thing one does to mail. app.js loads this at the first key; each has a link or a button that does the same. */
(function () {
  "use strict";
  var FOLDERS = { i: "inbox", s: "sent", d: "drafts", a: "archive", t: "trash" };
  var NEVER = -Infinity, going = NEVER, place = -1, waiting = [];

  function all(selector) { return Array.prototype.slice.call(document.querySelectorAll(selector)); }
  function one(selector) { return document.querySelector(selector); }
  function press(selector, root) {
    var found = (root || document).querySelector(selector);
    if (found) found.click();
    return Boolean(found);
  }

  // --- the list
  function row() { return document.activeElement.closest("[data-row]") || one("[data-row][aria-current]"); }
  function stand(row) {
    var link = row && row.querySelector("a[id]");
    if (link) link.focus();
  }
  function step(by) {
    var rows = all("[data-row]"), at = rows.indexOf(row());
    if (!rows.length) return press(by > 0 ? "a[rel=next]" : "a[rel=prev]");
    stand(rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)]);
  }
  function beside(by) { // the next message of the list, in the pane
    step(by);
    if (row()) row().querySelector("a[id]").click();
  }
  // where a list and a message stand side by side, ticked rows come first; else what has the focus decides
  function reading() {
    return document.activeElement.closest("[data-row]") || one("#messages input[name=uids]:checked") ? null : one("#preview form.list-bar");
  }
  function act(names) {
    var message = reading(), list = one("form.messages"), here = row();
    if (message) return names.some(function (name) { return press("button[value=" + name + "]", message); });
    if (!list) return;
    if (!list.querySelector("input[name=uids]:checked, input[name=all]")) {
      if (!here) return;
      here.querySelector("input[name=uids]").click();
    }
    place = all("[data-row]").indexOf(here);
    names.some(function (name) { return press("button[name=action][value=" + name + "]", list); });
  }
  // the row that took the place of the one that went
  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.detail.target.id !== "main" || place < 0) return watch();
    var rows = all("[data-row]");
    stand(rows[Math.min(place, rows.length - 1)]);
    place = -1;
  });

  document.addEventListener("chooser:closed", function () { place = -1; });

  // --- help for the page, and the list of keys
  function help() {
    var before = document.activeElement, box = document.createElement("dialog"), of = one("a[data-help]");
    var place = document.body.dataset.help + "?of=" + (of ? of.pathname.split("/").pop() : "");
    fetch(place, { headers: { "HX-Request": "true", "HX-Target": "keys" } }).then(function (answer) {
      if (answer.ok) return answer.text();
      throw new Error(String(answer.status));
    }).then(function (html) {
      var page = document.createElement("template");
      page.innerHTML = html;
      box.appendChild(page.content.getElementById("keys"));
      box.setAttribute("aria-labelledby", "keys-title");
      var title = box.querySelector("h1"); // it is read from its beginning
      title.tabIndex = -1;
      title.autofocus = true;
      document.body.appendChild(box);
      box.addEventListener("close", function () {
        box.remove();
        if (before) before.focus();
      });
      box.showModal();
    }).catch(function () { location.href = document.body.dataset.help; });
  }

  var KEYS = {
    g: function () { /* a letter follows */ },
    j: function () { step(1); },
    k: function () { step(-1); },
    o: function () { var here = row(); if (here) press("a", here); },
    u: function () { press("a.back"); },
    x: function () { var here = row(); if (here) here.querySelector("input[name=uids]").click(); },
    e: function () { act(["archive"]); },
    v: function () { act(["moveto"]); },
    l: function () { act(["tags"]); },
    "#": function () { act(["delete"]); },
    "!": function () { act(["junk", "notjunk"]); },
    s: function () {
      var here = reading() ? null : row();
      if (here && !one("input[name=uids]:checked")) press("button[name=star]", here);
      else act(["flag", "unflag"]);
    },
    r: function () { press(".answers a[href*='/reply/']"); },
    a: function () { press(".answers a[href*='all=']") || KEYS.r(); },
    f: function () { press(".answers a[href*='/forward/']"); },
    c: function () { press("a.write"); },
    "/": function () { var field = one("#query"); field.focus(); field.select(); },
    n: function () { one(".panes article") ? beside(1) : press("#preview a[rel=next]") || press("a[rel=next]"); },
    p: function () { one(".panes article") ? beside(-1) : press("#preview a[rel=prev]") || press("a[rel=prev]"); },
    "?": help,
  };

  function typed(event) {
    var at = event.target, key = event.key;
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (!document.body.dataset.keys || one("dialog[open]")) return; // switched off since
    if (at.closest && at.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    if (event.repeat && key !== "j" && key !== "k") return;
    if (!KEYS[key] && !(FOLDERS[key] && Date.now() - going < 2000)) return;
    event.preventDefault();
    if (!one(".htmx-request")) return run(key);
    waiting.push(key); // what it is about may be replaced in a moment
  }
  function run(key) {
    var folder = Date.now() - going < 2000 && FOLDERS[key];
    going = key === "g" ? Date.now() : NEVER;
    if (!folder) return KEYS[key] && KEYS[key]();
    var sign = one("#folders a[href*='/mailbox/'] use[href$='#" + folder + "']");
    if (!sign && folder === "inbox") sign = one(".brand > *"); // beside other areas stand no folders
    if (sign) sign.closest("a").click();
    else location.href = one(".brand").href.replace(/mailbox\/.*/, "folders/with-role/" + folder);
  }
  document.addEventListener("keydown", typed);
  document.addEventListener("htmx:afterRequest", function () {
    while (waiting.length && !one(".htmx-request")) run(waiting.shift());
  });

  // what has the focus in the frame of a message is not in this document
  function watch() {
    all("[data-message-body] iframe").forEach(function (frame) {
      function hear() { if (frame.contentDocument) frame.contentDocument.addEventListener("keydown", heard); }
      if (frame.dataset.heard) return;
      frame.dataset.heard = "1";
      frame.addEventListener("load", hear);
      hear();
    });
  }
  function heard(event) {
    var again = new KeyboardEvent("keydown", event);
    document.body.dispatchEvent(again);
    if (again.defaultPrevented) event.preventDefault();
  }
  watch();
})();
