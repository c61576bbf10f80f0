/* A shared computer: no page stays in sight once its session is over. Without this file the next click notices. */
(function () {
  "use strict";
  var me = document.currentScript || document.querySelector("script[data-minutes]");
  var idle = Number(me.getAttribute("data-minutes")) * 60000 + 5000, timer;

  // a page that the browser kept in memory, shown by "Back"
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) location.reload();
  });

  // whether the session has ended by itself; asking does not prolong it
  function look() {
    var asked = new XMLHttpRequest();
    asked.open("GET", me.getAttribute("data-ask"));
    asked.onloadend = function () {
      if (/\/login(\?|$)/.test(asked.responseURL || "")) location.replace(location.pathname + location.search);
      else wait();
    };
    asked.send();
  }
  function wait() {
    clearTimeout(timer);
    timer = setTimeout(look, Math.min(idle, 2147483647)); // a timer counts in 32 bits
  }
  document.addEventListener("htmx:load", wait);
  wait();
})();
