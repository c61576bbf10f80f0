/* While a message is written: nothing typed is lost, and the addresses stay readable. Every task works without this file. */
(function () {
  "use strict";
  if (window.composing) return;
  window.composing = true;
  var SMALL = 60000; // bytes that a browser still sends while a page goes away
  var EVERY = 9000;
  var TRIES = 4; // how often a page that came without the last words is asked for again
  var turn = Date.now(); // of the last request: the server keeps the words of the latest, in whatever order they arrive
  var now = null; // the form being watched: { form, saved, sending, since, submitting, failed }

  function text(form, action) {
    var data = new FormData(form), out = new URLSearchParams();
    data.forEach(function (value, name) { // the revision changes with each answer, not by typing
      if (typeof value === "string" && name !== "csrf_token" && (action || name !== "revision")) out.append(name, value);
    });
    if (action) {
      out.append("csrf_token", data.get("csrf_token"));
      out.append("action", action);
      out.append("turn", ++turn);
    }
    return out.toString();
  }
  function unsaved() { return now && now.form.isConnected && !now.submitting && text(now.form) !== now.saved; }
  function small() { return text(now.form).length < SMALL; }

  // which draft's last words are on their way while its page goes: its address and their turn, never what is in it
  function leaving(address, turn, tries) {
    try {
      if (address) sessionStorage.setItem("leaving", [address, turn, tries].join(" "));
      else sessionStorage.removeItem("leaving");
    } catch (error) { /* storage is off */ }
  }
  function left() {
    try { return (sessionStorage.getItem("leaving") || "").split(" "); } catch (error) { return [""]; }
  }
  // the page is being left: what is typed goes to the server, which answers nothing
  function flush() {
    if (!unsaved()) return;
    var state = now, before = state.saved;
    var address = state.form.getAttribute("action"), words = text(state.form, "autosave"); // its buttons are named "action" too
    state.saved = text(state.form);
    leaving(address, turn, TRIES);
    fetch(address, {
      method: "POST", body: words, keepalive: small(), credentials: "same-origin",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    }).then(function (answer) {
      if (!answer.ok) leaving(""); // else the page that comes looks whether it has them: it may have been asked for before
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
    area.defaultValue = input.defaultValue;
    area.value = input.value;
    input.replaceWith(area);
    if (active) area.focus({ preventScroll: true });
  }
  function dress() {
    var form = document.querySelector("form.compose-form");
    if (!form || (now && now.form === form)) return;
    if (form.elements.gap) { // for text browsers
      form.elements.body.value = form.elements.body.value.replace(/^ (?=\n)/, "");
      form.elements.gap.parentNode.removeChild(form.elements.gap);
    }
    form.querySelectorAll(".compose-row input[name][inputmode=email]:not(.held)").forEach(widen);
    form.querySelectorAll("textarea.grows").forEach(function (field) { field.rows = 1; grow(field); });
    if (window.chips) chips.dress();
    decide(form);
    now = { form: form, saved: text(form), sending: null, since: 0, submitting: false, pressed: "", next: "", failed: false };
    showBar(form);
    renew(form);
    bringBack(form);
  }

  // the draft was asked for again (a reload) together with its last words, and may have come without them
  function renew(form) {
    var mark = left(), tries = Number(mark[2]);
    leaving("");
    if (mark[0] !== form.getAttribute("action") || Number(form.dataset.turn || 0) >= Number(mark[1]) || !tries) return;
    setTimeout(function () {
      if (!form.isConnected || unsaved() || !window.htmx) return;
      leaving(mark[0], mark[1], tries - 1); // the form that comes looks again
      htmx.ajax("GET", location.pathname + location.search, { target: "#main", swap: "outerHTML" });
    }, 500 * Math.pow(2, TRIES - tries));
  }

  document.addEventListener("input", function (event) {
    if (!now || !now.form.contains(event.target)) return;
    if (event.target.matches("textarea.grows")) grow(event.target);
    if (!spared()) begin(now.form);
    if (!now.since) now.since = Date.now();
    if (Date.now() - now.since > EVERY) { // typing never paused long enough for the other trigger
      now.since = Date.now();
      if (window.htmx) htmx.trigger("#autosave", "keep");
    }
  });
  // a formatted signature is in the text as the message's format has it: its Markdown, or its plain text
  function fitSignature(form) {
    var chosen = form.querySelector("#signature option:checked"), area = form.elements.body, from, to, fit;
    if (!chosen || chosen.dataset.plain === undefined) return;
    to = form.querySelector("#format").value ? chosen.dataset.formatted : chosen.dataset.plain;
    from = to === chosen.dataset.plain ? chosen.dataset.formatted : chosen.dataset.plain;
    function fitting(text) {
      var before = "\n-- \n", at = ("\n" + text).indexOf(before + from), after = text.slice(at - 1 + before.length + from.length);
      if (at < 0 || !/^(\s*$|\n[ \t]*\n)/.test(after)) return text;
      return text.slice(0, at - 1 + before.length) + to + after;
    }
    fit = [fitting(area.value), area.selectionStart, area.selectionEnd];
    area.defaultValue = fitting(area.defaultValue);
    if (area.value !== fit[0]) area.value = fit[0];
    area.setSelectionRange(fit[1], fit[2]);
  }
  // another identity or signature: it comes at once
  document.addEventListener("change", function (event) {
    if (event.target.id === "format" && now && now.form.contains(event.target)) {
      if (!event.target.value && window.editor) window.editor.close();
      fitSignature(now.form);
      begin(now.form);
    }
    var button = { identity: "use", signature: "sign" }[event.target.id];
    if (button && now && now.form.contains(event.target)) now.form.querySelector("button[value=" + button + "]").click();
  });
  // from the end of the text, "Send" is many keys away
  document.addEventListener("keydown", function (event) {
    var form = event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest("form.compose-form");
    var send = form && form.querySelector("button[value=send]");
    if (!send) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    send.focus(); // what is typed in a field is taken as it is left
    send.click();
  }, true);
  document.addEventListener("submit", function (event) {
    var button = event.submitter && event.submitter.name === "action" ? event.submitter.value : "";
    if (!now || event.target !== now.form) return;
    leaving(""); // what is pressed takes all the words along
    if (!now.submitting) now.pressed = button;
    else if (button !== now.pressed) now.next = button; // htmx would drop it together with the form that it belongs to
    now.submitting = true;
  });

  document.addEventListener("htmx:configRequest", function (event) {
    if (now && now.form.contains(event.detail.elt)) event.detail.parameters.turn = ++turn;
  });
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
    } else if (elt === now.form) { // the form stays, and htmx goes on with what was pressed meanwhile
      now.submitting = false;
      now.next = "";
    }
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
  // their buttons: made here, since text browsers would show what no script is there for
  function makeMarks(form, marks) {
    var words = JSON.parse(form.querySelector("[data-editor]").dataset.words);
    [["**", "b", "B", words.bold], ["*", "i", "I", words.italic], ["- ", "span", "•", words.bullets], ["[](https://)", "u", "a", words.link]].forEach(
      function (one) {
        var button = document.createElement("button"), sign = document.createElement(one[1]);
        button.type = "button";
        button.className = "btn btn-quiet";
        button.dataset.mark = one[0];
        button.title = one[3];
        button.setAttribute("aria-label", one[3]);
        sign.setAttribute("aria-hidden", "true");
        sign.textContent = one[2];
        button.append(sign);
        marks.append(button);
      });
  }
  function showMarks() {
    var form = document.querySelector("form.compose-form"), marks = form && form.querySelector("[data-marks]");
    if (!marks) return;
    if (!marks.children.length) makeMarks(form, marks);
    marks.hidden = !form.querySelector("#" + marks.dataset.marks).value;
    var body = form.querySelector("#body"), language = form.querySelector("#language").value;
    if (language) body.lang = language;
    else body.removeAttribute("lang"); // an empty one would tell a screen reader to forget the page's language
    showEditor(form, marks);
  }

  // a new text is formatted where that can be seen: not where the editor can't run, nor where its signs would be a surprise
  function decide(form) {
    var format = form.querySelector("#format[data-free]"), can = "noModule" in document.createElement("script");
    if (!format || form.querySelector(".compose-original")) return;
    format.value = can && wish() === "editor" ? "markdown" : "";
    fitSignature(form);
  }
  function idle(then) {
    if (window.editor || begun) then();
    else if (window.requestIdleCallback) requestIdleCallback(then, { timeout: 1500 });
    else setTimeout(then, 200);
  }

  // formatted text as it will look: fetched when somebody writes some, and only if they have not chosen to see the signs
  function wish(way) {
    try {
      if (way) localStorage.setItem("write", way);
      way = way || localStorage.getItem("write");
    } catch (error) { /* storage is off */ }
    return way || (navigator.connection && navigator.connection.saveData ? "text" : "editor");
  }
  // what nobody needs who has not begun: what goes with a text comes with the first letter, the editor where there is a text or one
  // is begun. On a line that is slow or paid for by its bytes only going to the text begins one
  var begun = false;
  function begin(form) {
    if (begun) return;
    begun = true;
    form.querySelectorAll("[data-later]").forEach(function (part) { load(part.dataset.later); });
    showMarks();
  }
  function spared() {
    var line = navigator.connection || {};
    return line.saveData || line.type === "cellular" || /2g|3g/.test(line.effectiveType);
  }
  document.addEventListener("focusin", function (event) { if (now && event.target === now.form.elements.body) begin(now.form); });
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
    if (!window.editor && !begun && !area.value.trim() && document.activeElement !== area) return;
    idle(function () { load(choice.dataset.editor, function () {
      if (!form.isConnected || wish() !== "editor" || !form.querySelector("#" + marks.dataset.marks).value) return;
      var why = window.editor ? window.editor.show(area, words) : "absent";
      settle(!why, why);
    }); });
  }
  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-write]");
    if (!button) return;
    wish(button.dataset.write);
    begin(button.form);
    showMarks();
    if (window.editor && button.dataset.write === "editor") window.editor.focus();
  });
  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-mark]");
    if (button && now && now.form.contains(button)) mark(now.form.querySelector("#body"), button.dataset.mark);
  });
  document.addEventListener("change", showMarks);
  // on telephones the bar above the text comes when it is asked for
  var formatting = false;
  function showBar(form) {
    var button = form.querySelector("[data-formatting]"), options = form.querySelector("#options");
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.className = "btn";
      button.textContent = "Aa";
      button.setAttribute("data-formatting", "");
      button.title = options.parentNode.dataset.words;
      button.setAttribute("aria-label", button.title);
      options.before(button);
    }
    button.setAttribute("aria-expanded", String(formatting));
    form.classList.toggle("shows-format", formatting);
  }
  document.addEventListener("mousedown", function (event) { // the keyboard stays
    if (event.target.closest && event.target.closest("[data-formatting]")) event.preventDefault();
  });
  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-formatting]");
    if (!button) return;
    formatting = !formatting;
    showBar(button.form);
  });

  // --- what is typed while an answer is on its way: the form that comes with it has only what was sent ---------------------
  var asked = new WeakMap(); // of each request: the fields as they were sent, and which had the focus
  var carried = null; // { sent, typed, focus: { id, from, to, top }, editor, moved, next }

  function fields(form) {
    var out = {};
    Array.prototype.forEach.call(form.elements, function (field) {
      if (!field.name || /^(hidden|file|submit|button|fieldset)$/.test(field.type)) return;
      var ticks = field.type === "checkbox" || field.type === "radio";
      out[field.name + (ticks ? "=" + field.value : "")] = { field: field, value: ticks ? field.checked : field.value };
    });
    return out;
  }
  function focused() { // what is written in, or chosen from
    var field = document.activeElement;
    return field && field.matches("#editor, #main textarea, #main select, #main input:not([type=hidden])") ? field : null;
  }
  // where two texts part: [from, to, words] says what the second has instead
  function change(before, after) {
    var from = 0, most = Math.min(before.length, after.length), tail = 0;
    while (from < most && before[from] === after[from]) from++;
    while (tail < most - from && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
    return { from: from, to: before.length - tail, words: after.slice(from, after.length - tail) };
  }
  // both changes of one text, and where the caret goes; what was typed wins where they meet
  function merge(sent, answer, typed) {
    var theirs = change(sent, answer), ours = change(sent, typed), grown = typed.length - sent.length;
    var at = ours.to <= theirs.from ? theirs.from + grown : theirs.to < ours.from ? theirs.from : -1;
    if (sent === answer || (at < 0 && sent !== typed)) return { text: typed, place: function (caret) { return caret; } };
    if (sent === typed) at = theirs.from;
    var end = at + theirs.to - theirs.from;
    return {
      text: typed.slice(0, at) + theirs.words + typed.slice(end),
      place: function (caret) { return caret <= at ? caret : caret < end ? at : caret + theirs.words.length - (end - at); },
    };
  }
  function remember(event) {
    var told = event.detail, form = now && now.form, sent = asked.get(told.xhr), field = focused();
    carried = null;
    if (!sent || !form.isConnected || told.target.id !== "main" || !told.shouldSwap) return;
    carried = { sent: sent.fields, typed: fields(form), focus: null, editor: null, moved: false, next: now.next };
    carried.editor = window.editor && window.editor.place();
    carried.moved = field !== sent.focus || Object.keys(carried.typed).some(function (name) {
      return sent.fields[name] && sent.fields[name].value !== carried.typed[name].value;
    });
    if (!field || !form.contains(field)) return;
    carried.focus = { id: field.id, from: field.selectionStart, to: field.selectionEnd, top: field.scrollTop, typed: field.value };
    if (carried.moved) told.swapOverride = "outerHTML show:none";
  }
  function bringBack(form) {
    var back = carried, found = back && fields(form), changed = [];
    carried = null;
    if (!back) return showMarks();
    var wish = form.querySelector("[autofocus]"), usual = !wish || wish.matches("#body, [id^=to]:not([aria-invalid])");
    Object.keys(found).forEach(function (name) {
      var field = found[name].field, sent = back.sent[name], typed = back.typed[name], both;
      if (!sent || !typed || (sent.value === typed.value && field.id !== "body")) return;
      if (field.id === "body") {
        both = merge(sent.value, field.value, typed.value);
        if (back.focus && back.focus.id === "body") {
          back.focus.from = both.place(back.focus.from);
          back.focus.to = both.place(back.focus.to);
        }
        field.value = both.text;
      } else if (typeof typed.value === "boolean") field.checked = typed.value;
      else field.value = typed.value;
      if (sent.value === typed.value) return;
      if (field.matches("textarea.grows")) grow(field);
      if (window.chips) chips.renew(field);
      if (field.closest(".compose-more")) field.closest(".compose-more").open = true;
      changed.push(field);
    });
    showMarks();
    if (back.focus && (usual || back.moved)) putFocus(form, back);
    // once the form hears: what was typed is saved soon, and a button pressed meanwhile is pressed, unless something is asked first
    if (changed.length || back.next) document.addEventListener("htmx:afterSettle", function () {
      var button = back.next && !form.querySelector("[role=alert]") && Array.prototype.find.call(form.elements, function (one) {
        return one.name === "action" && one.value === back.next;
      });
      form.dispatchEvent(new Event("input", { bubbles: true }));
      changed.forEach(function (field) {
        if (!/^text/.test(field.type)) field.dispatchEvent(new Event("change", { bubbles: true }));
      });
      if (button && !now.submitting) button.click();
    }, { once: true });
  }
  function putFocus(form, back) {
    var field = document.getElementById(back.focus.id === "editor" && !document.getElementById("editor") ? "body" : back.focus.id);
    if (!field || !form.contains(field)) return;
    form.querySelectorAll("[autofocus]").forEach(function (wish) { wish.removeAttribute("autofocus"); });
    if (field.id === "editor") return window.editor.focus(back.editor);
    field.focus({ preventScroll: true });
    if (field.dataset.of) chips.resume(field, back.focus.typed);
    try { // a choice has no caret
      if (typeof back.focus.from === "number") field.setSelectionRange(back.focus.from, back.focus.to);
    } catch (error) { return; }
    field.scrollTop = back.focus.top;
  }
  document.addEventListener("htmx:beforeRequest", function (event) {
    if (now && now.form.contains(event.detail.elt)) asked.set(event.detail.xhr, { fields: fields(now.form), focus: focused() });
  });
  document.addEventListener("htmx:beforeSwap", remember);

  document.addEventListener("htmx:afterSwap", dress);
  window.addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "hidden") flush();
    else leaving(""); // the page was not left after all
  });
  window.addEventListener("beforeunload", function (event) {
    var calm = !unsaved() || (small() && !now.failed && navigator.onLine);
    flush(); // before the next page is asked for: it may be this draft again
    if (calm) return;
    event.preventDefault();
    event.returnValue = "";
  });
  // somebody writes here already: they did not wait for this file. After "Back" it is the browser that filled the fields again
  function typed(form) {
    return performance.navigation.type !== 2 && ["to", "cc", "bcc", "subject", "body"].some(function (name) {
      var field = form.elements[name];
      return field && field.value.trim() !== field.defaultValue.trim();
    });
  }
  dress();
  if (now && typed(now.form)) {
    now.saved = "";
    now.form.dispatchEvent(new Event("input", { bubbles: true })); // saved by itself
  }
})();
