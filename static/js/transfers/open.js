/* Files that the sender's browser encrypted, on the page of their link: names are shown, and files are opened as they arrive and saved
   (saves.js), one by one or several as an archive (zip.js). The key stands behind "#" in the address, which browsers send to nobody.
   Without this script files are downloaded as they are, for the program that the page names. */
(function () {
  "use strict";
  var page = document.getElementById("sealed-files"), form = document.getElementById("files"), busy = 0, names = {}, told, key, wrong, words, rows, single;
  var TRIES = 5, LONGEST = 60; // of a server that is busy; seconds
  if (!page || !form) return;
  words = JSON.parse(page.getAttribute("data-words"));

  function each(list, does) { Array.prototype.forEach.call(list, does); }
  function show(which) {
    var place = page.querySelector("[data-say]");
    if (which === "old") return; // it says so already; text browsers would show what is hidden
    place.setAttribute("data-say", which);
    place.setAttribute("role", which === "on" ? "status" : "alert");
    place.textContent = place.getAttribute("data-" + which);
    page.className = "notice" + (which === "on" ? "" : " notice-caution");
  }
  function filled(word, values) { return words[word].replace(/\{(\w+)\}/g, function (_all, name) { return values[name]; }); }
  function say(state, text, alert) {
    state.setAttribute("role", alert ? "alert" : "status");
    state.textContent = text;
  }
  function stateAfter(place) {
    var state = document.createElement("p");
    state.className = "sealed-state muted";
    place.parentNode.insertBefore(state, place.nextSibling);
    return state;
  }
  function harmless(path) { // the last part, without what could lead elsewhere or confuse
    var name = String(path).replace(/\\/g, "/").split("/").pop().replace(/[<>:"|?*\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, "_");
    return name.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(^|[^\ud800-\udbff])[\udc00-\udfff]/g, "$1_").replace(/^ +|[. ]+$/g, "") || "file";
  }
  function placed(path, taken) { // in an archive: with its folders, and like no other
    var parts = String(path).replace(/\\/g, "/").split("/").filter(function (part) { return !/^\.*$/.test(part); }).map(harmless);
    var name = parts.join("/") || "file", stem = /^(.*?)(\.[^./]*)?$/.exec(name), count = 1;
    while (taken[name.toLowerCase()]) name = stem[1] + " (" + ++count + ")" + (stem[2] || "");
    taken[name.toLowerCase()] = true;
    return name;
  }

  // what the file's button brings without this script, so that it counts as a download
  function asked(value, stop, left) {
    var body = (single ? "action=" : "file=") + encodeURIComponent(value);
    return fetch(form.getAttribute("action"), {
      method: "POST", body: body, credentials: "same-origin", signal: stop && stop.signal,
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    }).then(function (response) {
      var after = Math.min(LONGEST, Number(response.headers.get("Retry-After")) || 10);
      if ((response.status === 429 || response.status === 503) && left) {
        return new Promise(function (done) { setTimeout(done, after * 1000); }).then(function () { return asked(value, stop, left - 1); });
      }
      if (!response.ok || !response.body || !/^application\/octet-stream/.test(response.headers.get("Content-Type"))) throw { told: "away" };
      return response.body;
    });
  }
  // the file that the list of names, which the key opens, has there: whoever keeps them could give another one for it. `named(what)`
  function opened(value, stop, named, write) {
    var known, count = 0;
    function check(what) {
      known = names[value === "all" ? page.getAttribute("data-ready") : value];
      if (known && (known[2] ? known[2] !== what.salt : known[0] !== what.name)) throw { damaged: "other" };
      return named(what);
    }
    function pass(bytes) { count += bytes.length; return write(bytes); }
    return told.then(function () { return asked(value, stop, TRIES); }).then(function (stream) {
      return window.sealed.open(stream, key, check, pass);
    }).then(function () { if (known && known[1] !== count) throw { damaged: "other" }; });
  }
  function archived(values, stop, write, at) {
    var archive = window.zipped(write), taken = Object.create(null);
    return values.reduce(function (before, value) {
      return before.then(function () {
        at((names[value] || [""])[0]);
        return opened(value, stop, function (told) { return archive.begin(placed(told.name, taken)); }, archive.write).then(archive.done);
      });
    }, Promise.resolve()).then(function () { at(""); return archive.end(); });
  }
  // `size`: exact, or 0; `most`: about how many bytes; `files`: those of an archive, or the one
  function save(state, name, size, most, files, together) {
    if (wrong) return Promise.resolve(say(state, words.key, true)); // else it would count as a download, perhaps the only one allowed
    var out, current = "", called = "", count = 0, shown = 0, stop = window.AbortController ? new AbortController() : null;
    function pass(bytes) {
      count += bytes.length;
      if (Date.now() - shown > 500) {
        shown = Date.now();
        say(state, filled("progress", { percent: Math.min(100, Math.floor(100 * count / Math.max(1, most))) }));
      }
      return out.write(bytes);
    }
    function work() {
      if (together) return archived(files, stop, pass, function (path) { current = path; });
      return opened(files[0], stop, function (what) { called = name === harmless("") ? what.name : ""; }, pass);
    }
    return window.saves.to(name, size, most, page.getAttribute("data-worker")).then(function (made) {
      var whole;
      out = made;
      busy++;
      say(state, filled("progress", { percent: 0 }));
      whole = work().then(function () { return out.close(); });
      return out.lost ? Promise.race([out.lost, whole]) : whole;
    })
      .then(function () {
        say(state, filled(out.listed ? "listed" : "saved", { name: name }) + (called ? " " + filled("called", { name: called }) : ""));
      })
      .catch(function (error) {
        var why = words[(error && (error.told || error.damaged)) || "away"] || words.away;
        if (out) Promise.resolve(out.abort()).catch(function () {});
        if (stop) stop.abort();
        if (!out && error && error.name === "AbortError") say(state, ""); // the person thought better of it
        else say(state, (current ? filled("of", { name: current, why: why }) : why).replace("{name}", function () { return name; }), true);
      }).then(function () { if (out) busy--; });
  }
  function pressed(button, state, does) {
    if (!button) return;
    button.addEventListener("click", function (event) {
      event.preventDefault();
      if (state.busy) return;
      state.busy = true;
      // a dialogue for the file's place opens while the click still counts, or never
      Promise.resolve(window.showSaveFilePicker ? does() : told.then(does)).then(function () { state.busy = false; });
    });
  }
  function together(state, values) {
    var most = values.reduce(function (sum, value) { return sum + (names[value] ? Number(names[value][1]) || 0 : 0); }, 0);
    return save(state, page.getAttribute("data-archive"), 0, most, values, true);
  }

  if (!window.sealed || !window.saves || !window.zipped || !window.fetch || !window.ReadableStream) { show("old"); return; }
  key = window.sealed.keyIn(window.location.hash);
  if (!key) { show("cut"); return; }
  show("on");
  rows = [];
  single = !form.querySelector("button[name=file]");
  each(form.querySelectorAll(".sent-files li"), function (line) {
    var button = line.querySelector("button[name=file]") || (single && form.querySelector("button[value=all]")), row;
    if (!button) return;
    row = { line: line, button: button, state: stateAfter(line.querySelector(".about")), size: 0, most: Number(line.getAttribute("data-size")) || 0, name: "" };
    rows.push(row);
    pressed(button, row.state, function () { return save(row.state, harmless(row.name), row.size, row.most, [button.value], false); });
  });
  if (!single) each(form.querySelectorAll("button[value=all], button[value=chosen]"), function (button) {
    var state = stateAfter(button.parentNode), ready = page.getAttribute("data-ready").split(" ");
    pressed(button, state, function () {
      var values = [];
      each(form.querySelectorAll("[name=files]:checked"), function (field) { values.push(field.value); });
      if (button.value === "all") values = ready;
      if (values.length) return together(state, values);
      say(state, words.none, true);
    });
  });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  // a list of names, and one more for each time that files were added
  told = Promise.all((page.getAttribute("data-names") || "").split(" ").map(function (text) {
    return window.sealed.openText(text, key);
  })).then(function (texts) {
    texts.forEach(function (text) {
      var some = JSON.parse(text);
      Object.keys(some).forEach(function (upload) { names[upload] = some[upload]; });
    });
    rows.forEach(function (row) {
      var known = names[single ? page.getAttribute("data-ready") : row.button.value];
      if (!known) return;
      row.name = String(known[0]);
      row.size = Number(known[1]) || 0;
      row.most = row.size || row.most;
      row.line.querySelector(".name bdi").textContent = row.name;
      if (!single) row.button.setAttribute("aria-label", filled("download", { name: row.name }));
    });
  }).catch(function (error) {
    wrong = error && error.damaged === "key";
    if (wrong) show("wrong");
  });
  window.addEventListener("beforeunload", function (event) {
    if (!busy) return;
    event.preventDefault();
    event.returnValue = "";
  });
})();
