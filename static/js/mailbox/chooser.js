/* The chooser of a folder or of tags, over the list or the message. app.js loads this at the first use; the button's page does the same. */
(function () {
  "use strict";
  var pop = null, opener = null, passing = null, asked = 0;

  function all(selector) { return pop ? Array.prototype.slice.call(pop.querySelectorAll(selector)) : []; }
  function one(selector) { return pop && pop.querySelector(selector); }
  function folded(text) {
    text = text.toLowerCase().replace(/œ/g, "oe").replace(/æ/g, "ae").replace(/ß/g, "ss");
    return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  }

  // --- opening and closing
  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-chooser]");
    if (!button) {
      if (pop && !pop.contains(event.target)) close();
    } else if (button !== passing) {
      event.preventDefault();
      if (pop && opener === handle(button) && pop.dataset.what === button.value) close(true);
      else open(button);
    }
  });
  // what has the focus again afterwards: a button in a menu is out of sight by then
  function handle(button) {
    var menu = button.closest("details");
    return menu ? menu.querySelector("summary") : button;
  }
  function toPage(button) {
    passing = button;
    button.click();
    passing = null;
  }
  function open(button) {
    var form = button.form, data, mine = ++asked;
    close();
    if (opener) opener.removeAttribute("aria-expanded");
    if (!form.querySelector("[name=uids]:checked, [name=uids][type=hidden], [name=all]")) return toPage(button); // it says what to do
    data = new FormData(form);
    data.set("action", button.value);
    opener = handle(button);
    if (opener !== button) opener.parentNode.open = false;
    if (opener === button) opener.setAttribute("aria-expanded", "true"); // a <summary> has states of its own
    fetch(form.getAttribute("action"), {
      method: "POST", credentials: "same-origin", body: data, headers: { "HX-Request": "true", "HX-Target": "chooser" },
    }).then(function (answer) { return answer.text(); }).then(function (html) {
      var page = document.createElement("template"), piece;
      page.innerHTML = html;
      piece = page.content.firstElementChild;
      if (!piece || piece.id !== "chooser") throw new Error("another page");
      if (mine === asked && document.body.contains(opener)) show(piece, button.value);
    }).catch(function () {
      if (mine !== asked) return; // another button was pressed since
      opener.removeAttribute("aria-expanded");
      toPage(button);
    });
  }
  function show(piece, what) {
    var sheet = piece.querySelector("link");
    pop = document.createElement("div");
    pop.className = "chooser-pop";
    pop.dataset.what = what;
    pop.style.visibility = "hidden"; // until its style is there
    sheet.onload = sheet.onerror = function () {
      if (!pop) return;
      place();
      pop.style.visibility = "";
      focusFirst();
    };
    pop.appendChild(piece);
    pop.addEventListener("keydown", typed);
    pop.addEventListener("input", filter);
    pop.addEventListener("click", pressed);
    document.getElementById("main").appendChild(pop);
    if (window.htmx) window.htmx.process(pop);
    dress();
  }
  function close(back) {
    if (!pop) return;
    pop.remove();
    pop = null;
    opener.removeAttribute("aria-expanded");
    if (back) {
      opener.focus();
      document.dispatchEvent(new CustomEvent("chooser:closed"));
    }
  }
  function place() {
    var box = opener.getBoundingClientRect(), wide = document.documentElement.clientWidth;
    if (wide <= 760) return pop.removeAttribute("style"); // its style puts it above the tabs
    pop.style.left = Math.max(8, Math.min(box.left, wide - pop.offsetWidth - 8)) + "px";
    pop.style.top = Math.max(8, Math.min(box.bottom + 4, window.innerHeight - pop.offsetHeight - 8)) + "px";
  }
  window.addEventListener("resize", function () { if (pop) place(); });
  // a name that was refused, or another page
  document.addEventListener("htmx:afterSwap", function (event) {
    if (!pop) return;
    if (!document.body.contains(pop)) { pop = null; return; }
    if (event.detail.target.id !== "chooser") return;
    dress();
    place();
    focusFirst();
  });
  function focusFirst() {
    var field = one("[aria-invalid=true]") || one("[data-filter]") || one(".chooser-list input") || one("input[type=text]") || one("a");
    if (!field) return;
    field.focus();
    if (field.select) field.select();
  }

  // --- the list
  function items() { return all(".chooser-list button, .chooser-list [type=checkbox]").filter(function (item) { return item.offsetParent; }); }
  function words(button) { return button.textContent; }
  function filter() {
    var field = one("[data-filter]"), typed = field ? field.value.trim() : "", parts = folded(typed).split(/\s+/).filter(Boolean), exact = false;
    if (!field) return;
    pop.classList.toggle("is-filtering", parts.length > 0);
    all(".chooser-list li").forEach(function (row) {
      var item = row.querySelector("button, label"), path = item ? words(item) : "", there = folded(path);
      row.hidden = parts.length > 0 && !(item && parts.every(function (part) { return there.indexOf(part) >= 0; }));
      exact = exact || path.toLowerCase() === typed.toLowerCase();
    });
    all("[data-recent]").forEach(function (part) { part.hidden = parts.length > 0; });
    all(".chooser-list ul").forEach(function (list) {
      var title = list.previousElementSibling, empty = !list.querySelector("li:not([hidden])");
      if (title && !list.hasAttribute("data-recent")) title.hidden = empty;
    });
    all(".is-first").forEach(function (item) { item.classList.remove("is-first"); });
    if (parts.length && items().length) items()[0].classList.add("is-first"); // what Enter chooses
    count(parts.length > 0);
    create(typed, exact);
  }
  function count(filtering) {
    var told = one(".chooser-count"), n = items().length;
    if (!told) return;
    told.textContent = !filtering ? "" : !n ? told.dataset.none : n === 1 ? told.dataset.one : told.dataset.many.replace("%s", n);
  }
  function create(typed, exact) {
    var button = one(".chooser-new button");
    if (!button) return;
    button.hidden = exact;
    button.lastElementChild.textContent = typed ? button.dataset.typed.replace("%s", function () { return typed; }) : button.dataset.empty;
  }
  function pressed(event) {
    var button = event.target.closest(".chooser-new button"), field = one("[data-filter]");
    if (event.target.closest("[data-close]")) {
      event.preventDefault();
      event.stopPropagation();
      close(true);
    } else if (button && !field.value.trim()) { // the name is missing: it belongs in the field
      event.preventDefault();
      field.focus();
    }
  }
  function typed(event) {
    var at = event.target, list = items(), here = list.indexOf(at), field = one("[data-filter]"), key = event.key, to = null;
    event.stopPropagation(); // no key of the list behind it
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (key === "Escape") close(true);
    else if (key === "Enter" && at === field) choose(list);
    else if (key === "ArrowDown") to = here < 0 ? (at === field || !field ? list[0] : null) : list[here + 1] || one(".chooser-new button:not([hidden])");
    else if (key === "ArrowUp") to = here < 0 ? (at === field ? null : list[list.length - 1]) : list[here - 1] || field;
    else if (key === "Home" && here >= 0) to = list[0];
    else if (key === "End" && here >= 0) to = list[list.length - 1];
    else if (here >= 0 && field && key.length === 1 && key !== " ") return field.focus(); // the letter goes there
    else return;
    if (/select|textarea/i.test(at.tagName)) return;
    event.preventDefault();
    if (to) to.focus();
  }
  // Enter in the filter: the first folder that fits; where none does, the next Enter makes it
  function choose(list) {
    var button = one(".chooser-new button");
    if (!one("[data-filter]").value.trim()) return list[0] && list[0].focus();
    if (list.length && list[0].tagName === "BUTTON") list[0].click();
    else if (list.length) list[0].focus();
    else if (button) button.focus();
  }

  // --- tags
  function dress() {
    all("select[name=some]").forEach(threeStates);
    var list = one(".ticks"), rows = all(".ticks li");
    if (list && rows.length > 8 && !one("[data-filter]")) {
      var field = document.createElement("input");
      field.type = "text";
      field.setAttribute("data-filter", "");
      field.setAttribute("aria-label", list.parentNode.dataset.filterLabel);
      field.placeholder = list.parentNode.dataset.filterLabel;
      list.parentNode.parentNode.insertBefore(field, list.parentNode);
    }
    filter();
  }
  // a box that is neither: as it is, then on all, then on none
  function threeStates(select) {
    var box = document.createElement("input");
    box.type = "checkbox";
    box.id = select.id;
    select.removeAttribute("id");
    select.hidden = true;
    function draw() {
      box.indeterminate = !select.value;
      box.checked = select.selectedIndex === 1;
    }
    box.addEventListener("click", function () {
      select.selectedIndex = (select.selectedIndex + 1) % 3;
      setTimeout(draw); // the browser sets the box after its own mind before
    });
    draw();
    select.parentNode.insertBefore(box, select.parentNode.firstChild);
  }
})();
