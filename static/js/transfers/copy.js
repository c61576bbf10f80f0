/* A button beside the link of a transfer, which copies it. Where a browser lets no page copy, there is none. */
(function () {
  "use strict";
  function offer() {
    var link = document.querySelector("a[data-copy]");
    if (!link || (link.hasAttribute("data-sealed-link") && !link.hash) || link.parentNode.querySelector(".copy")) return;
    if (!navigator.clipboard || !navigator.clipboard.writeText) return;
    var button = document.createElement("button");
    button.type = "button";
    button.className = "btn copy";
    button.textContent = link.dataset.copy;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(link.href).then(function () {
        button.textContent = link.dataset.copied;
        setTimeout(function () { button.textContent = link.dataset.copy; }, 3000);
      }, function () { window.getSelection().selectAllChildren(link); });
    });
    link.parentNode.appendChild(button);
  }
  window.offersCopy = offer; // seal.js, once a link has its key
  document.addEventListener("htmx:load", offer);
  offer();
})();
