/* What the search box offers as one types: folders, people, tags, recent searches. app.js brings this at the first use of the
   box; without it, the same stands above the results. */
(function () {
  "use strict";
  if (window.searchSuggestions || !window.AbortController) return; // in old browsers the box searches
  window.searchSuggestions = true;
  var box = null, wait = 0, asking = null, active = -1, shown = "";

  function part() { return document.getElementById("suggestions"); }
  function list() { return document.getElementById("suggestion-list"); }
  function options() { return list() ? list().querySelectorAll("[role=option]") : []; }
  function isBox(target) { return target && target.id === "query" && target.name === "query" && part(); }

  function mark(place) {
    var all = options();
    all.forEach(function (one, at) { one.setAttribute("aria-selected", at === place ? "true" : "false"); });
    active = place;
    if (place < 0) return box.removeAttribute("aria-activedescendant");
    box.setAttribute("aria-activedescendant", all[place].id);
    all[place].scrollIntoView({ block: "nearest" });
  }
  function open() {
    var some = options().length > 0;
    part().hidden = !some;
    box.setAttribute("aria-expanded", some ? "true" : "false");
    mark(-1);
    part().querySelector("[role=status]").textContent = some ? list().dataset.said : "";
  }
  function close() {
    clearTimeout(wait);
    if (asking) asking.abort();
    asking = null;
    if (!box || !part()) return;
    part().hidden = true;
    box.setAttribute("aria-expanded", "false");
    mark(-1);
  }
  function ask() {
    var words = box.value.trim(), asked = box;
    if (words === shown) return open();
    if (asking) asking.abort();
    asking = new AbortController();
    // a plain request: one that finds the session gone must not lead away
    fetch(box.form.action.replace(/\/mailbox\/.*/, "/search/suggestions") + "?words=" + encodeURIComponent(words), {
      signal: asking.signal, redirect: "manual", credentials: "same-origin",
    }).then(function (answer) { return answer.ok ? answer.text() : ""; }).then(function (html) {
      if (asked !== box || document.activeElement !== box || box.value.trim() !== words || !html) return;
      list().outerHTML = html;
      if (window.htmx) window.htmx.process(list());
      shown = words;
      open();
    }, function () { /* it was asked again, or there is no answer: the box searches */ });
  }
  function begin(target) {
    if (target !== box) shown = target.value.trim() ? null : ""; // what came with the page was asked for nothing
    box = target;
    box.autocomplete = "off"; // the browser's own list would lie over this one
    box.setAttribute("role", "combobox");
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-haspopup", "listbox");
    box.setAttribute("aria-controls", "suggestion-list");
    box.setAttribute("aria-expanded", "false");
    if (window.htmx) window.htmx.process(part());
    if (!box.value.trim()) ask();
  }

  document.addEventListener("focusin", function (event) {
    if (isBox(event.target)) begin(event.target);
    else if (box && !(event.target.closest && event.target.closest("#suggestions"))) close();
  });
  document.addEventListener("input", function (event) {
    if (!isBox(event.target)) return;
    if (box !== event.target) begin(event.target);
    clearTimeout(wait);
    wait = setTimeout(function () { if (document.activeElement === box) ask(); }, 150);
  });
  document.addEventListener("keydown", function (event) {
    var count = options().length;
    if (event.target !== box || !part() || event.isComposing) return;
    if (part().hidden) {
      if (event.key === "Escape" && box.value) box.value = ""; // as boxes for searches do
      else if (event.key === "ArrowDown" && count) open();
      else return;
      if (event.key === "Escape") return event.preventDefault();
    }
    if (event.key === "ArrowDown") mark(active + 1 < count ? active + 1 : -1);
    else if (event.key === "ArrowUp") mark(active < 0 ? count - 1 : active - 1);
    else if (event.key === "Enter" && active >= 0) options()[active].click();
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  ["pointerdown", "mousedown"].forEach(function (name) {
    document.addEventListener(name, function (event) { // the box keeps the focus
      if (event.target.closest && event.target.closest("#suggestions")) event.preventDefault();
    });
  });
  document.addEventListener("click", function (event) {
    if (event.target.closest && event.target.closest("#suggestions a")) close();
  });
  document.addEventListener("submit", function (event) { if (box && event.target === box.form) close(); });
  document.addEventListener("focusout", function (event) {
    if (event.target === box) setTimeout(function () { if (document.activeElement !== box) close(); }, 0);
  });

  if (isBox(document.activeElement)) {
    begin(document.activeElement);
    if (box.value.trim()) ask(); // typed before this was there
  }
})();
