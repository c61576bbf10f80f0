/* Large files of a message: sent to where links keep them (tus 1.0), in pieces that go on after a lost line, while the text is
   written on, and after "Send" too: the message waits for them. Fetched by attach.js when the first is chosen. */
(function () {
  "use strict";
  if (window.linking || !window.attaching) return;
  var PIECE = 8 * 1024 * 1024, WAITS = [1, 2, 5, 10, 20, 30]; // seconds before another try; the last one repeats
  var waiting = [], going = null, at = window.attaching; // { file, row, action, address, offset, request, tries, over }

  function here(one) { // its form is on the page
    var form = at.form();
    return Boolean(form) && form.getAttribute("action") === one.action;
  }
  function token() {
    var field = document.querySelector("[name=csrf_token]");
    return field ? field.value : "";
  }
  function coded(text) { // Base64 of UTF-8
    return btoa(unescape(encodeURIComponent(text)));
  }
  function request(method, address, headers, body, done, progress) {
    var asked = new XMLHttpRequest();
    asked.open(method, address);
    headers["Tus-Resumable"] = "1.0.0";
    headers["X-CSRFToken"] = token();
    Object.keys(headers).forEach(function (name) { asked.setRequestHeader(name, headers[name]); });
    if (progress) asked.upload.onprogress = function (event) { progress(event.loaded); };
    asked.onloadend = function () { done(asked); };
    asked.send(body);
    return asked;
  }

  function add(file) {
    var form = at.form();
    if (!form) return;
    var one = { file: file, action: form.getAttribute("action"), address: "", offset: 0, request: null, tries: 0, over: false };
    one.row = at.element("li", { class: "chip" }, [
      at.element("span", {}, [file.name + " ", at.element("span", { class: "muted small" }, [at.told("large", file)])]),
      at.element("progress", { max: "1", value: "0", "aria-label": at.told("sending", file) }),
      at.button(at.told("cancel"), at.told("cancelThis", file), function () { cancel(one); }),
    ]);
    waiting.push(one);
    show();
    at.say(file.name + " " + at.told("large", file));
    one.row.scrollIntoView({ block: "nearest" });
    at.touch();
    next();
  }
  function show() { // what is on its way has its row here alone, whatever the server answered in between
    waiting.concat(going || []).forEach(function (one) {
      if (!here(one)) return;
      if (!one.row.isConnected) at.list().querySelector("ul").append(one.row);
      var twin = one.address && document.querySelector("[data-upload='" + one.address.split("/").pop() + "']");
      if (twin) twin.remove();
    });
  }
  function tell(one, count) { one.row.querySelector("progress").value = one.file.size ? count / one.file.size : 1; }

  function next() {
    if (going || !waiting.length) return;
    going = waiting.shift();
    begin(going);
  }
  function begin(one) {
    var before = here(one) && Array.prototype.find.call(document.querySelectorAll("[data-upload][data-name]"), function (item) {
      return item.dataset.name === one.file.name && Number(item.dataset.size) === one.file.size;
    });
    if (before) { // begun on another day, or before the page was loaded anew
      one.address = at.box().dataset.uploads.replace(/\?.*/, "") + "/" + before.dataset.upload;
      show();
      return look(one);
    }
    if (here(one) && at.box().dataset.uploads) return create(one, at.box().dataset.uploads);
    refresh(one, function () {
      var uploads = here(one) && at.box().dataset.uploads;
      if (uploads) create(one, uploads);
      else if (here(one) && document.getElementById("attachments-error")) over(one); // the form says why
      else again(one, begin);
    });
  }
  // the list of files as the server knows it; the draft has a place for large ones from then on
  function refresh(one, then) {
    if (!here(one)) return then();
    var source = at.list().querySelector("[role=status]");
    source.setAttribute("hx-params", "csrf_token,writer,back,format,identity,action"); // never the text
    var asked = htmx.ajax("POST", one.action, { source: source, target: "#attachments", swap: "outerHTML", values: { action: "links" } });
    asked.then(function () { show(); then(); }, then);
  }
  function create(one, uploads) {
    var told = "filename " + coded(one.file.name) + (one.file.type ? ",filetype " + coded(one.file.type) : "");
    one.request = request("POST", uploads, { "Upload-Length": String(one.file.size), "Upload-Metadata": told }, null, function (asked) {
      if (one.over) return;
      if (asked.status !== 201) return failed(one, asked, begin);
      one.address = asked.getResponseHeader("Location");
      on(one, asked);
    });
  }
  function look(one) { // how far it is
    one.request = request("HEAD", one.address, {}, null, function (asked) {
      if (one.over) return;
      if (asked.status !== 200) return failed(one, asked, look);
      on(one, asked);
    });
  }
  function on(one, asked) { // from where the server has it, at once or when it says
    one.offset = Number(asked.getResponseHeader("Upload-Offset"));
    if (told(asked) && one.offset < one.file.size) again(one, look, told(asked));
    else send(one);
  }
  function told(asked) { return Number(asked.getResponseHeader("Retry-After")); }
  function send(one) {
    var from = one.offset, headers = { "Upload-Offset": String(from), "Content-Type": "application/offset+octet-stream" };
    tell(one, from);
    if (from >= one.file.size) return done(one);
    var piece = one.file.slice(from, from + PIECE);
    checksum(piece).then(function (sum) {
      if (one.over) return;
      if (sum) headers["Upload-Checksum"] = sum;
      one.request = request("PATCH", one.address, headers, piece, function (asked) {
        if (one.over) return;
        if (asked.status !== 204) return failed(one, asked, look);
        one.tries = 0;
        on(one, asked);
      }, function (count) { tell(one, from + count); });
    }, function () { // it is no longer where it was
      if (one.over) return;
      over(one);
      if (here(one)) at.refuse(one.file, at.told("failed", one.file), add);
    });
  }
  function checksum(piece) { // a promise, of nothing where this browser has no WebCrypto
    if (!window.crypto || !crypto.subtle || !piece.arrayBuffer) return Promise.resolve();
    return piece.arrayBuffer().then(function (bytes) { return crypto.subtle.digest("SHA-256", bytes); }).then(function (found) {
      return "sha256 " + btoa(String.fromCharCode.apply(null, new Uint8Array(found)));
    });
  }
  function failed(one, asked, then) {
    var status = asked.status;
    if (!status || (status >= 500 && status !== 507) || [408, 409, 423, 460].indexOf(status) >= 0) return again(one, then, told(asked));
    over(one);
    var plain = /^text\/plain/.test(asked.getResponseHeader("Content-Type") || "") && asked.responseText.length < 300;
    if (here(one)) at.refuse(one.file, plain && asked.responseText || at.told("failed", one.file), add);
  }
  function again(one, then, seconds) {
    var wait = seconds || WAITS[Math.min(one.tries++, WAITS.length - 1)];
    setTimeout(function () { if (!one.over) then(one); }, wait * 1000);
  }
  function done(one) {
    var outbox = document.querySelector("main.outbox .page-head a");
    over(one);
    if (outbox) outbox.click(); // where the message waited
    refresh(one, function () {
      if (!here(one)) return;
      at.say(at.told("linked", one.file));
      at.touch();
    });
  }
  function over(one) {
    one.over = true;
    one.row.remove();
    if (going === one) going = null;
    next();
  }
  function cancel(one) {
    waiting = waiting.filter(function (other) { return other !== one; });
    one.over = true; // before the answer that is broken off
    if (one.request) one.request.abort();
    if (one.address) request("DELETE", one.address, {}, null, function () { refresh(one, function () {}); });
    over(one);
    at.say(at.told("cancelled", one.file));
    document.getElementById("attachments-field").focus();
  }

  document.addEventListener("htmx:afterSettle", show);
  window.addEventListener("beforeunload", function (event) {
    if (!going) return;
    event.preventDefault();
    event.returnValue = "";
  });
  window.linking = { add: add };
})();
