/* Out of office: the text as it will look, in the editor of the compose form, and the holidays of a zone as soon as it is chosen.
   Without this the texts are typed with their signs, and a button shows the holidays. */
(function () {
  "use strict";

  function form() { return document.querySelector("form.absence"); }
  function areas() { return Array.prototype.slice.call(form().querySelectorAll("textarea[data-format]")); }

  function fetchEditor(choice, then) {
    var parts = choice.dataset.editor.split(" "), left = parts.length, style;
    if (window.editor) return then();
    if (choice.dataset.asked) return;
    choice.dataset.asked = "yes";
    style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = choice.dataset.style;
    document.head.appendChild(style);
    parts.forEach(function (part) {
      var script = document.createElement("script");
      script.src = part;
      script.async = false; // they run in this order
      script.onload = script.onerror = function () { if (!--left) then(); };
      document.head.appendChild(script);
    });
  }
  // one text at a time: the one that somebody goes to
  function show(area) {
    var choice = form() && form().querySelector("[data-editor]"), hint = form() && form().querySelector("[data-marks-hint]");
    if (!choice || !("noModule" in document.createElement("script"))) return; // older browsers could not read it
    if (choice.value !== "markdown") {
      if (window.editor) window.editor.close();
      hint.hidden = true;
      return;
    }
    fetchEditor(choice, function () {
      if (!form() || choice.value !== "markdown" || !window.editor) return;
      hint.hidden = window.editor.show(area, JSON.parse(choice.dataset.words)) === "";
    });
  }
  document.addEventListener("change", function (event) {
    if (!form() || !form().contains(event.target)) return;
    if (event.target.id === "format") show(areas()[0]);
    if (event.target.id === "zone") form().querySelector("[name=action][value=zone]").click();
  });
  document.addEventListener("focusin", function (event) {
    if (form() && event.target.matches("form.absence textarea[data-format]:not(.held)")) show(event.target);
  });
  function dress() {
    if (!form()) return;
    form().classList.add("scripted");
    show(areas()[0]);
    var shown = document.getElementById("preview");
    if (shown) shown.focus();
  }
  document.addEventListener("htmx:afterSettle", dress); // before, htmx would take the classes away again
  dress();
})();
