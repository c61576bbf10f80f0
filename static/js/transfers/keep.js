/* What is typed beside files that are being uploaded is kept as it is typed, so that a reload, or a page that was closed, loses none. */
(function () {
  "use strict";
  if (window.keepsTyped) return;
  window.keepsTyped = true;
  var soon = null;

  function begun() { // only then is there something to keep it with
    var form = document.getElementById("transfer");
    return form && /[?&]of=\d/.test(form.getAttribute("action")) ? form : null;
  }
  function typed(form) {
    var data = new FormData(form);
    data.append("action", "keep");
    return data;
  }
  function keep() {
    var form = begun(), request = new XMLHttpRequest();
    soon = null;
    if (!form) return document.getElementById("transfer") && wait(); // until the first file has begun
    request.open("POST", form.getAttribute("action"));
    request.setRequestHeader("HX-Request", "true");
    request.send(typed(form));
  }
  function wait() {
    clearTimeout(soon);
    soon = setTimeout(keep, 400);
  }
  function forget() {
    clearTimeout(soon);
    soon = null;
  }
  function changed(event) {
    var form = event.target.form;
    if (form && form.id === "transfer" && event.target.type !== "file") wait();
  }
  document.addEventListener("input", changed);
  document.addEventListener("change", changed);
  document.addEventListener("submit", function (event) { if (event.target.id === "transfer") forget(); });
  window.addEventListener("beforeunload", function () {
    var form = begun();
    if (soon && form && navigator.sendBeacon) navigator.sendBeacon(form.getAttribute("action"), typed(form));
    forget();
  });
})();
