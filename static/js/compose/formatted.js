/* A text beside messages (an absence's answer, a signature) as it will look, in the editor of the compose form: the textareas that say
   `data-format`, in a form whose choice of format says what to fetch (`data-editor`). Without this they are typed with their signs. */
(function () {
  "use strict";
  if (window.formatted) return;
  window.formatted = true;

  function choice() { return document.querySelector("select[data-editor]"); }
  function areas() { return choice() ? Array.prototype.slice.call(choice().form.querySelectorAll("textarea[data-format]")) : []; }
  function can() { return "noModule" in document.createElement("script"); } // older browsers could not read the editor

  function told(form, shown) {
    form.querySelectorAll("[data-marks-hint]").forEach(function (hint) { hint.hidden = shown; });
  }
  // one text at a time: the one that somebody goes to
  function show(area) {
    var format = choice();
    if (!format || !can()) return;
    format.form.querySelectorAll("[data-formatted]").forEach(function (part) { part.hidden = format.value !== "markdown"; });
    if (format.value !== "markdown") {
      if (window.editor) window.editor.close();
      return told(format.form, true);
    }
    load(format.dataset.editor, function () {
      if (choice() !== format || format.value !== "markdown" || !window.editor) return;
      told(format.form, window.editor.show(area, JSON.parse(format.dataset.words)) === "");
    });
  }
  document.addEventListener("change", function (event) {
    if (choice() && event.target === choice()) show(areas()[0]);
    if (choice() && event.target.form === choice().form && event.target.dataset.press) { // a file goes into the text at once
      choice().form.querySelector("[name=action][value=" + event.target.dataset.press + "]").click();
    }
  });
  document.addEventListener("focusin", function (event) {
    if (areas().indexOf(event.target) >= 0 && !event.target.classList.contains("held")) show(event.target);
  });
  function dress() {
    var format = choice(), shown = document.getElementById("preview");
    if (!format) return;
    if (format.dataset.free !== undefined && can()) { // new: formatted where that can be seen
      format.value = "markdown";
      delete format.dataset.free;
    }
    format.form.querySelectorAll("[data-press]").forEach(function (field) { // a choice presses it
      format.form.querySelector("[name=action][value=" + field.dataset.press + "]").hidden = true;
    });
    show(areas()[0]);
    if (shown) shown.focus();
  }
  document.addEventListener("htmx:afterSettle", dress); // before, htmx would take the classes away again
  dress();
})();
