/* Files and folders dropped anywhere on a page of large files, which upload.js then sends; a folder with all that is in it. And
   links that would replace the page while it does: the browser follows them itself, and asks first. */
(function () {
  "use strict";
  if (window.dropping) return;
  window.dropping = true;

  function box() { return window.uploading && document.getElementById("files"); }
  function add(file, path) { window.uploading.add(file, path); }
  function each(list, does) { Array.prototype.forEach.call(list, does); }
  function walk(entry, folder) {
    if (entry.isFile) return entry.file(function (file) { add(file, folder + file.name); });
    var reader = entry.createReader();
    (function more() {
      reader.readEntries(function (entries) { // a hundred at a time
        each(entries, function (inner) { walk(inner, folder + entry.name + "/"); });
        if (entries.length) more();
      });
    })();
  }
  function brings(event) { return box() && event.dataTransfer && Array.prototype.indexOf.call(event.dataTransfer.types, "Files") >= 0; }
  document.addEventListener("dragover", function (event) {
    if (!brings(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    box().classList.add("upload-over");
  });
  document.addEventListener("dragleave", function (event) { if (box() && !event.relatedTarget) box().classList.remove("upload-over"); });
  document.addEventListener("drop", function (event) {
    if (!brings(event)) return;
    event.preventDefault();
    box().classList.remove("upload-over");
    var entries = [];
    each(event.dataTransfer.items || [], function (item) { if (item.webkitGetAsEntry) entries.push(item.webkitGetAsEntry()); });
    if (entries.filter(Boolean).length) entries.filter(Boolean).forEach(function (entry) { walk(entry, ""); });
    else each(event.dataTransfer.files, function (file) { add(file); });
  });
  document.addEventListener("htmx:beforeRequest", function (event) {
    var asked = event.detail.requestConfig;
    if (!box() || !event.detail.boosted || asked.verb !== "get" || !window.uploading.are("going").length) return;
    event.preventDefault();
    location.href = asked.path;
  });
  function look() {
    var hint = document.querySelector("[data-drop-hint]");
    if (hint) hint.textContent = hint.getAttribute("data-drop-hint");
  }
  look();
  document.addEventListener("htmx:afterSwap", look);
})();
