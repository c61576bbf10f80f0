/* Recipients as people: what a field of addresses holds is shown as chips, and one types beside them. The field stays where it was and
   holds the text that is saved and sent; whatever changes it (a button, an answer of the server) is shown anew. Without this file one
   types into the field itself. */
(function () {
  "use strict";
  if (window.chips) return;
  var narrow = matchMedia("(max-width: 760px)");
  var shown = new WeakMap(); // of each field: { field, box, list, typing, more, words, raws, ours }

  // the addresses before the last separator, and what stands behind it; those within quotes and brackets part nothing
  function split(text) {
    var done = [], start = 0, quoted = false, inside = false;
    for (var at = 0; at < text.length; at++) {
      var mark = text[at];
      if (quoted && mark === "\\") at++;
      else if (mark === '"') quoted = !quoted;
      else if (!quoted && mark === "<") inside = true;
      else if (!quoted && mark === ">") inside = false;
      else if (!quoted && !inside && /[,;\n]/.test(mark)) {
        done.push(text.slice(start, at));
        start = at + 1;
      }
    }
    return { done: clean(done), rest: text.slice(start) };
  }
  function clean(raws) { return raws.map(function (raw) { return raw.replace(/\s+/g, " ").trim(); }).filter(Boolean); }
  function person(raw) {
    var parts = /^(.*?)\s*<([^<>]*)>$/.exec(raw), address = parts ? parts[2].trim() : raw;
    var name = parts ? parts[1].replace(/^"(.*)"$/, "$1").replace(/\\(.)/g, "$1") : "";
    var whole = /^([^\s@<>"]+|"[^"]+")@[^\s@<>.]+(\.[^\s@<>.]+)+$/.test(address);
    return { name: name || address, address: name ? address : "", bad: address.indexOf("@") >= 0 || parts || /[<>]/.test(raw) ? !whole : false };
  }

  function element(name, attributes, children) {
    var made = document.createElement(name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    (children || []).forEach(function (child) { made.append(child); });
    return made;
  }
  function chip(one, raw) {
    var who = person(raw), label = [element("span", {}, [who.name])];
    if (who.bad) label.unshift(element("b", { "aria-hidden": "true" }, ["! "]));
    if (who.address) label.push(" ", element("small", {}, [who.address]));
    if (who.bad) label.push(element("span", { class: "visually-hidden" }, [" (" + one.words.bad + ")"]));
    var title = who.bad ? raw + " · " + one.words.bad : who.address || who.name;
    var gone = one.words.remove.replace("{name}", function () { return who.name; });
    return element("li", { class: "person" + (who.bad ? " person-bad" : "") }, [
      element("button", { type: "button", tabindex: "-1", title: title, "data-chip": "" }, label),
      element("button", { type: "button", tabindex: "-1", "aria-label": gone }, ["×"]),
    ]);
  }
  function draw(one) {
    while (one.list.firstChild) one.list.removeChild(one.list.firstChild);
    one.raws.forEach(function (raw) { one.list.append(chip(one, raw)); });
    fold(one);
  }
  function say(words, name) {
    var said = document.getElementById("recipients-said");
    if (said) said.textContent = words.replace("{name}", function () { return person(name).name; });
  }

  // what is shown goes into the field, as if it were typed there
  function write(one) {
    var text = one.raws.map(function (raw) { return raw + ", "; }).join("") + one.typing.value;
    if (one.field.value === text) return;
    one.field.value = text;
    one.ours = true;
    one.field.dispatchEvent(new Event("input", { bubbles: true }));
    one.ours = false;
  }
  function commit(one) { // all that is typed is an address
    var found = split(one.typing.value + ",").done;
    one.typing.value = "";
    if (!found.length) return;
    one.raws = one.raws.concat(found);
    draw(one);
    write(one);
    say(one.words.added, found[found.length - 1]);
  }
  function remove(one, at) {
    var raw = one.raws.splice(at, 1)[0];
    draw(one);
    write(one);
    say(one.words.removed, raw);
    go(one, Math.min(at, one.raws.length - 1));
  }
  function edit(one, at) {
    commit(one);
    one.typing.value = one.raws.splice(at, 1)[0];
    draw(one);
    one.typing.focus();
    write(one);
  }
  function go(one, at) { // to a chip, or to where one types
    var all = one.list.querySelectorAll("[data-chip]");
    if (at >= 0 && at < all.length) all[at].focus();
    else one.typing.focus();
  }

  // one line of them on telephones, two elsewhere, while nobody is at it; the rest is a number
  function fold(one) {
    var all = Array.prototype.slice.call(one.list.children), left = all.length, limit = narrow.matches ? 1 : 2;
    all.forEach(function (each) { each.hidden = false; });
    one.more.hidden = true;
    one.box.classList.remove("people-folded");
    if (!left || !one.box.offsetParent || one.box.contains(document.activeElement)) return;
    var top = all[0].offsetTop, line = all[0].offsetHeight * 0.9;
    function lines() { return Math.floor((one.typing.offsetTop + one.typing.offsetHeight / 2 - top) / line) + 1; }
    while (left > 1 && lines() > limit) {
      left = left > 40 ? 40 : left - 1;
      all.slice(left).forEach(function (each) { each.hidden = true; });
      one.more.textContent = one.words.more.replace("{count}", all.length - left);
      one.more.hidden = false;
    }
    one.box.classList.toggle("people-folded", left === 1 && limit === 1);
  }

  function render(one, typing) {
    var found = split(one.field.value);
    one.raws = typing ? found.done : clean(found.done.concat(found.rest));
    one.typing.value = typing ? found.rest.trim() : "";
    draw(one);
  }
  function make(field) {
    var row = field.closest(".compose-row"), label = row.querySelector("label"), id = field.id + "-typing";
    var words = JSON.parse(row.closest("[data-words]").dataset.words), at = document.activeElement;
    // a browser that is slow has not given it the focus yet, and then gives it to nobody
    var active = at === field || (field.autofocus && at === document.body);
    var one = {
      field: field, words: words, raws: [], ours: false,
      box: element("div", { class: "people-chosen" }),
      list: element("ul", { role: "list", "aria-label": words.list.replace("{field}", label.textContent) }),
      more: element("button", { type: "button", class: "people-more", "aria-label": words.all, title: words.all }),
      typing: element("input", { id: id, "data-of": field.name, "aria-description": words.keys, size: "12", autocomplete: "off" }),
    };
    ["autocapitalize", "spellcheck", "inputmode", "autofocus", "aria-invalid", "aria-describedby"].forEach(function (name) {
      if (field.hasAttribute(name)) one.typing.setAttribute(name, field.getAttribute(name));
    });
    one.box.append(one.list, one.more, one.typing);
    label.htmlFor = id;
    field.removeAttribute("autofocus");
    field.classList.add("held");
    field.tabIndex = -1;
    field.setAttribute("aria-hidden", "true");
    field.before(one.box);
    shown.set(field, one);
    render(one, active);
    listen(one);
    if (active) one.typing.focus({ preventScroll: true });
  }
  function listen(one) {
    one.field.addEventListener("input", function () { if (!one.ours) render(one, false); });
    one.typing.addEventListener("input", function () {
      var found = split(one.typing.value);
      if (found.done.length || found.rest !== one.typing.value) {
        one.raws = one.raws.concat(found.done);
        one.typing.value = found.rest.replace(/^\s+/, "");
        draw(one);
        if (found.done.length) say(one.words.added, found.done[found.done.length - 1]);
      }
      write(one);
    });
    one.typing.addEventListener("paste", function (event) { // a list: each is one
      var text = event.clipboardData ? event.clipboardData.getData("text/plain") : "";
      if (!/[,;\n]/.test(text.trim()) || text.indexOf("@") < 0) return;
      event.preventDefault();
      one.typing.value = one.typing.value.slice(0, one.typing.selectionStart) + text.trim().replace(/[\r\n]+/g, ", ")
        + one.typing.value.slice(one.typing.selectionEnd);
      commit(one);
    });
    one.typing.addEventListener("keydown", function (event) {
      var first = !one.typing.selectionStart && !one.typing.selectionEnd;
      if (event.isComposing) return;
      if (event.key === "Enter" && one.typing.value.trim()) commit(one);
      else if (first && one.raws.length && (event.key === "Backspace" || event.key === "ArrowLeft")) go(one, one.raws.length - 1);
      else return;
      event.preventDefault();
    });
    one.list.addEventListener("keydown", function (event) {
      var all = Array.prototype.slice.call(one.list.children), at = all.indexOf(event.target.closest("li")), last = all.length - 1;
      if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
      event.stopPropagation(); // no key of the page's own
      if (event.key === "Delete" || event.key === "Backspace") remove(one, at);
      else if (event.key === "Enter") edit(one, at);
      else if (event.key === "ArrowLeft") go(one, Math.max(at - 1, 0));
      else if (event.key === "ArrowRight") go(one, at === last ? -1 : at + 1);
      else if (event.key === "Home" || event.key === "End") go(one, event.key === "Home" ? 0 : -1);
      else if (event.key === "Escape") one.typing.focus();
      else {
        if (event.key.length === 1 && event.key !== " ") one.typing.focus(); // and it is typed there
        return;
      }
      event.preventDefault();
    });
    one.box.addEventListener("mousedown", function (event) { // the blank beside them is where one types
      if (event.target.closest(".person > :last-child")) return event.preventDefault(); // nothing moves under the pointer
      if (event.target !== one.box && event.target !== one.list) return;
      event.preventDefault();
      one.typing.focus();
    });
    one.box.addEventListener("click", function (event) {
      var button = event.target.closest("button"), at = button ? Array.prototype.indexOf.call(one.list.children, button.closest("li")) : -1;
      if (button === one.more) one.typing.focus();
      else if (at >= 0 && button.hasAttribute("data-chip")) button.focus();
      else if (at >= 0) {
        remove(one, at);
        if (narrow.matches) document.activeElement.blur(); // no keyboard over the page for that
      }
    });
    one.box.addEventListener("dblclick", function (event) {
      var found = event.target.closest("[data-chip]");
      if (found) edit(one, Array.prototype.indexOf.call(one.list.children, found.closest("li")));
    });
    one.box.addEventListener("focusin", function () { if (!one.more.hidden) fold(one); });
    one.box.addEventListener("focusout", function () {
      setTimeout(function () {
        if (!one.box.isConnected || one.box.contains(document.activeElement) || !document.hasFocus()) return;
        commit(one);
        fold(one);
      }, 0);
    });
  }

  function all() {
    return Array.prototype.slice.call(document.querySelectorAll(".compose-row[data-people] [name]")).filter(function (field) { return field.form; });
  }
  function dress() { all().forEach(function (field) { if (field.id && !shown.has(field)) make(field); }); }
  function foldAll() { all().forEach(function (field) { if (shown.has(field)) fold(shown.get(field)); }); }
  /* For compose/form.js: a field was given another text; and the one that somebody types in is to have its last words again. */
  function renew(field) { if (shown.has(field)) render(shown.get(field), false); }
  function resume(typing, words) {
    var field = document.getElementById(typing.id.replace(/-typing$/, "")), one = shown.get(field);
    if (!one || !words.trim() || one.raws[one.raws.length - 1] !== words.trim()) return;
    one.raws.pop();
    one.typing.value = words;
    draw(one);
  }

  window.chips = { dress: dress, renew: renew, resume: resume };
  window.addEventListener("resize", foldAll);
  document.addEventListener("toggle", function (event) { // "Cc, Bcc" was opened: whoever does so writes there
    var opened = event.target.matches && event.target.matches(".compose-whom > details[open]") && event.target;
    if (!opened) return;
    foldAll();
    if (document.activeElement === opened.querySelector("summary")) opened.querySelector("input[data-of]").focus();
  }, true);
  document.addEventListener("htmx:afterSwap", dress);
  document.addEventListener("htmx:afterSettle", function () { // which took the class away again, where a field of this name was before
    all().forEach(function (field) { if (shown.has(field)) field.classList.add("held"); });
  });
  dress();
})();
