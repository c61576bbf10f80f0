/* Large files, each sent by itself (tus 1.0), resumed after a lost line or a reload. */
(function () {
  "use strict";
  if (window.uploading) return;
  var PIECE = 8388608, AT_ONCE = 3, all = [], pressed = null, quarter = 0;

  function box() { return document.getElementById("files"); }
  function data(name) { return box().dataset[name]; }
  function form() { return box().closest("form"); }
  function words(key, values) {
    return JSON.parse(data("words"))[key].replace(/\{(\w+)\}/g, function (_all, name) { return values[name]; });
  }
  function size(count) {
    var units = words("units").split(" "), at = 0;
    if (count === 1) units[0] = units[0].replace(/s$/, "");
    while (count >= 1000 && at < 4) { count /= 1024; at++; }
    return count.toLocaleString(document.documentElement.lang, { maximumFractionDigits: at && count < 10 ? 1 : 0 }) + "\u00A0" + units[at];
  }
  function tell(place, text) {
    var line = document.querySelector("[data-" + place + "]");
    line.textContent = text;
    line.hidden = !text;
  }
  function date(one, value) { // another may have its name and size
    try {
      if (value) localStorage.uploads = ((localStorage.uploads || "") + one + value + " ").slice(-48000);
      return parseFloat(localStorage.uploads.split(one)[1]);
    } catch (error) { /* off */ }
  }
  function are(state) { return all.filter(function (one) { return one.state === state; }); }
  function left() { return all.length - are("here").length; }
  function busy(one) { return one.state === "going" || one.state === "waits"; }

  function part(one, tag, look, does) {
    var made = document.createElement(tag);
    made.className = look;
    if (does) made.type = "button";
    made.onclick = does;
    return one.row.appendChild(made);
  }
  function label(made, one, key) {
    made.textContent = words(key);
    made.setAttribute("aria-label", words(key) + " " + one.path);
  }
  function show(one, text) {
    var there = one.offset + one.loaded, part = one.size ? there / one.size : 1, here = one.state === "here";
    one.told.textContent = text || words(one.state, {
      percent: Math.floor(part * 100), speed: size(one.speed), left: time((one.size - there) / one.speed), size: size(one.file.size),
    });
    one.bar.value = part;
    one.bar.hidden = one.hold.hidden = here;
    label(one.hold, one, busy(one) ? "pause" : "go");
    one.row.classList.toggle("upload-bad", one.state === "failed");
    total();
  }
  function time(seconds) { return isFinite(seconds) ? words(seconds < 60 ? "soon" : "left", { minutes: Math.ceil(seconds / 60) }) : "…"; }
  function total() {
    var sum = 0, there = 0, speed = 0, count = all.length, percent, text;
    all.forEach(function (one) {
      sum += one.size;
      there += one.offset + one.loaded;
      if (one.state === "going") speed += one.speed;
    });
    percent = Math.floor((sum ? there / sum : 1) * 100);
    text = count ? words(left() ? "all" : "over", {
      done: count - left(), count: count, percent: percent, left: time((sum - there) / speed),
    }) : "";
    tell("all", text);
    if (!left() || Math.floor(percent / 25) !== quarter) tell("said", text); // a screen reader hears of each quarter
    quarter = Math.floor(percent / 25);
  }

  function ask(one, method, url, headers, then, body) {
    var request = one.request = new XMLHttpRequest(), began = Date.now(), name;
    request.open(method, url);
    headers["Tus-Resumable"] = "1.0.0";
    headers["HX-Request"] = "true";
    headers["X-CSRFToken"] = (document.querySelector("[name=csrf_token]") || {}).value || "";
    for (name in headers) request.setRequestHeader(name, headers[name]);
    if (body) request.upload.onprogress = function (event) {
      one.loaded = event.loaded;
      one.speed = event.loaded / (Date.now() - began + 1) * 1000;
      show(one);
    };
    request.onloadend = function () {
      if (one.request !== request) return;
      one.request = null;
      one.loaded = 0;
      if (/^20[0-4]/.test(request.status)) then(one, request);
      else trouble(one, request);
    };
    request.send(body || null);
  }
  function trouble(one, request) {
    var status = request.status, told = waits(request);
    if (/40[013]/.test(status)) return stop(one, "paused", words("out"));
    if (/404|41[035]|422|507/.test(status)) {
      return stop(one, "failed", /plain/.test(request.getResponseHeader("Content-Type")) && request.responseText);
    }
    later(one, told || Math.min(60, Math.pow(2, one.tries++)), status === 503 && told);
  }
  function waits(request) { return Number(request.getResponseHeader("Retry-After")); }
  function later(one, seconds, others) {
    one.asked = false;
    if (others) one.piece = Math.min(PIECE, Math.max(524288, Math.round(one.speed * 4)));
    show(one, words(others ? "waits" : "retry", { seconds: seconds, size: size(one.file.size) }));
    one.wait = setTimeout(step, seconds * (1000 + Math.random() * 200), one);
  }
  function on(one, request) {
    one.asked = true;
    if (request.status === 204) one.tries = 0;
    one.offset = Number(request.getResponseHeader("Upload-Offset"));
    if (waits(request) && one.offset < one.size) later(one, waits(request), true);
    else step(one);
  }
  function stop(one, state, text) {
    var request = one.request;
    one.state = state;
    one.request = null;
    one.asked = false;
    one.loaded = 0;
    clearTimeout(one.wait);
    if (request) request.abort();
    show(one, text);
    if (text) tell("said", one.path + ": " + text);
    next();
  }
  function named(key, text) { return key + " " + btoa(unescape(encodeURIComponent(text))); }
  function step(one) {
    var at = one.offset;
    if (one.state !== "going") return;
    if (!one.url) return create(one);
    if (!one.asked) return ask(one, "HEAD", one.url, {}, on);
    if (at >= one.size) {
      one.state = "here";
      show(one);
      return next();
    }
    Promise.resolve(one.source.slice(at, Math.min(one.size, at + (one.piece || PIECE)))).then(function (piece) {
      return checksum(piece).then(function (sum) {
        var headers = { "Upload-Offset": at, "Content-Type": "application/offset+octet-stream" };
        if (one.state !== "going" || one.offset !== at || one.request) return;
        if (sum) headers["Upload-Checksum"] = sum;
        ask(one, "PATCH", one.url, headers, on, piece);
      });
    }).catch(function () { stop(one, "failed"); });
  }
  function create(one) {
    var of = data("of"), told = window.sealing ? "" : named("filename", one.path) + named(",filetype", one.file.type);
    ask(one, "POST", data("uploads") + (of && "?of=" + of), { "Upload-Length": one.size, "Upload-Metadata": told }, function (_one, request) {
      one.url = request.getResponseHeader("Location");
      one.id = one.url.split("/").pop();
      date(one.id, one.file.lastModified);
      if (window.sealing) window.sealing.added(one);
      if (!of) begun("of=" + request.getResponseHeader("X-Traboule-Transfer"));
      on(one, request);
      next();
    });
  }
  function goes(where) { form().setAttribute("action", where(form().getAttribute("action"))); }
  function begun(of) {
    box().dataset.of = of.slice(3);
    goes(function (address) { return address + (/\?/.test(address) ? "&" : "?") + of; });
    history.replaceState(history.state, "", "?" + of);
  }
  function checksum(piece) {
    if (!window.crypto || !crypto.subtle || !piece.arrayBuffer) return Promise.resolve();
    return piece.arrayBuffer().then(function (bytes) { return crypto.subtle.digest("SHA-256", bytes); }).then(function (found) {
      return "sha256 " + btoa(String.fromCharCode.apply(null, new Uint8Array(found)));
    });
  }
  function next() {
    var waiting = are("waits")[0], button = pressed;
    if (waiting && are("going").length < (data("of") ? AT_ONCE : 1)) {
      waiting.state = "going";
      show(waiting);
      step(waiting);
      next();
    }
    if (button && !all.some(busy)) {
      pressed = null;
      if (left()) tell("note", words("not"));
      else button.click();
    }
  }
  function resume(one) { // signed in anew, its tokens are others
    var request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.onloadend = function () {
      var token = /csrf_token"[^>]*value="([^"]+)/.exec(request.responseText), other = /csrf=[^&"]+/.exec(request.responseText);
      if (token) document.querySelectorAll("[name=csrf_token]").forEach(function (field) { field.value = token[1]; });
      if (other) goes(function (address) { return address.replace(/csrf=[^&]+/, other[0]); });
      one.tries = 0;
      one.state = "waits";
      show(one);
      next();
    };
    request.send();
  }

  function add(file, path) {
    var one = { path: path || file.name, file: file, source: file, size: file.size, offset: 0, loaded: 0, speed: 0, tries: 0, state: "waits" };
    if (all.some(function (other) { return other.path === one.path && other.file.size === file.size; })) return;
    if (window.holds) return window.holds.push([file, path]);
    if (!window.sealing && document.querySelector("[data-seals]")) return; // no key yet
    if (!window.sealing) box().querySelectorAll("[data-upload]").forEach(function (row) {
      var known = row.dataset, whole = "whole" in known, day = date(known.upload);
      if (known.path !== one.path || known.size != file.size || ((day || whole) && day != file.lastModified)) return;
      one.row = row;
      one.whole = whole;
      one.url = data("uploads") + "/" + known.upload;
    });
    else {
      one.source = window.sealing.begin(file, one.path);
      one.size = one.source.size;
    }
    if (one.whole) return;
    one.row = box().querySelector("ul").appendChild(one.row || document.createElement("li"));
    one.row.textContent = "";
    one.row.className = "upload";
    part(one, "span", "upload-name").textContent = one.path;
    one.told = part(one, "span", "upload-state muted small");
    one.hold = part(one, "button", "btn btn-quiet", function () { if (busy(one)) stop(one, "paused"); else resume(one); });
    label(part(one, "button", "btn btn-quiet", function () {
      all.splice(all.indexOf(one), 1);
      stop(one, "failed");
      one.row.remove();
      if (one.url) ask(one, "DELETE", one.url, {}, total);
      document.getElementById("choose-files").focus();
    }), one, "remove");
    one.bar = part(one, "progress", "");
    one.bar.setAttribute("aria-label", one.path);
    all.push(one);
    show(one);
    next();
  }
  function take(field) {
    Array.from(field.files).forEach(function (file) { add(file, file.webkitRelativePath); });
    field.value = "";
  }
  document.addEventListener("change", function (event) {
    var field = event.target;
    if (!box() || field.name !== "files" || !box().contains(field)) return;
    take(field);
  });

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("button[value=send], button[value=link]");
    if (!button || !box() || button.form !== form() || !left()) return;
    event.preventDefault();
    event.stopPropagation();
    if (all.some(busy)) pressed = button;
    tell("note", words(pressed ? "then" : "not"));
  }, true);
  window.onbeforeunload = function () {
    if (are("going").length) return "?";
  };
  document.addEventListener("htmx:afterSwap", function () {
    all = all.filter(function (one) { return document.contains(one.row) || (one.request && one.request.abort()); });
  });
  window.uploading = { add: add, are: are };
  if (box()) box().querySelectorAll("[type=file]").forEach(take); // chosen early
})();
