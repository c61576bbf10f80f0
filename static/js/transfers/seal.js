/* Encrypting in the sender's browser. On the page where files are chosen, `sealing` stands between them and what is uploaded; on the
   page after, the link gets its key. The key stays in this tab: closed or signed out, it is gone, unless the link was copied. Where
   files are added to what was sent, it is that one's (`data-seals-key`), and asked for: it is right if it opens the names that are there. */
(function () {
  "use strict";
  if (window.sealingWaits) return;
  var keys = {}, waits = null, write = null, rounds = 0, after = null; // `write`: until the names stand in the form

  function kept(name) {
    try { return JSON.parse(window.sessionStorage.getItem(name)); } catch (error) { return null; }
  }
  function keep(name, value) {
    try { window.sessionStorage.setItem(name, JSON.stringify(value)); return true; } catch (error) { return false; }
  }
  function keyOf(number) { // null where it is not in this tab
    var text = kept("traboule-key-" + number);
    return keys[number] || (text ? window.sealed.keyIn(text) : null);
  }
  function say(which) { // what stands there is for browsers without scripts, and text browsers show what is hidden
    all("[data-seals-say]", function (place) {
      var text = place.getAttribute("data-" + which);
      if (!text || place.getAttribute("data-seals-say") === which) return;
      place.setAttribute("data-seals-say", which);
      place.setAttribute("role", which === "lost" ? "alert" : "status");
      place.textContent = text;
      if (which === "shown") place.className = "muted small";
    });
  }
  function all(selector, does) { Array.prototype.forEach.call(document.querySelectorAll(selector), does); }

  function chooses(page) {
    var number = page.getAttribute("data-seals"), of = page.getAttribute("data-seals-key") || number;
    var key = window.sealed && keyOf(of), files = kept("traboule-names-" + number) || {}, held;
    var fresh = !page.hasAttribute("data-begun"); // nothing was uploaded yet
    if (window.sealed && !key && fresh) {
      key = keys[number] = window.sealed.newKey();
      keep("traboule-key-" + number, window.sealed.packed(key));
    }
    say(window.sealed ? (key ? "on" : "lost") : "old");
    asks(page, key || !window.sealed ? null : of);
    if (!key) return;
    function told() { // the names, sealed, in the form
      write = seal;
      clearTimeout(waits);
      waits = setTimeout(seal, 50);
    }
    function seal() {
      var round = ++rounds;
      function done(text) {
        var field = document.querySelector("[name=sealed_names]"), then = after;
        if (round !== rounds) return; // others came meanwhile
        if (field && text) field.value = text;
        write = after = null;
        if (then) then();
      }
      clearTimeout(waits);
      window.sealed.sealText(JSON.stringify(files), key).then(done, function () { done(""); });
    }
    window.sealing = {
      begin: function (file, path) { return window.sealed.seal(file, path, key); }, // { size, slice(from, to): promise of a Blob }
      added: function (one) { files[one.id] = [one.path, one.file.size, one.source.salt]; keep("traboule-names-" + number, files); told(); },
      name: function (upload) { return files[upload] ? files[upload][0] : ""; },
    };
    all("#files input[type=file]", function (field) { field.disabled = false; });
    held = window.holds || []; // chosen while this was still on its way
    window.holds = null;
    held.forEach(function (one) { window.uploading.add(one[0], one[1]); });
    all("[data-sealed-name]", function (place) {
      var known = files[place.getAttribute("data-sealed-name")];
      if (known) place.textContent = known[0];
    });
    told();
  }

  function asks(page, of) { // for the whole link, which goes nowhere; null: not any more
    var there = page.querySelector(".field"), field, label, wrong;
    if (there && !of) page.removeChild(there);
    if (there || !of || !page.hasAttribute("data-names")) return;
    there = document.createElement("div");
    there.className = "field";
    label = there.appendChild(document.createElement("label"));
    label.textContent = page.getAttribute("data-label");
    label.htmlFor = "whole-link";
    field = there.appendChild(document.createElement("input"));
    field.id = "whole-link";
    field.autocomplete = "off";
    field.spellcheck = false;
    wrong = there.appendChild(document.createElement("p"));
    wrong.className = "field-error";
    wrong.setAttribute("role", "alert");
    page.appendChild(there);
    field.addEventListener("input", function () {
      var key = window.sealed.keyIn(field.value.trim().split("#")[1] || "");
      function refused() { wrong.textContent = field.value ? page.getAttribute("data-wrong") : ""; }
      if (!key) return refused();
      window.sealed.openText(page.getAttribute("data-names").split(" ")[0], key).then(function () {
        keys[of] = key;
        keep("traboule-key-" + of, window.sealed.packed(key));
        look();
      }, refused);
    });
  }

  function shows(place) {
    var key = window.sealed && keyOf(place.getAttribute("data-sealed-link"));
    say(key ? "shown" : "lost");
    if (!key || place.getAttribute("data-done")) return;
    place.setAttribute("data-done", "1");
    key = "#" + window.sealed.packed(key);
    if ("value" in place) place.value += key;
    else place.textContent += key;
    if (place.href) place.href += key;
    if (window.offersCopy) window.offersCopy();
    (place.getAttribute("data-names") || "").split(" ").forEach(function (text) { // one more for each time that files were added
      if (text) window.sealed.openText(text, keyOf(place.getAttribute("data-sealed-link"))).then(function (opened) {
        var files = JSON.parse(opened);
        all("[data-sealed-name]", function (line) {
          var known = files[line.getAttribute("data-sealed-name")];
          if (known) line.textContent = known[0];
        });
      }).catch(function () { /* of another key: they keep the names that the server has */ });
    });
  }

  function look() {
    var page = document.querySelector("[data-seals]");
    window.sealing = null; // a page without it sends files as they are
    if (page) chooses(page);
    all("[data-sealed-link]", shows);
  }
  document.addEventListener("submit", function (event) { // a form that leaves sooner would leave without them
    var form = event.target, button = event.submitter || form.querySelector("button[value=send]");
    if (!write || !form.querySelector("[name=sealed_names]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    after = function () { if (document.contains(button)) button.click(); };
    write();
  }, true);
  window.sealingWaits = look; // the script that encrypts may come later
  look();
  document.addEventListener("htmx:load", function (event) { // what is swapped within a page changes nothing
    if (event.target === document.body || event.target.querySelector("[data-seals], [data-sealed-link], main")) look();
  });
})();
