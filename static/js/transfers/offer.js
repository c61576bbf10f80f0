/* Encrypting in this browser is offered where it can be done: by a script, since nothing else does it. From the moment when it is asked
   for nothing goes as it is: uploads pause, and what is chosen until the next page is there waits for it (`holds`; seal.js takes it from there). */
(function () {
  "use strict";
  function look() {
    Array.prototype.forEach.call(document.querySelectorAll("[data-offers]"), function (place) {
      var button = document.createElement("button"), hint = place.querySelector(".hint");
      if (place.querySelector("button") || !window.crypto || !window.crypto.subtle) return;
      button.className = "btn";
      button.name = "protection";
      button.value = place.getAttribute("data-offers");
      button.textContent = place.getAttribute("data-label");
      button.addEventListener("click", wait);
      place.insertBefore(button, hint);
      hint.textContent = place.getAttribute("data-hint");
    });
  }
  function wait() {
    var uploads = window.uploading;
    window.holds = [];
    if (uploads) uploads.are("going").concat(uploads.are("waits")).forEach(function (one) { one.hold.click(); });
  }
  function forget() { window.holds = null; }
  if (!window.offersSealing) {
    document.addEventListener("htmx:load", look);
    document.addEventListener("htmx:afterSwap", function () { if (!document.querySelector("[data-seals]")) forget(); });
    document.addEventListener("htmx:afterRequest", function (event) { if (window.holds && !event.detail.successful) forget(); });
    window.addEventListener("pageshow", function (event) { if (event.persisted) forget(); });
  }
  window.offersSealing = true;
  look();
})();
