/* A picture among the files goes where the cursor is in the text. Without this file it goes where one's own text ends. */
(function () {
  "use strict";
  if (window.pictures) return;
  window.pictures = true;
  var touched = null; // the text in which somebody put a cursor

  document.addEventListener("focusin", function (event) { if (event.target.id === "body") touched = event.target; });
  touched = document.activeElement && document.activeElement.id === "body" ? document.activeElement : null;

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-picture] button[value^='picture:']");
    var area = button && button.form && button.form.querySelector("#body");
    if (!area) return;
    var row = button.closest("[data-picture]"), mark = row.dataset.picture;
    if (button.form.querySelector("#format").value === "markdown") {
      // an editor in the place of the text takes it by itself, and says so by preventDefault()
      var taken = !area.dispatchEvent(new CustomEvent("picture", {
        bubbles: true, cancelable: true, detail: { mark: mark, src: row.dataset.src },
      }));
      if (taken) return event.preventDefault();
      if (area !== touched || !area.offsetParent) return;
      event.preventDefault();
      area.focus();
      // as if typed: the browser can undo it
      if (!document.execCommand("insertText", false, mark)) area.setRangeText(mark, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (area === touched) { // the server makes it a formatted text, and says so
      var caret = button.form.querySelector("[name=caret]") || document.createElement("input");
      caret.type = "hidden";
      caret.name = "caret";
      caret.value = Array.from(area.value.slice(0, area.selectionEnd)).length;
      button.form.append(caret);
    }
  });
})();
