/* A sheet's own button to print it: made here, as it would do nothing without scripts, where the browser's own prints. */
(function () {
  "use strict";
  var place = document.querySelector("[data-print-words]"), button;
  if (!place || !window.print) return;
  button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-primary";
  button.textContent = place.getAttribute("data-print-words");
  button.setAttribute("data-print", "");
  button.addEventListener("click", function () { window.print(); });
  place.insertBefore(button, place.firstChild);
})();
