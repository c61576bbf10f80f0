/* Countdown: the seconds in the notice after "Send" run down. Without this file they stand still. */
(function () {
  "use strict";
  if (window.countingDown) return;
  window.countingDown = true;
  var timer = 0;
  function tick() {
    var going = false;
    document.querySelectorAll("[data-left]").forEach(function (notice) {
      if (!notice.until) notice.until = Date.now() + notice.dataset.left * 1000;
      var left = Math.max(Math.ceil((notice.until - Date.now()) / 1000), 0);
      var words = notice.textContent.replace(/\d+/, left);
      if (words !== notice.textContent) notice.textContent = words;
      going = going || left > 0;
    });
    timer = going ? setTimeout(tick, 250) : 0;
  }
  function begin() { if (!timer) tick(); }
  document.addEventListener("htmx:afterSettle", begin);
  begin();
})();
