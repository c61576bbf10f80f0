/* Settings: each control saves itself, so the button that saves all is not needed; theme and size of text change at once. */
(function () {
  "use strict";

  var root = document.documentElement;
  function dress() {
    var all = document.querySelector("[data-save]");
    if (all && window.htmx) all.hidden = true;
  }
  function wear(look) {
    var sheet = look.dataset.sheet, link;
    if (sheet && !document.querySelector("link[href='" + sheet + "']")) {
      link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = sheet;
      document.head.appendChild(link);
    }
    ["theme", "size"].forEach(function (name) {
      if (look.dataset[name]) root.setAttribute("data-" + name, look.dataset[name]);
      else root.removeAttribute("data-" + name);
    });
  }
  document.addEventListener("htmx:afterSwap", function (event) {
    var place = event.detail.target, setting = place.closest && place.closest(".setting"), look = place.querySelector("[data-look]");
    dress();
    if (!setting) return;
    if (look) wear(look);
    setting.querySelectorAll(".control input, .control select").forEach(function (control) {
      if (place.querySelector(".field-error")) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    });
  });
  // Enter in a field sends the form, which the change has done already
  document.addEventListener("submit", function (event) {
    if (event.target.id !== "settings-form" || !window.htmx) return;
    event.preventDefault();
    if (document.activeElement) document.activeElement.blur();
  });
  dress();
})();
