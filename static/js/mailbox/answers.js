/* Answers to a message that is shown: they quote only what is selected of it. app.js loads this where one can be answered; without it,
   and before it comes, the links answer as they stand. */
(function () {
  "use strict";
  if (window.answering) return;
  window.answering = true;

  // an answer quotes only what is selected of a text
  function selected() {
    var found = "";
    document.querySelectorAll("[data-message-body]").forEach(function (body) {
      var frame = body.querySelector("iframe"), here = null, range;
      try { here = frame ? frame.contentWindow.getSelection() : window.getSelection(); } catch (error) { return; } // not readable
      range = here && here.rangeCount && here.getRangeAt(0);
      if (range && (frame || body.contains(range.commonAncestorContainer))) found = found || here.toString();
    });
    return found.trim();
  }
  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest("a[data-answer]"), token = document.querySelector("[name=csrf_token]");
    var words = link && token && !event.ctrlKey && !event.metaKey && !event.shiftKey ? selected() : "";
    if (!words) return;
    var form = document.createElement("form");
    form.method = "post";
    form.action = link.href;
    form.hidden = true;
    [["csrf_token", token.value], ["selected", words]].forEach(function (field) {
      var input = document.createElement("textarea");
      input.name = field[0];
      input.value = field[1];
      form.appendChild(input);
    });
    event.preventDefault();
    event.stopPropagation();
    document.body.appendChild(form);
    form.submit();
  }, true);

  // an answer in another tab is no request of htmx's: the link says that scripts run
  ["mousedown", "click"].forEach(function (name) {
    document.addEventListener(name, function (event) {
      var link = event.target.closest && event.target.closest("a[href*='/reply/'], a[href*='/forward/']");
      var apart = event.button || event.ctrlKey || event.metaKey || event.shiftKey;
      if (link && apart && !/[?&](scripts|format)=/.test(link.search)) link.search += (link.search ? "&" : "?") + "scripts=1";
    }, true);
  });
})();
