/* Files chosen, dropped or pasted while writing: each is sent by itself, with its progress, while the text is typed on. Without
   this file the field for files sends what was chosen. */
(function () {
  "use strict";
  if (window.attaching || !window.htmx) return;
  var SENT = "csrf_token,writer,back,format,identity,action,attachments"; // of the form: never the text
  document.documentElement.classList.add("attaches"); // the plain button too is needless, also where styles can't ask for scripts
  var waiting = [], going = null; // { file, row, form, request, over }

  function busy() { return Boolean(going && going.row.isConnected); } // a page that is left takes nothing more from here
  function form() { return document.querySelector("form.compose-form"); }
  function box() { return document.getElementById("attachments"); }
  function told(key, file) {
    var words = JSON.parse(box().dataset.words)[key];
    return file ? words.replace("{name}", function () { return file.name; }).replace("{size}", function () { return size(file.size); }) : words;
  }
  // webmail/words.py file_size
  function size(count) {
    var french = document.documentElement.lang === "fr", units = french ? ["o", "Ko", "Mo", "Go"] : ["bytes", "KB", "MB", "GB"], at = 0, number;
    if (count === 1) units[0] = french ? "o" : "byte";
    while (count >= 1000 && at < units.length - 1) { count /= 1024; at++; }
    number = !at || count >= 10 ? String(Math.round(count)) : count.toFixed(1).replace(/\.0$/, "");
    return (french ? number.replace(".", ",") : number) + "\u00A0" + units[at];
  }
  function encoded(count) { // webmail/compose/attachments/uploads.py encoded_size
    var signs = Math.ceil(count / 3) * 4;
    return signs + Math.ceil(signs / 76) * 2;
  }
  function room() { // in the message, without what is on its way
    var taken = 4096 + encodeURIComponent(form().querySelector("#body").value.replace(/[\uD800-\uDFFF]/g, "..")).length;
    waiting.concat(busy() ? going : []).forEach(function (one) { taken += encoded(one.file.size); });
    return Number(box().dataset.room) - taken;
  }

  function element(name, attributes, children) {
    var made = document.createElement(name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    (children || []).forEach(function (child) { made.append(child); });
    return made;
  }
  function list() {
    var found = document.getElementById("uploads");
    if (!found) {
      found = element("div", { id: "uploads", class: "compose-files" }, [
        element("p", { role: "status", class: "visually-hidden" }), element("ul", { class: "chips" }),
      ]);
      box().before(found);
    }
    return found;
  }
  function say(words) { list().querySelector("[role=status]").textContent = words; }
  function button(words, label, does) {
    var made = element("button", { type: "button", class: "btn btn-quiet", "aria-label": label }, [words]);
    made.addEventListener("click", does);
    return made;
  }
  // a file that is not here, and why; `again(file)` for what another try may mend
  function refuse(file, words, again) {
    var row = element("li", { class: "chip" }, [element("span", { role: "alert", class: "field-error" }, [words])]);
    if (again) row.append(button(told("again"), told("again") + " " + file.name, function () { row.remove(); again(file); }));
    row.append(button(told("hide"), told("hide") + " " + file.name, function () {
      row.remove();
      document.getElementById("attachments-field").focus();
    }));
    list().querySelector("ul").append(row);
    row.scrollIntoView({ block: "nearest" });
  }

  // "Attach" above the text leads to the field; here it asks for files at once
  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest("form.compose-form a[href='#attachments']");
    if (!link) return;
    event.preventDefault();
    document.getElementById("attachments-field").click();
  });

  // as if typed: the text is saved soon, by itself, and the page notes which draft it is of
  function touch() {
    var field = document.getElementById("attachments-field");
    if (field) field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  function add(files) {
    Array.prototype.forEach.call(files, function (file) {
      if (encoded(file.size) > room()) return box().dataset.links ? link(file) : refuse(file, told("large", file));
      var row = element("li", { class: "chip", "hx-encoding": "multipart/form-data", "hx-params": SENT }, [
        element("span", {}, [file.name + " ", element("span", { class: "muted small" }, [size(file.size)])]),
        element("progress", { max: "1", value: "0", "aria-label": told("sending", file) }),
      ]);
      var one = { file: file, row: row, form: form(), over: false };
      row.append(button(told("cancel"), told("cancelThis", file), function () { cancel(one); }));
      list().querySelector("ul").append(row);
      waiting.push(one);
    });
    touch();
    next();
  }
  // too large for the message: it goes as a link instead, by static/js/compose/links.js
  function link(file) {
    if (window.linking) return linking.add(file);
    var script = element("script", { src: box().dataset.links });
    script.onload = function () { linking.add(file); };
    script.onerror = function () { refuse(file, told("failed", file), link); };
    document.head.append(script);
  }
  function cancel(one) {
    waiting = waiting.filter(function (other) { return other !== one; });
    if (going === one) {
      htmx.trigger(one.row, "htmx:abort");
      end(one);
    }
    one.row.remove();
    say(told("cancelled", one.file));
    document.getElementById("attachments-field").focus();
    next();
  }
  function end(one) {
    one.over = true;
    if (going === one) going = null;
  }
  function next() {
    var one = busy() ? null : waiting.shift();
    if (!one) return;
    if (!one.form.isConnected) return next(); // the form is gone: the page says so elsewhere
    going = one;
    one.row.scrollIntoView({ block: "nearest" });
    htmx.ajax("POST", one.form.getAttribute("action"), {
      source: one.row, target: "#attachments", swap: "outerHTML", values: { action: "attach", attachments: one.file },
    });
  }
  function of(event) { return going && event.detail && event.detail.elt === going.row ? going : null; }

  document.addEventListener("htmx:xhr:progress", function (event) {
    var one = going && event.target === going.row && going, told = event.detail;
    if (!one || !told.lengthComputable || told.total < one.file.size) return; // of the answer, not of the file
    one.row.querySelector("progress").value = told.loaded / told.total;
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    var one = going, told = event.detail, answer = told.serverResponse || "";
    if (!one || !told.requestConfig || told.requestConfig.elt !== one.row) return;
    one.here = told.xhr.status === 200 && answer.indexOf('id="attachments"') >= 0;
    one.refused = !one.here && answer.indexOf('id="attachments-error"') >= 0; // the form says why
    if (!one.here && !one.refused && !told.xhr.getResponseHeader("HX-Retarget")) told.shouldSwap = false; // a page of something in between
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    var one = of(event);
    if (!one || one.over) return;
    end(one);
    one.row.remove();
    if (one.here) say(told("here", one.file));
    else if (!one.refused && form()) refuse(one.file, told("failed", one.file), function (file) { add([file]); });
    touch();
    next();
  });

  window.attaching = { box: box, form: form, told: told, size: size, element: element, list: list, say: say, button: button, refuse: refuse, touch: touch };

  // --- where files come from ---------------------------------------------------------------------------------------------
  document.addEventListener("change", function (event) {
    if (event.target.id !== "attachments-field" || !event.target.files.length) return;
    event.stopPropagation();
    add(Array.from(event.target.files));
    event.target.value = "";
  }, true);
  function hasFiles(event) { return form() && event.dataTransfer && Array.from(event.dataTransfer.types).indexOf("Files") >= 0; }
  function mark(on) {
    form().classList.toggle("compose-drop", on);
    form().dataset.drop = told("drop");
  }
  document.addEventListener("dragover", function (event) { // anywhere on the page: a browser would leave it for the file
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    event.dataTransfer.dropEffect = "copy";
    mark(true);
  }, true);
  document.addEventListener("dragleave", function (event) { if (form() && !event.relatedTarget) mark(false); });
  document.addEventListener("drop", function (event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    mark(false);
    var folders = Array.from(event.dataTransfer.items || []).filter(function (item) { return item.kind === "file"; }).map(function (item) {
      var entry = item.webkitGetAsEntry && item.webkitGetAsEntry();
      return Boolean(entry && entry.isDirectory);
    });
    add(Array.from(event.dataTransfer.files).filter(function (file, at) {
      if (folders[at]) refuse(file, told("folder", file));
      return !folders[at];
    }));
  }, true);
  document.addEventListener("paste", function (event) { // a picture or files, not a text that also has a picture of itself
    var data = event.clipboardData;
    if (!form() || !form().contains(event.target) || !data || !data.files.length || data.getData("text/plain")) return;
    event.preventDefault();
    event.stopPropagation();
    add(Array.from(data.files));
  }, true);

  // --- not without them --------------------------------------------------------------------------------------------------
  document.addEventListener("submit", function (event) {
    var pressed = event.submitter && event.submitter.value;
    if (!busy() || event.target !== form() || /^discard/.test(pressed || "")) return;
    event.preventDefault();
    event.stopPropagation();
    if (!list().querySelector("[data-wait]")) {
      var words = element("span", { role: "alert", class: "field-error" }, [told("wait")]);
      going.row.before(element("li", { class: "chip", "data-wait": "" }, [words]));
    }
    going.row.querySelector("button").focus();
  }, true);
  document.addEventListener("htmx:afterRequest", function () {
    var note = !going && document.querySelector("#uploads [data-wait]");
    if (note) note.remove();
  });
  window.addEventListener("beforeunload", function (event) {
    if (!busy()) return;
    event.preventDefault();
    event.returnValue = "";
  });
})();
