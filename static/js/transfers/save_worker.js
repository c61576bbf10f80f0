/* Hands what a page decrypts to the browser's downloads as it comes, where pages can't write files. Its scope holds nothing but such
   downloads, so it sees no other request; it keeps nothing, has no key, and takes itself away once nothing is being saved. */
(function () {
  "use strict";
  var saves = Object.create(null), leaves = null; // milliseconds:
  var AFTER = 60000; // the last bytes may still be on their way to the disk
  var LONGEST = 120000; // pages that are not seen have slow clocks

  function over(id) {
    if (!saves[id]) return;
    saves[id].over();
    delete saves[id];
    clearTimeout(leaves);
    if (Object.keys(saves).length) return;
    leaves = setTimeout(function () { self.registration.unregister(); }, AFTER);
  }
  // RFC 8187; the page made it harmless
  function encoded(name) {
    return encodeURIComponent(name).replace(/[!'()*]/g, function (one) { return "%" + one.charCodeAt(0).toString(16); });
  }
  function headers(save) {
    var made = {
      "Content-Type": "application/octet-stream",
      "Content-Disposition": "attachment; filename*=UTF-8''" + encoded(save.name),
      "Content-Security-Policy": "default-src 'none'; frame-ancestors 'self'", // WebKit asks before it becomes a download
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "no-store",
    };
    if (save.size) made["Content-Length"] = String(save.size);
    return made;
  }
  function begin(id, save, port) {
    clearTimeout(leaves);
    saves[id] = save;
    save.port = port;
    save.until = new Promise(function (done) { save.over = done; });
    port.onmessage = function (event) { // bytes, "end" or "fail"
      var told = event.data;
      if (!save.control) { if (told === "fail") over(id); return; }
      if (told === "fail") { save.control.error(new Error("not whole")); over(id); }
      else if (told === "end") { save.control.close(); over(id); port.postMessage("more"); }
      else save.control.enqueue(told);
      save.taken();
    };
    port.postMessage("ready");
  }
  function stream(id, save) { // asks for each part only once the one before was taken
    return new ReadableStream({
      start: function (control) { save.control = control; },
      pull: function () {
        save.port.postMessage("more");
        return new Promise(function (done) { save.taken = done; });
      },
      cancel: function () { save.port.postMessage("cancelled"); over(id); },
    }, { highWaterMark: 0 });
  }

  self.addEventListener("message", function (event) {
    var told = event.data, port = event.ports[0], save;
    if (told.begin) begin(told.begin, { name: told.name, size: told.size, taken: function () {} }, port);
    else port.postMessage(Boolean(saves[told.stay])); // a worker that was ended meanwhile knows of none
    save = saves[told.begin || told.stay];
    if (save) event.waitUntil(Promise.race([save.until, new Promise(function (done) { setTimeout(done, LONGEST); })]));
  });
  self.addEventListener("fetch", function (event) {
    var id = event.request.url.split("/").pop(), save = saves[id];
    if (!save || save.control) return;
    event.respondWith(new Response(stream(id, save), { headers: headers(save) }));
  });
})();
