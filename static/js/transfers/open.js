/* Files that the sender's browser encrypted, on the page of their link: names are shown, and files are opened as they arrive and saved,
   in little memory where this browser can write a file as it comes. The key stands behind "#" in the address, which browsers send
   to nobody. Without this script files are downloaded as they are, for the program that the page names. */
(function () {
  "use strict";
  var page = document.getElementById("sealed-files"), form = document.getElementById("files"), busy = 0, key, words, rows;
  var MOST = 1024 * 1024 * 1024; // bytes in memory, where a file can't be written as it comes
  if (!page || !form) return;
  words = JSON.parse(page.getAttribute("data-words"));

  function each(list, does) { Array.prototype.forEach.call(list, does); }
  function show(which) {
    each(page.querySelectorAll("[data-say]"), function (place) { place.hidden = place.getAttribute("data-say") !== which; });
  }
  function say(row, text, alert) {
    row.state.setAttribute("role", alert ? "alert" : "status");
    row.state.textContent = text;
  }
  function progress(row, count) {
    say(row, words.progress.replace("{percent}", Math.min(100, Math.floor(100 * count / Math.max(1, row.size)))));
  }
  function harmless(path) { // the last part, without what could lead elsewhere or confuse
    var name = String(path).replace(/\\/g, "/").split("/").pop().replace(/[<>:"|?*\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, "_");
    return name.replace(/^ +|[. ]+$/g, "") || "file";
  }

  // where it goes to: { write, close, abort }; asked for at once, while the click still counts
  function target(name, size) {
    var parts = [];
    if (window.showSaveFilePicker) {
      return window.showSaveFilePicker({ suggestedName: name }).then(function (file) { return file.createWritable(); })
        .then(function (out) {
          return {
            write: function (bytes) { return out.write(bytes); },
            close: function () { return out.close(); },
            abort: function () { return out.abort(); },
          };
        });
    }
    if (size > MOST) return Promise.reject({ told: "large" });
    return Promise.resolve({
      write: function (bytes) { parts.push(new Blob([bytes])); }, // which browsers may keep on disk
      abort: function () { parts = []; },
      close: function () {
        var link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob(parts, { type: "application/octet-stream" }));
        link.download = name;
        document.body.appendChild(link);
        link.click();
        document.body.removeChild(link);
        setTimeout(function () { URL.revokeObjectURL(link.href); }, 60000);
      },
    });
  }
  // what the button brings without this script, so that it counts as a download
  function answer(button) {
    return fetch(form.getAttribute("action"), {
      method: "POST", body: button.name + "=" + encodeURIComponent(button.value), credentials: "same-origin",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    }).then(function (response) {
      if (!response.ok || !response.body || !/^application\/octet-stream/.test(response.headers.get("Content-Type"))) throw { told: "away" };
      return response.body;
    });
  }
  function save(row) {
    var out, count = 0, shown = 0, name = harmless(row.name);
    return target(name, row.size).then(function (made) {
      out = made;
      busy++;
      progress(row, 0);
      return answer(row.button);
    }).then(function (stream) {
      return window.sealed.open(stream, key, function () {}, function (bytes) {
        count += bytes.length;
        if (Date.now() - shown > 500) { shown = Date.now(); progress(row, count); }
        return out.write(bytes);
      });
    }).then(function () { return out.close(); })
      .then(function () { say(row, words.saved.replace("{name}", function () { return name; })); })
      .catch(function (error) {
        if (out) Promise.resolve(out.abort()).catch(function () {});
        if (!out && error && error.name === "AbortError") say(row, ""); // the person thought better of it
        else say(row, words[(error && (error.told || error.damaged)) || "away"] || words.away, true);
      }).then(function () { if (out) busy--; });
  }

  if (!window.sealed || !window.fetch || !window.ReadableStream) { show("old"); return; }
  key = window.sealed.keyIn(window.location.hash);
  if (!key) { show("cut"); return; }
  show("on");
  rows = [];
  each(form.querySelectorAll(".sent-files li"), function (line) {
    var state = document.createElement("p");
    var button = line.querySelector("button[name=file]") || (line.parentNode.children.length === 1 && form.querySelector("button[value=all]"));
    if (!button) return;
    state.className = "sealed-state muted";
    line.querySelector(".name").parentNode.appendChild(state);
    rows.push({ line: line, button: button, state: state, size: Number(line.getAttribute("data-size")) || 0, name: "" });
  });
  // all together would be an archive of what nobody can read
  if (form.querySelectorAll(".sent-files li").length > 1) {
    each(form.querySelectorAll(".sent-all, .sent-chosen, .pick"), function (place) { place.hidden = true; });
  }
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  rows.forEach(function (row) {
    row.button.addEventListener("click", function (event) {
      event.preventDefault();
      if (row.busy) return;
      row.busy = true;
      save(row).then(function () { row.busy = false; });
    });
  });
  window.sealed.openText(page.getAttribute("data-names") || "", key).then(function (text) {
    var names = JSON.parse(text), all = Object.keys(names);
    rows.forEach(function (row) {
      var known = names[row.button.name === "file" ? row.button.value : all[0]];
      if (!known) return;
      row.name = String(known[0]);
      row.size = Number(known[1]) || row.size;
      row.line.querySelector(".name bdi").textContent = row.name;
      if (row.button.name === "file") row.button.setAttribute("aria-label", words.download.replace("{name}", function () { return row.name; }));
    });
  }).catch(function (error) { if (error && error.damaged === "key") show("wrong"); });
  window.addEventListener("beforeunload", function (event) {
    if (!busy) return;
    event.preventDefault();
    event.returnValue = "";
  });
})();
