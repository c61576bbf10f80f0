/* Panes: messages open below the list or beside it, under one toolbar, and a separator shares the room. app.js loads this where a
   person wants panes; without it, and where the screen is too small, messages open on their own page. */
(function () {
  "use strict";
  var LEAST = 25, MOST = 70, STEP = 5; // percent of the page that the list has
  var open = null; // {uid, mailbox, path} of the message in the pane
  var kept = null; // what was there when the page began to be replaced; {} if nothing was open

  function main() { return document.querySelector("main.panes"); }
  function visible() { return Boolean(main()) && getComputedStyle(main()).display === "grid"; }
  function preview() { return document.getElementById("preview"); }
  function rows() { return Array.prototype.slice.call(document.querySelectorAll("[data-row]")).map(about); }

  // --- which row is which message
  function named(path) {
    var parts = /\/message\/(\d+)\/([^?#]*)/.exec(path || "");
    return parts && { uid: parts[1], mailbox: decodeURIComponent(parts[2]), path: path };
  }
  function about(row) { // a row may stand for the messages of a conversation
    var link = row.querySelector("a[id]"), box = row.querySelector("input[name=uids]"), first = named(link.getAttribute("href"));
    var uids = box.value.split(".")[0].split(",");
    return { row: row, link: link, mailbox: first ? first.mailbox : "", uids: first ? uids.concat(first.uid) : uids };
  }
  function is(row, message) {
    return row.mailbox === message.mailbox && message.uids.some(function (uid) { return row.uids.indexOf(uid) >= 0; });
  }
  function opened() {
    return open && rows().filter(function (row) { return is(row, { mailbox: open.mailbox, uids: [open.uid] }); })[0];
  }

  // --- dressing the page
  function opensHere(link, here) {
    [["hx-target", "#preview"], ["hx-swap", "outerHTML"], ["hx-push-url", "false"]].forEach(function (pair) {
      if (here) link.setAttribute(pair[0], pair[1]);
      else link.removeAttribute(pair[0]);
    });
  }
  function dress() {
    var here = visible(), links = document.querySelectorAll("main.panes .list a[id], main.panes #preview article a[href]:not([target])");
    Array.prototype.forEach.call(links, function (link) { opensHere(link, here && named(link.getAttribute("href"))); });
    Array.prototype.forEach.call(document.querySelectorAll("main.panes #preview article form"), function (form) {
      opensHere(form, here && !/\/report\//.test(form.getAttribute("action"))); // what is reported leaves the list
    });
    separate();
    toolbar();
  }
  // one toolbar: that of the message, unless rows are ticked
  function toolbar() {
    var pane = main();
    if (!pane) return;
    var ticked = pane.querySelector("#messages input[name=uids]:checked");
    document.body.classList.toggle("reads", Boolean(preview() && preview().querySelector("article")) && !ticked);
  }
  function mark() {
    var now = opened(), word = now && now.row.querySelector(".w > .visually-hidden");
    rows().forEach(function (each) { each.row.removeAttribute("aria-current"); });
    if (!now) return;
    now.row.setAttribute("aria-current", "true");
    now.row.classList.remove("u");
    if (word) { // "Unread"
      word.remove();
      lower(now.mailbox);
    }
    now.row.scrollIntoView({ block: "nearest" });
  }
  // one unread message less beside the list, until an answer brings the folders as the server counts them
  function lower(mailbox) {
    var bar = document.getElementById("folders");
    Array.prototype.forEach.call(bar.querySelectorAll("a[href*='/mailbox/']"), function (link) {
      var count = link.querySelector("b"), left = count && Number(count.textContent) - 1, label = link.getAttribute("aria-label");
      if (link.search || !count || decodeURIComponent(link.pathname.replace(/^.*?\/mailbox\//, "")) !== mailbox) return;
      count.textContent = left;
      if (left < 1) count.remove();
      if (left < 2) link.removeAttribute("aria-label");
      else if (label) link.setAttribute("aria-label", label.replace(/\d+(?=\D*$)/, left));
    });
    bar.removeAttribute("data-shown");
  }
  function show(path) {
    htmx.ajax("GET", path, { source: preview(), target: "#preview", swap: "outerHTML" });
  }

  // --- a message came into the pane, or something that is none: a page, then
  document.addEventListener("htmx:beforeSwap", function (event) {
    var detail = event.detail, answer = detail.xhr;
    if (detail.target.id !== "preview" || !/^\s*<!doctype/i.test(answer.responseText)) return;
    if (detail.requestConfig.verb !== "get" && answer.getResponseHeader("Content-Security-Policy")) { // a form's: it can't be asked for again
      detail.target = main();
      detail.selectOverride = "#main";
      detail.swapOverride = "outerHTML show:window:top";
      return;
    }
    detail.shouldSwap = false;
    if (answer.getResponseHeader("Content-Security-Policy")) location.href = answer.responseURL;
  });
  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.detail.target.id !== "preview") return;
    var path = event.detail.pathInfo;
    open = named(path.responsePath) || named(path.finalRequestPath || path.requestPath);
    mark();
    dress();
  });

  // --- the list is replaced: what was open stays so, or makes way for the next
  document.addEventListener("htmx:beforeSwap", function (event) {
    var detail = event.detail, config = detail.requestConfig || {}, path = (detail.pathInfo && detail.pathInfo.responsePath) || "";
    if (detail.target.id !== "main") return;
    kept = {};
    if (!open || !visible() || path.split(/[?#]/)[0] !== location.pathname) return;
    var form = config.formData, star = form && form.get("star"), uids = form ? form.getAll("uids") : [];
    var touched = star ? [star.split(":")[1]] : uids;
    kept = {
      pane: preview(), rows: rows(), at: rows().map(function (row) { return row.row; }).indexOf((opened() || {}).row),
      acts: config.verb === "post", action: star ? "star" : form && form.get("action"),
      touched: config.verb === "post" && touched.some(function (value) {
        return value.split(".")[0].split(",").indexOf(open.uid) >= 0;
      }),
      focus: !document.activeElement.closest("#messages [data-row]"),
      list: main().querySelector(".rows").scrollTop, text: preview().querySelector("article").scrollTop,
    };
  });
  document.addEventListener("htmx:afterSwap", function (event) {
    var before = kept;
    if (event.detail.target.id !== "main" || !before) return; // it is said again for each piece that came along
    kept = null;
    if (!before.pane || !visible()) open = null;
    else restore(before);
    dress();
  });
  function restore(before) {
    var now = opened(), next = now || !before.acts ? null : follower(before);
    document.querySelector(".rows").scrollTop = before.list;
    if (!now && !next || now && before.touched && before.action === "unread") {
      open = null;
      return;
    }
    if (now) putBack(before);
    if (next) show(next.link.getAttribute("href"));
    else if (before.touched) show(open.path);
    var row = now || next;
    if (before.acts && before.focus) row.link.focus({ preventScroll: true });
    row.row.scrollIntoView({ block: "nearest" });
  }
  function follower(before) { // the first below it that is still there, else the last above it
    var there = rows(), order = before.rows.slice(before.at + 1).concat(before.rows.slice(0, Math.max(before.at, 0)).reverse());
    return order.map(function (old) {
      return there.filter(function (row) { return named(row.link.getAttribute("href")) && is(row, old); })[0];
    }).filter(Boolean)[0];
  }
  function putBack(before) {
    preview().replaceWith(before.pane);
    htmx.process(before.pane);
    before.pane.querySelector("article").scrollTop = before.text;
    mark();
  }

  // --- the separator
  function separator() { return document.querySelector("main.panes > .split"); }
  function below() { return main().classList.contains("panes-below"); }
  function name() { return below() ? "list-below" : "list-right"; }
  function remembered(value) {
    try {
      if (value === undefined) return Number(localStorage.getItem(name())) || 0;
      if (value) localStorage.setItem(name(), value);
      else localStorage.removeItem(name());
    } catch (error) { /* storage is off */ }
    return value || 0;
  }
  function share() { // what the list has now
    var list = document.querySelector("main.panes .rows").getBoundingClientRect(), all = main().getBoundingClientRect();
    return Math.round(below() ? 100 * list.height / all.height : 100 * list.width / all.width);
  }
  function resize(percent) {
    document.documentElement.style.setProperty("--" + name(), Math.min(Math.max(percent, LEAST), MOST) + "%"); // <main> is replaced
    told();
  }
  function told() { separator().setAttribute("aria-valuenow", Math.min(Math.max(share(), LEAST), MOST)); }
  function separate() {
    var here = separator(), size;
    if (!here || !visible()) return;
    here.setAttribute("aria-valuemin", LEAST);
    here.setAttribute("aria-valuemax", MOST);
    size = remembered();
    if (size) resize(size);
    else told();
  }
  function settle() { remembered(Number(separator().getAttribute("aria-valuenow"))); }
  function under(event) { return event.target.closest && event.target.closest("main.panes > .split"); }
  function toPointer(event) {
    var all = main().getBoundingClientRect(), top = document.querySelector("main.panes .rows").getBoundingClientRect().top;
    resize(below() ? 100 * (event.clientY - 4 - top) / all.height : 100 * (event.clientX - 4 - all.left) / all.width);
  }
  document.addEventListener("pointerdown", function (event) {
    var here = under(event);
    if (!here || event.button) return;
    here.focus();
    here.setPointerCapture(event.pointerId);
    here.addEventListener("pointermove", toPointer);
    here.addEventListener("lostpointercapture", function () {
      here.removeEventListener("pointermove", toPointer);
      if (here.isConnected) settle();
    }, { once: true });
  });
  document.addEventListener("mousedown", function (event) { // else the browser drags the row that comes under the pointer
    if (under(event)) event.preventDefault();
  });
  document.addEventListener("dblclick", function (event) {
    if (!under(event)) return;
    remembered(0);
    document.documentElement.style.removeProperty("--" + name());
    told();
  });
  document.addEventListener("keydown", function (event) {
    if (!under(event) || event.ctrlKey || event.altKey || event.metaKey) return;
    var now = Number(separator().getAttribute("aria-valuenow"));
    var to = { ArrowUp: now - STEP, ArrowLeft: now - STEP, ArrowDown: now + STEP, ArrowRight: now + STEP, Home: LEAST, End: MOST };
    if (!(event.key in to)) return;
    event.preventDefault();
    resize(to[event.key]);
    settle();
  });

  document.addEventListener("click", toolbar); // after app.js: ticks
  window.addEventListener("resize", dress);
  dress();
})();
