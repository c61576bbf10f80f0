/* People found while an address is typed. Without this file there is the page "Choose recipients". */
(function () {
  "use strict";
  if (window.recipients) return;
  window.recipients = true;
  var FIELDS = ["to", "cc", "bcc", "reply_to", "people"]; // the last one: those of a group, one on each line, none of them a group
  var wait = 0, asking = null, field = null, active = -1, moved = false;

  function list() { return document.getElementById("recipients-found"); }
  function options() { return list() ? list().querySelectorAll("[role=option]") : []; }
  function isField(target) { return target && target.form && target.closest("[data-recipients]") && FIELDS.indexOf(target.dataset.of || target.name) >= 0; }

  // the address under the caret: from one separator to the next, those within quotes and brackets left alone
  function item() {
    var text = field.value, caret = field.selectionStart, start = 0, quoted = false, inside = false;
    for (var at = 0; at < text.length; at++) {
      var mark = text[at];
      if (mark === '"') quoted = !quoted;
      else if (!quoted && mark === "<") inside = true;
      else if (!quoted && mark === ">") inside = false;
      else if (!quoted && !inside && /[,;\n]/.test(mark)) {
        if (at >= caret) break;
        start = at + 1;
      }
    }
    return { start: start, end: at, words: text.slice(start, at).trim() };
  }

  function close() {
    clearTimeout(wait);
    if (asking) asking.abort();
    asking = null;
    active = -1;
    moved = false;
    if (list()) {
      list().hidden = true;
      list().textContent = "";
    }
    if (field) field.removeAttribute("aria-activedescendant");
  }
  function say(count) {
    var said = document.getElementById("recipients-said");
    if (said) said.textContent = count ? (count === 1 ? said.dataset.one : said.dataset.many.replace("{count}", count)) : "";
  }
  function mark(place) {
    var all = options();
    all.forEach(function (one, at) { one.setAttribute("aria-selected", at === place ? "true" : "false"); });
    active = place;
    if (place < 0) return field.removeAttribute("aria-activedescendant");
    field.setAttribute("aria-activedescendant", all[place].id);
    all[place].scrollIntoView({ block: "nearest" });
  }

  function ask() {
    var words = item().words, asked = field;
    if (!words) { say(0); return close(); }
    if (asking) asking.abort();
    asking = new AbortController();
    // a plain request: one that finds the session gone must not lead away from the text
    fetch(field.closest("[data-recipients]").dataset.recipients + "?words=" + encodeURIComponent(words), {
      signal: asking.signal, redirect: "manual", credentials: "same-origin",
    }).then(function (answer) { return answer.ok ? answer.text() : ""; }).then(function (html) {
      if (asked !== field || document.activeElement !== field || item().words !== words) return;
      show(html, words);
    }, close);
  }
  function show(html, words) {
    var found = list();
    found.innerHTML = html;
    if (field.name === "people") found.querySelectorAll("[data-group]").forEach(function (one) { one.remove(); });
    field.closest(".compose-row, .field").after(found);
    found.hidden = !options().length;
    moved = false;
    say(options().length);
    mark(!found.hidden && words.indexOf("@") < 0 ? 0 : -1); // a whole address that is being typed is not replaced by Enter
  }
  function pick(option) {
    var place = item(), before = field.value.slice(0, place.start), after = field.value.slice(place.end).replace(/^[,;\s]+/, "");
    before += (before && !/\s$/.test(before) ? " " : "") + option.dataset.entry + (field.name === "people" ? "\n" : ", ");
    field.value = before + after;
    field.setSelectionRange(before.length, before.length);
    close();
    say(0);
    field.dispatchEvent(new Event("input", { bubbles: true })); // it is saved, and the field grows
  }

  // --- somebody is not to be suggested again
  function tell(action, address) {
    var line = document.getElementById("recipients-forgotten"), sent = new URLSearchParams();
    sent.set("csrf_token", field.form.elements.csrf_token.value);
    sent.set("action", action);
    sent.set("address", address);
    return fetch(line.dataset.forget, { method: "POST", body: sent, redirect: "manual", credentials: "same-origin" }).then(function (answer) {
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.text();
    });
  }
  function forget(option) {
    var line = document.getElementById("recipients-forgotten"), place = Array.prototype.indexOf.call(options(), option);
    tell("forget", option.dataset.learned).then(function (html) {
      option.remove();
      list().hidden = !options().length;
      mark(Math.min(place, options().length - 1));
      line.innerHTML = html;
      line.hidden = !html;
      list().after(line);
    }).catch(function () { /* it stays in the list */ });
  }
  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-remember]");
    if (!button || !field) return;
    tell("remember", button.dataset.remember).then(function () {
      button.parentNode.hidden = true;
      field.focus();
      ask();
    }).catch(function () { /* the button is still there */ });
  });

  document.addEventListener("input", function (event) {
    if (!isField(event.target)) return;
    if (field !== event.target) close();
    field = event.target;
    clearTimeout(wait);
    wait = setTimeout(function () { if (field.isConnected && document.activeElement === field) ask(); }, 200);
  });
  document.addEventListener("keydown", function (event) {
    if (event.target !== field || !list() || list().hidden || event.isComposing) return;
    var count = options().length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      var step = event.key === "ArrowDown" ? 1 : -1;
      mark(active < 0 ? (step > 0 ? 0 : count - 1) : (active + step + count) % count);
      moved = true;
    } else if (active >= 0 && (event.key === "Enter" || (event.key === "Tab" && moved && !event.shiftKey))) {
      pick(options()[active]);
      if (event.key === "Tab") return; // and on to the next field
    } else if (event.key === "Delete" && active >= 0 && (moved || event.shiftKey) && options()[active].dataset.learned) {
      forget(options()[active]);
    } else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  document.addEventListener("pointerdown", function (event) { // the field keeps the focus
    if (event.target.closest && event.target.closest("#recipients-found")) event.preventDefault();
  });
  document.addEventListener("mousedown", function (event) {
    if (event.target.closest && event.target.closest("#recipients-found")) event.preventDefault();
  });
  document.addEventListener("click", function (event) {
    var option = event.target.closest && event.target.closest("#recipients-found [role=option]");
    if (option && field && event.target.closest(".forget")) forget(option);
    else if (option && field) pick(option);
  });
  document.addEventListener("focusin", function (event) {
    if (isField(event.target)) {
      event.target.autocomplete = "off"; // the browser's own list would lie over this one
      event.target.setAttribute("aria-autocomplete", "list");
      event.target.setAttribute("aria-haspopup", "listbox");
      event.target.setAttribute("aria-controls", "recipients-found");
    }
    if (field && event.target !== field) close();
  });
  document.addEventListener("focusout", function (event) {
    if (event.target === field) setTimeout(function () { if (document.activeElement !== field) close(); }, 0);
  });
  document.addEventListener("htmx:beforeSwap", function (event) { if (event.detail.target.id === "main") close(); });
  if (isField(document.activeElement)) document.activeElement.dispatchEvent(new Event("focusin", { bubbles: true }));
})();
