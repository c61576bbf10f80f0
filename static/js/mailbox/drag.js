/* Dragging messages to a folder beside the list, with a mouse. app.js loads this with the first row under a fine pointer; Move… does the same. */
(function () {
  "use strict";
  var dragged = null, badge = null, marked = null;

  function one(selector) { return document.querySelector(selector); }
  function form() { return one("form.messages"); }
  function may(what) { return form().querySelector("button[value=" + what + "]"); }

  // a row may be dragged once the mouse is pressed on it: until then its text is text
  document.addEventListener("mousedown", function (event) {
    var row = event.target.closest && event.target.closest("[data-row]");
    if (row && form() && form().contains(row) && (may("moveto") || may("copyto"))) row.draggable = !event.target.closest("input, button");
  });
  document.addEventListener("dragstart", function (event) {
    var row = event.target.closest && event.target.closest("[data-row][draggable=true]");
    if (!row) return;
    var boxes = row.querySelector(":checked") ? form().querySelectorAll("[name=uids]:checked") : row.querySelectorAll("[name=uids]");
    dragged = {
      uids: Array.prototype.map.call(boxes, function (box) { return box.value; }),
      everything: row.querySelector(":checked") && form().elements.all ? ["all", "matching", "scope"] : [],
    };
    event.dataTransfer.effectAllowed = may("moveto") ? (may("copyto") ? "copyMove" : "move") : "copy";
    event.dataTransfer.setData("text/plain", row.querySelector(".s a[id]").textContent);
    badge = document.createElement("div");
    badge.className = "btn btn-primary";
    badge.style.position = "fixed";
    badge.style.top = "-100px";
    badge.textContent = row.querySelector(".s a[id]").textContent.slice(0, 40);
    if (boxes.length > 1 || dragged.everything.length) badge.textContent = one(".selected") ? one(".selected").textContent : String(boxes.length);
    document.body.appendChild(badge);
    event.dataTransfer.setDragImage(badge, -12, -8);
  });

  // --- the folder under the pointer
  function folder(event) {
    var link = event.target.closest && event.target.closest("#folders a[href*='/mailbox/']");
    return dragged && link && !link.search ? link : null;
  }
  function name(link) {
    return decodeURIComponent(link.pathname.replace(/^.*?\/mailbox\//, "")); // the first: a folder may be called so too
  }
  function takes(link) {
    var elsewhere = dragged.uids.some(function (uid) { return uid.indexOf(".") >= 0; }); // results of several folders
    return !link.hasAttribute("data-closed") && (elsewhere || link.getAttribute("aria-current") !== "page");
  }
  function how(event) {
    return (event.ctrlKey || event.altKey || !may("moveto")) && may("copyto") ? "copy" : "move";
  }
  function mark(link) {
    if (marked && marked !== link) marked.style.outline = marked.style.background = "";
    marked = link;
    if (link) {
      link.style.outline = "2px solid var(--focus)";
      link.style.background = "var(--soft)";
    }
  }
  document.addEventListener("dragover", function (event) {
    var link = folder(event);
    if (!dragged) return;
    mark(link && takes(link) ? link : null);
    if (!link) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = takes(link) ? how(event) : "none";
  });
  document.addEventListener("drop", function (event) {
    var link = folder(event);
    if (!link) return;
    event.preventDefault();
    if (takes(link)) send(how(event) + ":" + name(link));
  });
  document.addEventListener("dragend", function () {
    mark(null);
    if (badge) badge.remove();
    dragged = badge = null;
  });

  // the same form that the chooser sends
  function send(action) {
    var from = form(), to = document.createElement("form"), button = document.createElement("button");
    function add(name, value) {
      var field = document.createElement("input");
      field.type = "hidden";
      field.name = name;
      field.value = value;
      to.appendChild(field);
    }
    to.method = "post";
    to.setAttribute("action", from.getAttribute("action"));
    to.hidden = true;
    ["csrf_token", "v", "back"].concat(dragged.everything).forEach(function (name) {
      if (from.elements[name]) add(name, from.elements[name].value);
    });
    if (!dragged.everything.length) dragged.uids.forEach(function (uid) { add("uids", uid); });
    button.name = "action";
    button.value = action;
    to.appendChild(button);
    document.getElementById("main").appendChild(to);
    if (window.htmx) window.htmx.process(to);
    button.click();
  }
})();
