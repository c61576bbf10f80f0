/* Keys of the calendar: each presses the link that has it as its data-key. What ticks calendars needs no button here. */
(function () {
  "use strict";
  var going = -Infinity; // when "g" was pressed: for two seconds letters are folders of mail

  function one(selector) { return document.querySelector(selector); }
  function events() { return Array.prototype.slice.call(document.querySelectorAll("#main a[data-event][href]:not([tabindex])")); }
  function step(by) {
    var all = events(), at = all.indexOf(document.activeElement);
    if (all.length) all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)].focus();
  }
  function typed(event) {
    var at = event.target, key = event.key, link;
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (!document.body.dataset.keys || !one("#main.calendar") || one("dialog[open]")) return;
    if (at.closest && at.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    if (/^[isdat]$/.test(key) && Date.now() - going < 2000) {
      going = -Infinity;
      return;
    }
    if (key === "g") going = Date.now();
    if (key === "j" || key === "k") step(key === "j" ? 1 : -1);
    else {
      link = /^[a-z]$/.test(key) && !event.repeat && one("[data-key='" + key + "']");
      if (key === "n" || key === "p") link = one("a[rel=" + (key === "n" ? "next" : "prev") + "]");
      if (!link) return;
      link.click();
    }
    event.preventDefault();
    event.stopPropagation(); // the keys of mail are not asked
  }
  document.addEventListener("keydown", typed, true);
  document.addEventListener("click", function (event) {
    if (!event.target.matches || !event.target.matches("[data-to-events]") || !events().length) return;
    event.preventDefault();
    step(1);
  });
  function dress() {
    var needless = document.querySelectorAll("[data-needless]");
    Array.prototype.forEach.call(needless, function (part) { part.hidden = true; });
  }
  document.addEventListener("htmx:afterSettle", dress);
  dress();
})();
