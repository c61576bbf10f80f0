/* While a message is written: nothing typed is lost, and the addresses stay readable. Every task works without this file. */
(function () {
  "use strict";
  if (window.composing) return;
  window.composing = true;
  var SMALL = 60000; // bytes that a browser still sends while a page goes away
  var EVERY = 9000;
  var now = null; // the form being watched: { form, saved, sending, since, submitting, failed }

  function text(form, action) {
    var data = new FormData(form), out = new URLSearchParams();
    data.forEach(function (value, name) { // the revision changes with each answer, not by typing
      if (typeof value === "string" && name !== "csrf_token" && (action || name !== "revision")) out.append(name, value);
    });
    if (action) {
      out.append("csrf_token", data.get("csrf_token"));
      out.append("action", action);
    }
    return out.toString();
  }
  function unsaved() { return now && now.form.isConnected && !now.submitting && text(now.form) !== now.saved; }
  function small() { return text(now.form, "autosave").length < SMALL; }

  // which draft's last words are on their way while its page goes: only its address, never what is in it
  function leaving(address) {
    try {
      if (address) sessionStorage.setItem("leaving", address);
      else sessionStorage.removeItem("leaving");
    } catch (error) { /* storage is off */ }
  }
  function left() {
    try { return sessionStorage.getItem("leaving"); } catch (error) { return null; }
  }
  // the page is being left: what is typed goes to the server, which answers nothing
  function flush() {
    if (!unsaved()) return;
    var state = now, before = state.saved;
    state.saved = text(state.form);
    leaving(state.form.getAttribute("action"));
    fetch(state.form.getAttribute("action"), { // its buttons are named "action" too
      method: "POST", body: text(state.form, "autosave"), keepalive: small(), credentials: "same-origin",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    }).then(function (answer) {
      leaving("");
      state.failed = !answer.ok;
      if (!answer.ok) state.saved = before;
    }, function () {
      state.failed = true;
      state.saved = before;
    });
  }

  function grow(field) {
    if (window.CSS && CSS.supports("field-sizing", "content")) return;
    field.style.height = "auto";
    field.style.height = field.scrollHeight + 2 + "px";
  }
  // an address field of one line becomes one that grows
  function widen(input) {
    var area = document.createElement("textarea"), active = document.activeElement === input;
    Array.prototype.forEach.call(input.attributes, function (one) {
      if (["type", "value", "size"].indexOf(one.name) < 0) area.setAttribute(one.name, one.value);
    });
    area.rows = 1;
    area.className = "grows";
    area.value = input.value;
    input.replaceWith(area);
    if (active) area.focus({ preventScroll: true });
  }
  function dress() {
    var form = document.querySelector("form.compose-form");
    if (!form || (now && now.form === form)) return;
    form.querySelectorAll(".compose-row input[inputmode=email]").forEach(widen);
    form.querySelectorAll("textarea.grows").forEach(function (field) { field.rows = 1; grow(field); });
    now = { form: form, saved: text(form), sending: null, since: 0, submitting: false, failed: false };
    if (left() === form.getAttribute("action")) setTimeout(renew, 500, form);
    leaving("");
    showMarks();
  }

  // the draft was asked for again (a reload) together with its last words, and may have come without them
  function renew(form) {
    if (!form.isConnected || unsaved() || !window.htmx) return;
    htmx.ajax("GET", location.pathname + location.search, { target: "#main", swap: "outerHTML" });
  }

  document.addEventListener("input", function (event) {
    if (!now || !now.form.contains(event.target)) return;
    if (event.target.matches("textarea.grows")) grow(event.target);
    if (!now.since) now.since = Date.now();
    if (Date.now() - now.since > EVERY) { // typing never paused long enough for the other trigger
      now.since = Date.now();
      if (window.htmx) htmx.trigger("#autosave", "keep");
    }
  });
  // another identity: its signature comes at once
  document.addEventListener("change", function (event) {
    if (!now || event.target.id !== "identity" || !now.form.contains(event.target)) return;
    now.form.querySelector("button[value=use]").click();
    document.addEventListener("htmx:afterSettle", function () { // the next page's own wish would take the focus away
      var field = document.getElementById("identity");
      if (field) field.focus();
    }, { once: true });
  });
  document.addEventListener("submit", function (event) { if (now && event.target === now.form) now.submitting = true; });

  document.addEventListener("htmx:beforeRequest", function (event) {
    var elt = event.detail.elt;
    if (!now || !now.form.isConnected) return;
    if (elt.id === "autosave") {
      if (now.submitting) event.preventDefault();
      now.sending = text(now.form);
    } else if (!now.form.contains(elt) && event.detail.target.id === "main") {
      if (unsaved() && now.failed && !window.confirm(now.form.dataset.leave)) event.preventDefault();
      else flush();
    }
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    var elt = event.detail.elt;
    if (!now) return;
    if (elt.id === "autosave") {
      now.failed = !event.detail.successful || event.detail.xhr.status >= 400; // htmx calls every answer a success
      if (!now.failed) {
        now.saved = now.sending;
        now.since = 0;
      }
    } else if (elt === now.form) now.submitting = false;
  });
  // marks of formatted text around what is selected, or before each of its lines
  function mark(area, sign) {
    var from = area.selectionStart, to = area.selectionEnd, chosen = area.value.slice(from, to), at;
    if (sign === "- ") {
      from = area.value.lastIndexOf("\n", from - 1) + 1;
      chosen = area.value.slice(from, to).replace(/^/gm, sign);
      at = chosen.length;
    } else if (sign.charAt(0) === "[") {
      chosen = "[" + chosen + sign.slice(1);
      at = chosen.length - 1;
    } else {
      at = sign.length + chosen.length;
      chosen = sign + chosen + sign;
    }
    area.focus();
    area.setSelectionRange(from, to);
    // as if typed: the browser can undo it
    if (!document.execCommand("insertText", false, chosen)) area.setRangeText(chosen, from, to, "end");
    area.setSelectionRange(from + at, from + at);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
  function showMarks() {
    var form = document.querySelector("form.compose-form"), marks = form && form.querySelector("[data-marks]");
    if (!marks) return;
    marks.hidden = !form.querySelector("#" + marks.dataset.marks).value;
    var body = form.querySelector("#body"), language = form.querySelector("#language").value;
    if (language) body.lang = language;
    else body.removeAttribute("lang"); // an empty one would tell a screen reader to forget the page's language
    showEditor(form, marks);
  }

  // formatted text as it will look: fetched when somebody writes some, and only if they have not chosen to see the signs
  function wish(way) {
    try {
      if (way) localStorage.setItem("write", way);
      way = way || localStorage.getItem("write");
    } catch (error) { /* storage is off */ }
    return way || (navigator.connection && navigator.connection.saveData ? "text" : "editor");
  }
  function fetchEditor(choice, then) {
    var parts = choice.dataset.editor.split(" "), left = parts.length, style = document.createElement("link");
    if (window.editor || choice.fetching) return window.editor && then();
    choice.fetching = true;
    style.rel = "stylesheet";
    style.href = choice.dataset.style;
    document.head.appendChild(style);
    parts.forEach(function (part) {
      var script = document.createElement("script");
      script.src = part;
      script.async = false; // they run in this order
      script.onload = script.onerror = function () {
        if (--left) return;
        choice.fetching = false;
        then();
      };
      document.head.appendChild(script);
    });
  }
  function showEditor(form, marks) {
    var choice = form.querySelector("[data-editor]"), area = form.querySelector("#body"), wanted = !marks.hidden && wish() === "editor";
    if (!choice || !("noModule" in document.createElement("script"))) return; // older browsers could not read it
    var words = JSON.parse(choice.dataset.words), said = choice.querySelector("[role=status]");
    if (!said) {
      choice.setAttribute("role", "group");
      choice.setAttribute("aria-label", words.way);
      ["editor", "text"].forEach(function (way) {
        var button = document.createElement("button");
        button.type = "button";
        button.className = "btn";
        button.dataset.write = way;
        button.textContent = words[way];
        choice.append(button);
      });
      said = document.createElement("span");
      said.className = "muted small";
      said.setAttribute("role", "status");
      choice.append(said);
    }
    function settle(shown, why) { // why the text can't be shown so, or the editor does not run here
      choice.querySelectorAll("[data-write]").forEach(function (button) {
        button.setAttribute("aria-pressed", String((button.dataset.write === "editor") === shown));
      });
      said.textContent = why ? words[why] : "";
      marks.hidden = shown || !form.querySelector("#" + marks.dataset.marks).value;
      form.querySelectorAll("[data-hint]").forEach(function (hint) { hint.hidden = shown; });
    }
    choice.hidden = marks.hidden;
    if (!wanted) {
      if (window.editor) window.editor.close();
      return settle(false);
    }
    fetchEditor(choice, function () {
      if (!form.isConnected || wish() !== "editor" || !form.querySelector("#" + marks.dataset.marks).value) return;
      var why = window.editor ? window.editor.show(area, words) : "absent";
      settle(!why, why);
    });
  }
  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-write]");
    if (!button) return;
    wish(button.dataset.write);
    showMarks();
    if (window.editor && button.dataset.write === "editor") window.editor.focus();
  });
  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-mark]");
    if (button && now && now.form.contains(button)) mark(now.form.querySelector("#body"), button.dataset.mark);
  });
  document.addEventListener("change", showMarks);

  document.addEventListener("htmx:afterSwap", dress);
  window.addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", function () { if (document.visibilityState === "hidden") flush(); });
  window.addEventListener("beforeunload", function (event) {
    var calm = !unsaved() || (small() && !now.failed && navigator.onLine);
    flush(); // before the next page is asked for: it may be this draft again
    if (calm) return;
    event.preventDefault();
    event.returnValue = "";
  });
  dress();
})();
