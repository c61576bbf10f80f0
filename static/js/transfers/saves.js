/* Where decrypted bytes go: `saves.to(name, size)` promises { write, close, abort }, all of which may return promises. A file that the
   person chose, where pages may write one; else a download of the browser, fed through a service worker (save_worker.js); else, and
   for what is small, memory. What ends before `close` is never a whole file. */
(function () {
  "use strict";
  var MIB = 1048576, SMALL = 8 * MIB, MOST = 1024 * MIB; // bytes in memory
  var BEAT = 10000, PATIENCE = 20000, AFTER = 60000; // milliseconds; idle workers are ended after 30 seconds
  var running = [];

  function picked(name) { // asked for at once, while the click still counts
    return window.showSaveFilePicker({ suggestedName: name }).then(function (file) { return file.createWritable(); }).then(function (out) {
      return {
        write: function (bytes) { return out.write(bytes); },
        close: function () { return out.close(); },
        abort: function () { return out.abort(); },
      };
    });
  }

  function collected(name, size) {
    var parts = [], count = 0;
    if (size > MOST) return Promise.reject({ told: "large" });
    return Promise.resolve({
      write: function (bytes) {
        count += bytes.length;
        if (count > MOST) throw { told: "large" };
        parts.push(new Blob([bytes])); // which browsers may keep on disk
      },
      abort: function () { parts = []; },
      close: function () {
        var link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob(parts, { type: "application/octet-stream" }));
        link.download = name;
        document.body.appendChild(link);
        link.click();
        document.body.removeChild(link);
        setTimeout(function () { URL.revokeObjectURL(link.href); }, AFTER);
      },
    });
  }

  function worker(place, scope) { // one that is at work
    return navigator.serviceWorker.register(place, { scope: scope }).then(function (found) {
      var one = found.active || found.waiting || found.installing;
      return new Promise(function (done, failed) {
        function look() {
          if (one.state === "activated") done(one);
          else if (one.state === "redundant") failed({ told: "away" });
        }
        one.addEventListener("statechange", look);
        look();
        setTimeout(failed, PATIENCE, { told: "away" });
      });
    });
  }
  function fed(one, scope, name, size) {
    var id = window.sealed.packed(window.sealed.newKey()), line = new MessageChannel(), port = line.port1, frame = document.createElement("iframe");
    var wish, wanted, beat, lose, asked = 0, ended = false;
    function wait() { // until the next part is wanted
      wanted = new Promise(function (done) { wish = done; });
    }
    function end(why) {
      if (ended) return;
      ended = true;
      running.splice(running.indexOf(out.abort), 1);
      if (why) lose(why);
      setTimeout(function () { // the last bytes may still be on their way
        clearInterval(beat);
        port.close();
        if (frame.parentNode) document.body.removeChild(frame);
      }, AFTER);
    }
    function stay() { // and ask whether it is still the one that began
      var ask = new MessageChannel();
      asked = Date.now();
      ask.port1.onmessage = function (event) {
        ask.port1.close();
        if (!event.data) end({ told: "lost" });
      };
      one.postMessage({ stay: id }, [ask.port2]);
    }
    var out = {
      listed: true, // among the browser's downloads
      lost: new Promise(function (_done, failed) { lose = failed; }), // rejected as soon as it can't become whole
      write: function (bytes) {
        return wanted.then(function () {
          wait();
          if (ended) throw { told: "away" };
          if (Date.now() - asked > BEAT) stay(); // clocks of pages that are not seen are slow
          port.postMessage(bytes, [bytes.buffer]);
        });
      },
      close: function () {
        return wanted.then(function () {
          wait();
          port.postMessage("end");
          return wanted;
        }).then(function () { end(null); });
      },
      abort: function () {
        port.postMessage("fail");
        end({ told: "away" });
      },
    };
    running.push(out.abort);
    wait();
    frame.hidden = true;
    return new Promise(function (done, failed) {
      var late = setTimeout(out.abort, PATIENCE);
      out.lost.catch(failed); // some browsers refuse the download before they want a part of it
      port.onmessage = function (event) {
        if (event.data === "ready") {
          frame.src = scope + id;
          document.body.appendChild(frame);
        } else if (event.data === "more") {
          clearTimeout(late);
          wish();
          done(out);
        } else end({ told: "cancelled" });
      };
      beat = setInterval(stay, BEAT);
      one.postMessage({ begin: id, name: name, size: size }, [line.port2]);
    });
  }
  function streamed(name, size, place) {
    var scope = place.slice(0, place.lastIndexOf("/") + 1);
    return worker(place, scope).then(function (one) { return fed(one, scope, name, size); });
  }

  window.addEventListener("pagehide", function () { // a file that nobody decrypts any more has failed, and says so
    running.slice().forEach(function (abort) { abort(); });
  });
  // `size`: how many bytes, 0 where nobody knows; `most`: about how many; `place`: the address of the worker
  window.saves = {
    to: function (name, size, most, place) {
      if (window.showSaveFilePicker) return picked(name);
      if (!navigator.serviceWorker || !window.MessageChannel || (size && size <= SMALL)) return collected(name, most);
      return streamed(name, size, place).catch(function () { return collected(name, most); });
    },
  };
})();
