/* Dragging events with a mouse: in a month to another day, between the hours to another time, by the lower edge to another length.
   The form of the event does the same. */
(function () {
  "use strict";
  if (!window.matchMedia || !matchMedia("(pointer: fine)").matches) return;
  var STEP = 15, held = null, dragged = null, marked = null, moved = false;

  function one(selector, root) { return (root || document).querySelector(selector); }
  function two(number) { return (number < 10 ? "0" : "") + number; }
  function day(link) { return link && link.getAttribute("href").slice(-10); }
  function clock(minutes) { return two(Math.floor(minutes / 60)) + ":" + two(minutes % 60); }
  function may(link) { return link && link.hasAttribute("href") && !link.closest(".ro, .from, .goes"); }
  function number(item, letter) {
    var found = new RegExp("(?:^| )" + letter + "(\\d+)(?: |$)").exec(item.className);
    return found ? Number(found[1]) : 0;
  }

  function send(link, fields) {
    var form = document.createElement("form"), token = one("[name=csrf_token]"), at = /[?&]at=([^&]*)/.exec(link.search);
    if (!token) return;
    fields.csrf_token = token.value;
    fields.back = location.pathname + location.search;
    if (link.dataset.rev) fields.revision = link.dataset.rev;
    if (at) fields.at = decodeURIComponent(at[1]);
    form.method = "post";
    form.action = link.pathname + "/times";
    form.hidden = true;
    Object.keys(fields).forEach(function (name) {
      var input = document.createElement("input");
      input.name = name;
      input.value = fields[name];
      form.appendChild(input);
    });
    document.body.appendChild(form);
    if (window.htmx) window.htmx.process(form);
    var asked = document.createEvent("Event"); // not a click: the one that ends the dragging is passed over
    asked.initEvent("submit", true, true);
    if (form.dispatchEvent(asked)) form.submit();
    setTimeout(function () { form.remove(); }, 0);
  }

  // --- a month: to another day, at the same time
  function cell(event) { return event.target.closest && event.target.closest(".cal-month td"); }
  function mark(place) {
    if (marked && marked !== place) marked.style.outline = "";
    marked = place;
    if (place) place.style.outline = "2px solid var(--focus)";
  }
  document.addEventListener("dragstart", function (event) {
    var link = event.target.closest && event.target.closest("[data-event]");
    if (held) return event.preventDefault(); // the empty hour from which it was moved away
    if (!link) return;
    if (link.closest(".grid, .whole")) return event.preventDefault();
    if (!may(link) || !cell(event) || /^\u2192/.test(link.textContent.trim())) return event.preventDefault();
    dragged = link;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", link.textContent.trim());
  });
  document.addEventListener("dragover", function (event) {
    if (!dragged) return;
    mark(cell(event));
    if (cell(event)) event.preventDefault();
  });
  document.addEventListener("drop", function (event) {
    var place = dragged && cell(event), to;
    if (!place) return;
    event.preventDefault();
    to = day(one(".n", place));
    if (to !== day(one(".n", dragged.closest("td")))) send(dragged, { start: to });
  });
  document.addEventListener("dragend", function () {
    mark(null);
    dragged = null;
  });

  // --- between the hours
  document.addEventListener("mousedown", function (event) {
    var link = event.target.closest && event.target.closest(".grid [data-event]"), item = link && link.parentNode, grid, box;
    moved = false;
    if (!may(link) || event.button || getComputedStyle(item.parentNode).display !== "grid") return;
    grid = item.parentNode;
    box = item.getBoundingClientRect();
    held = {
      link: link, item: item, x: event.clientX, y: event.clientY, top: box.top, height: box.height, stretch: box.bottom - event.clientY < 7,
      scale: grid.getBoundingClientRect().height / (number(grid, "n") * 60),
      start: number(item, "h") * 60 + number(item, "m") * 5, length: number(item, "k") * 60 + number(item, "l") * 5
    };
  });
  function first() { // the hour at the top
    return parseInt(one(".scale [data-hour]").dataset.hour, 10) * 60;
  }
  function snapped(event) { return Math.round((event.clientY - held.y) / held.scale / STEP) * STEP; }
  document.addEventListener("mousemove", function (event) {
    var by;
    if (!held) return;
    if (!moved && Math.abs(event.clientX - held.x) + Math.abs(event.clientY - held.y) < 6) return;
    moved = true;
    event.preventDefault();
    by = snapped(event);
    held.item.style.zIndex = "5";
    held.link.style.opacity = ".8";
    if (held.stretch) held.link.style.height = Math.max(held.height + by * held.scale, 12) + "px";
    else held.item.style.transform = "translate(" + (event.clientX - held.x) + "px, " + by * held.scale + "px)";
  });
  function let_go() {
    if (!held) return;
    held.item.style.transform = held.item.style.zIndex = held.link.style.opacity = held.link.style.height = "";
    held = null;
  }
  document.addEventListener("mouseup", function (event) {
    var by, start, under, to, fields, cells, begins;
    if (!held || !moved) return let_go();
    by = snapped(event);
    cells = Array.prototype.slice.call(held.item.closest("tr").children);
    under = cells.filter(function (one_cell) {
      var box = one_cell.getBoundingClientRect();
      return event.clientX >= box.left && event.clientX < box.right;
    })[0];
    if (held.stretch || !under || under.className.indexOf("hh") >= 0) under = held.item.closest("td");
    to = day(one("thead th:nth-child(" + (cells.indexOf(under) + 1) + ") a", held.item.closest("table")));
    begins = first() + held.start;
    start = held.stretch ? begins : Math.min(Math.max(begins + by, 0), 24 * 60 - 5);
    fields = { start: to + "T" + clock(start) };
    if (held.stretch) fields.end = to + "T" + clock(Math.min(begins + Math.max(held.length + by, STEP), 24 * 60 - 5));
    if (by || under !== held.item.closest("td")) send(held.link, fields);
    let_go();
  });
  document.addEventListener("click", function (event) { // what was dragged is not opened
    if (!moved) return;
    moved = false;
    if (event.target.closest && event.target.closest("[data-event]")) {
      event.preventDefault();
      event.stopPropagation();
    }
  }, true);
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && held) {
      let_go();
      moved = true;
    }
  });
})();
