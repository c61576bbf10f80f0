/* The form of an event: the end follows the beginning, and fields that count for nothing step aside.
   Without this all fields stand there, and an end before the beginning is pointed out when it is saved. */
(function () {
  "use strict";

  var before = null;
  function form() { return document.querySelector("[data-event-form]"); }
  function field(name) { return form().querySelector("[name=" + name + "]"); }
  function idle(element, is) { if (element) element.classList[is ? "add" : "remove"]("idle"); }
  function moment(name) {
    var day = field(name).value, hour = field(name + "_hour").value || "00:00";
    return /^\d{4}-\d\d-\d\d$/.test(day) && /^\d\d:\d\d/.test(hour) ? Date.parse(day + "T" + hour.slice(0, 5) + ":00Z") : NaN;
  }
  function two(number) { return (number < 10 ? "0" : "") + number; }
  function show(name, at) {
    var date = new Date(at);
    field(name).value = date.getUTCFullYear() + "-" + two(date.getUTCMonth() + 1) + "-" + two(date.getUTCDate());
    if (field(name + "_hour").value || !field("all_day").checked)
      field(name + "_hour").value = two(date.getUTCHours()) + ":" + two(date.getUTCMinutes());
  }
  function dress() {
    if (!form()) return;
    form().classList.add("scripted");
    var allDay = field("all_day").checked, repeat = field("repeat").value;
    idle(field("start_hour"), allDay);
    idle(field("end_hour"), allDay);
    idle(form().querySelector(".repeat-more"), !repeat || repeat === "kept");
    idle(form().querySelector(".days:not(.places)"), repeat !== "weekly");
    idle(form().querySelector(".places"), repeat !== "monthly-days");
    before = moment("start");
    if (usual === null) remind();
  }
  // the reminder that new events of the chosen calendar begin with, unless another one was chosen here
  var usual = null;
  function remind() {
    var option = form().querySelector("[name=calendar] option:checked"), first = field("reminder"), offered;
    if (!option || !first) return;
    offered = (option.getAttribute("data-remind") || "/").split("/")[field("all_day").checked ? 1 : 0];
    if (usual !== null && first.value === usual) first.value = offered;
    usual = offered;
  }
  document.addEventListener("change", function (event) {
    if (!form() || !form().contains(event.target)) return;
    if (event.target.name === "calendar" || event.target.name === "all_day") remind();
    var name = event.target.name, start, end;
    if (name === "start" || name === "start_hour") {
      start = moment("start");
      end = moment("end");
      if (!isNaN(before) && before !== null && !isNaN(start) && !isNaN(end) && end >= before) show("end", end + start - before);
    }
    if (name === "all_day" && !event.target.checked && !field("start_hour").value) {
      field("start_hour").value = "09:00";
      field("end_hour").value = "10:00";
    }
    dress();
  });
  document.addEventListener("htmx:afterSettle", function () {
    usual = null; // perhaps another form
    dress();
  });
  dress();
})();
