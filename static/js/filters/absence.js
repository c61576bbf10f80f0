/* Out of office: the holidays of a zone as soon as it is chosen. Without this a button shows them. */
(function () {
  "use strict";

  function form() { return document.querySelector("form.absence"); }
  document.addEventListener("change", function (event) {
    if (form() && form().contains(event.target) && event.target.id === "zone") form().querySelector("[name=action][value=zone]").click();
  });
  function dress() { if (form()) form().classList.add("scripted"); }
  document.addEventListener("htmx:afterSettle", dress); // before, htmx would take the class away again
  dress();
})();
