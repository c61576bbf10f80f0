/* Comforts only: every task works without this file. */
(function () {
  "use strict";

  // below Chrome 69, Firefox 62 and Safari 12 htmx can be read, but not run: there it is as if it had not come
  if (!Array.prototype.flat) window.htmx = null;
  // "gap" between what stands in a row is of the same years as "inset", which can be asked for: margins for those before
  if (!window.CSS || !CSS.supports("inset", "0")) {
    var old = document.createElement("link");
    old.rel = "stylesheet";
    old.href = document.querySelector("link[href*='css/base.css']").href.replace(/base\.css.*/, "old.css?v=35cf3290");
    document.head.appendChild(old);
  }

  // "select all on this page", and a range with the shift key
  var CHOSEN = ".list-bar button[name=action]:not([value=readall]):not([value^=group])"; // need a selection
  function rows(form) { return Array.prototype.slice.call(form.querySelectorAll("input[name=uids], input[name=uid]")); }
  function count(form) {
    var n = rows(form).filter(function (one) { return one.checked; }).length;
    form.querySelector(".selected").textContent = n ? form.dataset.selected + " " + n : "";
    form.classList.toggle("ticked", n > 0);
    form.querySelectorAll(CHOSEN).forEach(function (button) { button.disabled = !n; });
    var more = form.querySelector("[data-all-matching]"); // "select all that match" is offered once the page is selected
    var full = n && n === rows(form).length && form.dataset.more;
    if (full && !more) {
      var link = document.createElement("a"), back = form.elements.back.value;
      more = document.createElement("p");
      more.className = "notice notice-plain";
      more.setAttribute("data-all-matching", "");
      link.href = back + (back.indexOf("?") < 0 ? "?" : "&") + "select=all";
      link.textContent = form.dataset.more;
      more.appendChild(link);
      form.querySelector(".selected").after(more);
    }
    if (more) more.hidden = !full;
  }
  function dressList(form) {
    var bar = form.querySelector(".list-bar"), all = document.createElement("input"), told = document.createElement("span");
    if (!rows(form).length || bar.querySelector(".selected")) return;
    all.type = "checkbox";
    all.setAttribute("aria-label", form.dataset.all);
    all.setAttribute("data-select-all", "");
    told.className = "selected muted small";
    told.setAttribute("role", "status");
    bar.insertBefore(document.createElement("label"), bar.firstChild).append(all);
    bar.querySelector(".push").before(told);
    count(form);
  }
  var last = null;
  document.addEventListener("click", function (event) {
    var box = event.target;
    if (box.matches && box.matches("[data-select-all]")) {
      rows(box.form).forEach(function (one) { one.checked = box.checked; });
      count(box.form);
    } else if (box.matches && box.matches("[data-all] [name=uids], [data-all] [name=uid]")) {
      var all = rows(box.form), from = all.indexOf(last), to = all.indexOf(box);
      if (event.shiftKey && from >= 0) {
        all.slice(Math.min(from, to), Math.max(from, to) + 1).forEach(function (one) { one.checked = box.checked; });
      }
      last = box;
      count(box.form);
      bridge(box);
    } else if (box.matches && box.matches("[data-bridge]")) {
      box.form.querySelector(".list-acts button:not(:disabled)").focus();
    }
  });
  // what acts on ticked rows stands before them: after the last that was ticked a button, seen when the keyboard comes to it, leads there
  function bridge(box) {
    var form = box.form, button = form.querySelector("[data-bridge]") || document.createElement("button");
    if (!form.querySelector(".list-acts")) return;
    button.type = "button";
    button.className = "skip";
    button.textContent = form.dataset.acts;
    button.setAttribute("data-bridge", "");
    if (box.checked) box.parentNode.after(button);
    else if (!rows(form).some(function (one) { return one.checked; })) button.remove();
  }

  // menus: the first press outside one only closes it, so does the focus that goes elsewhere; Esc leads back to its button
  var pressed = false; // a press closed a menu: its click must do nothing beneath
  function openMenus(elsewhere) {
    return Array.prototype.filter.call(document.querySelectorAll("details.menu[open]"), function (menu) {
      return !elsewhere || !menu.contains(elsewhere);
    });
  }
  function shut(menu) {
    menu.open = false;
    menu.querySelectorAll(".sub[open]").forEach(shut);
  }
  document.addEventListener("mousedown", function (event) {
    var open = openMenus(event.target);
    pressed = open.length > 0 && !(event.target.closest && event.target.closest(".menu > summary"));
    open.forEach(shut);
  }, true);
  document.addEventListener("click", function (event) {
    if (!pressed) return;
    pressed = false;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  document.addEventListener("focusin", function (event) { openMenus(event.target).forEach(shut); });
  window.addEventListener("blur", function () { if (document.activeElement.tagName === "IFRAME") openMenus().forEach(shut); });
  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest(".menu[open] .pop a"); // also where no new page comes
    if (link) setTimeout(shut, 0, link.closest(".menu"));
  });
  // never off an edge, whatever stands before it
  document.addEventListener("toggle", function (event) {
    var pop = event.target.open && event.target.matches(".menu") && event.target.querySelector(".pop");
    if (!pop) return;
    pop.classList.remove("before");
    if (pop.getBoundingClientRect().right > document.documentElement.clientWidth) pop.classList.add("before");
  }, true);
  // in a menu: arrows, Home and End, and the first letters of an entry
  var letters = "", lettered = 0;
  function entries(menu) {
    var group = menu.querySelector(".sub[open]"), all = (group || menu.querySelector(".pop")).querySelectorAll("a, button, summary");
    return Array.prototype.filter.call(all, function (one) {
      return !one.disabled && one.offsetParent && (group || one.tagName === "SUMMARY" || !one.closest(".sub"));
    });
  }
  function lead(menu, at, key) {
    var list = entries(menu), here = list.indexOf(at), group = at.closest(".sub"), count = list.length;
    if (key.length > 1) lettered = 0; // letters after it begin another word
    if (key === "ArrowDown") return list[(here + 1) % count];
    if (key === "ArrowUp") return list[here < 1 ? count - 1 : here - 1];
    if (key === "Home" || key === "End") return list[key === "Home" ? 0 : count - 1];
    if (group && (key === "ArrowRight" || key === "ArrowLeft")) {
      group.open = key === "ArrowRight";
      return group.open ? entries(menu)[1] : group.querySelector("summary");
    }
    if (key.length !== 1 || key === " ") return null;
    letters = Date.now() - lettered > 700 ? key : letters + key;
    lettered = Date.now();
    if (letters.length < 2) list = list.slice(here + 1).concat(list.slice(0, here + 1)); // the same letter again: the next one
    return list.filter(function (one) { return one.textContent.trim().toLowerCase().indexOf(letters.toLowerCase()) === 0; })[0] || at;
  }
  document.addEventListener("keydown", function (event) {
    var at = event.target, menu = at.closest && at.closest(".menu"), to;
    if (!menu || event.ctrlKey || event.altKey || event.metaKey || at.matches("input, select, textarea")) return;
    if (at.parentNode === menu && /^Arrow(Down|Up)$/.test(event.key)) menu.open = true;
    to = menu.open && lead(menu, at, event.key);
    if (!to) return;
    event.preventDefault(); // nor is it a key of the page's own
    to.focus();
  });
  document.addEventListener("keydown", function (event) {
    pressed = false;
    if (event.key !== "Escape") return;
    openMenus().forEach(function (menu) {
      shut(menu);
      menu.querySelector("summary").focus();
    });
  });
  document.addEventListener("submit", function (event) { // the address may have changed without a new page
    if (event.target.hasAttribute("data-back")) event.target.elements.back.value = location.pathname + location.search;
  });

  // scripts and style sheets that a page needs beside its own, once each and in their order; `then` once they came or could not
  var coming = {};
  function load(list, then) {
    var added = [], left = 0, failed = false;
    if (coming[list]) return then && coming[list].push(then);
    function ended(event) {
      var waiting = coming[list];
      failed = failed || event.type === "error";
      if (--left) return;
      if (failed) added.forEach(function (one) { one.remove(); }); // all are asked for again when they are wanted again
      delete coming[list];
      waiting.forEach(function (act) { act(); });
    }
    if (window.htmx) list.split(" ").forEach(function (part) { // without it pages are whole: nothing may take a plain button's place
      var style = /\.css/.test(part), one = document.createElement(style ? "link" : "script");
      if (document.querySelector("[src='" + part + "'], [href='" + part + "']")) return;
      left = added.push(one);
      one.onload = one.onerror = ended;
      one.rel = "stylesheet";
      one.async = list.indexOf(" ") < 0; // parts of one thing run in their order, and nothing else waits for them
      one[style ? "href" : "src"] = part;
      document.head.appendChild(one);
    });
    if (left) coming[list] = then ? [then] : [];
    else if (then) then();
  }
  window.load = load;
  // what no first view needs: news after a minute (at once where they are pushed), the keys at the first that is pressed
  var later = document.body.dataset;
  if (later.news) setTimeout(load, document.querySelector("[data-push]") ? 1000 : 60000, later.news);
  document.addEventListener("keydown", function first(event) {
    if (event.defaultPrevented || !later.keys || !/^[a-z\/#!?]$/.test(event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    document.removeEventListener("keydown", first);
    event.preventDefault();
    load(later.keys, function () { event.target.dispatchEvent(new KeyboardEvent("keydown", event)); });
  });

  // what the search box may mean, from the first time that it is used on a page
  document.addEventListener("focusin", function (event) {
    var box = event.target, form = box.form;
    if (box.id !== "query" || box.name !== "query" || form.dataset.asked) return;
    form.dataset.asked = "1";
    fetch(form.action.replace(/\/mailbox\/.*/, "/search/suggestions"), { redirect: "manual" }).then(function (answer) {
      return answer.ok ? answer.text() : "";
    }).then(function (html) {
      form.insertAdjacentHTML("beforeend", html);
      dress(form);
    }, function () { /* without it the box searches */ });
  });

  // so does what chooses a folder or tags, at its first use; where it can't, the button leads to the page of it
  document.addEventListener("click", function first(event) {
    var button = event.target.closest && event.target.closest("[data-chooser]");
    if (!button) return;
    document.removeEventListener("click", first);
    event.preventDefault();
    load(button.dataset.chooser, function () { button.click(); });
  });

  function aheadOf() { // what may be opened next: messages and pages of a list
    if (later.ahead && document.readyState === "complete" && document.querySelector("[data-row], #preview")) load(later.ahead);
  }
  window.addEventListener("load", aheadOf);

  if (later.drag && matchMedia("(pointer: fine)").matches) { // rows go to folders with the mouse
    document.addEventListener("mouseover", function first(event) {
      if (!event.target.closest("[data-row]")) return;
      document.removeEventListener("mouseover", first);
      load(later.drag);
    });
  }

  // the frame of an HTML message is as high as what it holds
  function fit(frame) {
    try {
      var page = frame.contentDocument.documentElement;
      frame.style.height = "0";
      frame.style.height = Math.min(Math.max(page.scrollHeight + 4, 80), 30000) + "px";
    } catch (error) {
      frame.style.height = ""; // not readable: it scrolls in its own box
    }
  }
  function dress(root) {
    var heading = root.querySelector("#main h1");
    if (heading) document.getElementById("main").setAttribute("aria-label", heading.textContent.trim()); // where a link leads to
    aheadOf();
    root.querySelectorAll("form[data-all]").forEach(dressList);
    root.querySelectorAll("[data-script]").forEach(function (part) { load(part.dataset.script); }); // what only this page needs
    root.querySelectorAll("[data-message-body] iframe").forEach(function (frame) {
      frame.addEventListener("load", function () { fit(frame); });
      if (frame.contentDocument && frame.contentDocument.readyState === "complete" && frame.contentDocument.body.firstChild) fit(frame);
    });
  }
  var icon = document.querySelector("use[href]");
  function dressIcons() { // Safari before 12.1 knows xlink:href alone, which would weigh in every page
    document.querySelectorAll("use[href]").forEach(function (use) {
      use.setAttributeNS("http://www.w3.org/1999/xlink", "href", use.getAttribute("href"));
    });
  }
  if (icon && !icon.href.baseVal) {
    dressIcons();
    document.addEventListener("htmx:load", dressIcons);
  }
  var resizing;
  window.addEventListener("resize", function () {
    clearTimeout(resizing);
    resizing = setTimeout(function () { document.querySelectorAll("[data-message-body] iframe").forEach(fit); }, 150);
  });
  dress(document);

  // "Back" to what scripts save while it is typed: the browser shows it as it first came, the server knows the last words
  if (performance.navigation.type === 2 && document.querySelector("form.compose-form, #transfer")) location.reload();
  window.addEventListener("pageshow", function () { // the browser may have ticked rows again
    document.querySelectorAll("form[data-all]").forEach(function (form) { if (form.querySelector(".selected")) count(form); });
  });

  // answers bring the folders only where they changed; else they say which links are current
  document.addEventListener("htmx:configRequest", function (event) {
    var bar = document.getElementById("folders");
    if (bar && bar.dataset.shown && !bar.querySelector("#making > *")) event.detail.headers["X-Traboule-Folders"] = bar.dataset.shown;
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    var bar = document.getElementById("folders"), current = event.detail.xhr && event.detail.xhr.getResponseHeader("X-Traboule-Current");
    if (!bar || typeof current !== "string" || event.detail.target.id !== "main") return;
    Array.prototype.forEach.call(bar.querySelectorAll("a"), function (link, place) {
      if (current.split(",").indexOf(String(place)) >= 0) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
  });

  // the same page again (a star, a mark), or a row that is named: stay there, do not jump to the top
  var held = null, place = -1; // the row that had the focus, and where the first one was that something was done to
  var stood = null; // where the page was in its window, which loses its place as that is taken apart
  function order(row) { return Array.prototype.indexOf.call(document.querySelectorAll("#main [data-row]"), row); }
  document.addEventListener("htmx:beforeSwap", function (event) {
    var path = event.detail.pathInfo || {}, row = document.activeElement && document.activeElement.closest("[data-row]");
    var ticked = document.querySelector("#main [data-row] [name=uids]:checked");
    if (event.detail.target.id !== "main") return;
    held = stood = null;
    place = -1;
    if (path.anchor) event.detail.swapOverride = "outerHTML";
    else if ((path.responsePath || "").split("#")[0] === location.pathname + location.search) {
      event.detail.swapOverride = "outerHTML show:none";
      if (scrollY > 0) stood = event.detail.target.getBoundingClientRect().top;
      if (ticked) place = order(ticked.closest("[data-row]"));
      if (row) held = "[data-uid='" + row.dataset.uid + "'] " + (document.activeElement.name ? "[name=" + document.activeElement.name + "]" : "a[id]");
    }
  });
  // htmx takes leave of each element that goes, a tenth of a second on a slow computer: it finds only what leads to the focus
  // and to what asked (it inherits attributes). On the window: the last to hear, when nobody can say any more that nothing goes
  function thin(element, kept) {
    Array.prototype.slice.call(element.children).forEach(function (child) {
      if (child.id === "preview") return; // which may be put back
      if (kept.some(function (one) { return child.contains(one); })) thin(child, kept);
      else element.removeChild(child);
    });
  }
  window.addEventListener("htmx:beforeSwap", function (event) {
    var told = event.detail, late = told.shouldSwap && told.target.querySelector("#others.talk-coming");
    if (late) htmx.trigger(late, "htmx:abort"); // the rest of a discussion would come into another page
    if (told.target.id === "main" && told.shouldSwap && !event.defaultPrevented) thin(told.target, [told.requestConfig.elt, document.activeElement]);
  });
  document.addEventListener("click", function (event) { // past what is said of the page: notices are heard by themselves
    var link = event.target.closest && event.target.closest(".skip[href='#content']"), main = document.getElementById("main");
    if (!link || !main) return;
    event.preventDefault();
    threshold(main).focus();
  });
  // after a page was replaced: prepare it, and tell screen readers by moving the focus: to the row that is next, to the first field
  // that is wrong, to the heading
  function entrance(main) {
    var rows = main.querySelectorAll("[data-row]"), next = place >= 0 && rows.length && rows[Math.min(place, rows.length - 1)];
    return next ? next.querySelector("a[id]") : main.querySelector("[aria-invalid=true]") || threshold(main);
  }
  function threshold(main) {
    var heading = main.querySelector("h1") || main;
    heading.tabIndex = -1;
    heading.style.outline = "0";
    return heading;
  }
  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.detail.target.id === "preview") return dress(document.getElementById("preview"));
    if (event.detail.target.classList.contains("unfolded")) return dress(event.detail.target);
    var main = document.getElementById("main"), same = held && document.querySelector(held);
    if (event.detail.target.id !== "main" || !main) return;
    dress(document); // what stands beside it came with it
    if (stood !== null && !main.querySelector("[aria-invalid=true], [role=alert]")) window.scrollBy(0, main.getBoundingClientRect().top - stood);
    stood = null;
    if (same) same.focus({ preventScroll: true });
    else if (!main.contains(document.activeElement)) entrance(main).focus({ preventScroll: true });
  });

  // the browser's "back" loads the page anew: go where one was
  function keep() {
    try { sessionStorage.setItem("y" + location.pathname + location.search, String(scrollY)); } catch (error) { /* storage is off */ }
  }
  document.addEventListener("htmx:beforeRequest", keep);
  window.addEventListener("pagehide", keep);
  window.addEventListener("popstate", function () {
    try { sessionStorage.setItem("back", "1"); } catch (error) { /* storage is off */ }
  });
  try {
    if (sessionStorage.getItem("back")) {
      sessionStorage.removeItem("back");
      window.scrollTo(0, Number(sessionStorage.getItem("y" + location.pathname + location.search)) || 0);
    }
  } catch (error) { /* storage is off */ }

  // no answer at all: say so, and leave what was typed where it is
  function unanswered(large) {
    var note = document.createElement("div"), box = document.getElementById("notices"), french = document.documentElement.lang === "fr";
    note.className = "notice notice-danger";
    note.setAttribute("role", "alert");
    note.setAttribute("data-unanswered", "");
    if (large) {
      note.textContent = french
        ? "C’est trop volumineux pour le serveur. Choisissez des fichiers plus petits : rien n’est perdu sur cette page."
        : "This is too large for the server. Choose smaller files: nothing on this page is lost.";
    } else {
      note.textContent = french
        ? "Le serveur ne répond pas. Vérifiez votre connexion, puis réessayez : rien n’est perdu sur cette page."
        : "The server does not answer. Check your connection and try again: nothing on this page is lost.";
    }
    box.textContent = "";
    box.appendChild(note);
  }
  document.addEventListener("htmx:sendError", function () { unanswered(false); });
  document.addEventListener("htmx:afterRequest", function (event) {
    var note = document.querySelector("[data-unanswered]"), answer = event.detail.xhr;
    if (note && answer.status && answer.getResponseHeader("Content-Security-Policy")) note.remove();
  });
  // nor does the error page of a proxy in between, which has none of our headers, take the place of what was typed
  document.addEventListener("htmx:beforeSwap", function (event) {
    var answer = event.detail.xhr;
    if (!answer || answer.status < 400 || answer.getResponseHeader("Content-Security-Policy")) return;
    event.detail.shouldSwap = false;
    unanswered(answer.status === 413);
  });
})();
