/* A message begun at an address that knows nothing of its draft ("new", an answer): a reload or "Back" leads to the draft.
   Without this file it is found in Drafts. */
(function () {
  "use strict";
  if (window.leavingDrafts) return;
  window.leavingDrafts = true;
  var last = {}; // what was noted, and where

  function form() { return document.querySelector("form.compose-form"); }
  function isOfDraft() { return /\/compose\/[0-9a-f]{32}$/.test(location.pathname); } // such an address needs no note
  function noted() { return (history.state && history.state.draft) || ""; }

  // this entry of the history is about that draft: the browser keeps the note when the page is left or reloaded
  function note(event) {
    var here = form(), draft = here && here.contains(event.target) && here.getAttribute("action");
    if (!draft || isOfDraft() || noted() === draft) return;
    last = { draft: draft, href: location.href };
    keep();
  }
  function keep() {
    if (last.draft && !isOfDraft() && last.href === location.href) history.replaceState(Object.assign({}, history.state, { draft: last.draft }), "");
  }
  document.addEventListener("input", note);
  document.addEventListener("change", note);
  // htmx writes over the entry that it leaves, and over the one that it comes back to before it loads that page
  document.addEventListener("htmx:beforeHistorySave", function () { last = { draft: noted(), href: location.href }; });
  document.addEventListener("htmx:beforeHistoryUpdate", keep);
  document.addEventListener("htmx:pushedIntoHistory", function () { last = {}; });
  window.addEventListener("beforeunload", keep);

  // somebody writes here already: they did not wait for this file. After "Back" it may be the browser that filled the fields again
  function typed(form) {
    return performance.navigation.type !== 2 && ["to", "cc", "bcc", "subject", "body"].some(function (name) {
      var field = form.elements[name];
      return field && field.value.trim() !== field.defaultValue.trim();
    });
  }
  // its last words may still be on their way: asked for ten seconds, ever more rarely
  function follow(draft, here, wait) {
    if (!here.isConnected || noted() !== draft) return;
    fetch(draft, { method: "HEAD", credentials: "same-origin", redirect: "manual", cache: "no-store" }).then(function (answer) {
      if (!here.isConnected || noted() !== draft) return; // one writes here by now
      var back = here.elements.back.value;
      if (answer.ok) location.replace(draft + (back ? "?back=" + encodeURIComponent(back) : ""));
      else if (answer.status === 404 && wait < 4000) setTimeout(follow, wait, draft, here, 1.5 * wait);
    }, function () { /* no connection: the new form stays */ });
  }
  var here = form();
  if (here && typed(here)) here.dispatchEvent(new Event("input", { bubbles: true })); // noted, and saved by itself
  if (here && !isOfDraft() && noted() && noted() !== here.getAttribute("action")) follow(noted(), here, 300);
})();
