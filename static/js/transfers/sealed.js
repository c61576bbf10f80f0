/* Files that are encrypted before they leave the browser: their form, both ways, by WebCrypto (docs/decisions/transfers.md has it
   written out; static/tools/open_sealed.py reads it too). Everything is read and written a MiB at a time. */
(function () {
  "use strict";
  var crypto = window.crypto, subtle = crypto && crypto.subtle;
  if (window.sealed || !subtle || !window.TextEncoder || !window.Promise || !Uint8Array.prototype.fill) return;
  var START = "TRABOULE\u0001", SALT = 16, FIXED = START.length + SALT + 2, TAG = 16, CHUNK = 1048576, PAD = 256, LONGEST = 4096;
  var coder = new TextEncoder();

  function random(count) { return crypto.getRandomValues(new Uint8Array(count)); }
  // base64url without "="
  function packed(bytes) {
    var text = "", at;
    for (at = 0; at < bytes.length; at++) text += String.fromCharCode(bytes[at]);
    return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  function unpacked(text) { // null for what is none
    var raw, bytes, at;
    if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
    try { raw = atob(text.replace(/-/g, "+").replace(/_/g, "/")); } catch (error) { return null; }
    bytes = new Uint8Array(raw.length);
    for (at = 0; at < raw.length; at++) bytes[at] = raw.charCodeAt(at);
    return bytes;
  }
  function keyIn(fragment) { // of a link: what follows "#"
    var key = unpacked(fragment.replace(/^#/, ""));
    return key && key.length === 32 ? key : null;
  }
  function drawn(key, salt, purpose) { // HKDF-SHA256 (RFC 5869)
    return subtle.importKey("raw", key, "HKDF", false, ["deriveKey"]).then(function (base) {
      var how = { name: "HKDF", hash: "SHA-256", salt: salt, info: coder.encode(purpose) };
      return subtle.deriveKey(how, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    });
  }
  function fileKey(key, salt) { return drawn(key, salt, "traboule file 1"); }
  function nonce(count, last) { // the place of a chunk, and whether the file ends with it
    var made = new Uint8Array(12);
    new DataView(made.buffer).setUint32(7, count);
    made[11] = last ? 1 : 0;
    return made;
  }
  function gcm(iv, extra) {
    var how = { name: "AES-GCM", iv: iv, tagLength: 128 };
    if (extra) how.additionalData = extra;
    return how;
  }
  var OF_NAME = new Uint8Array(12).fill(255);

  function start(salt, length) {
    var made = new Uint8Array(FIXED), at;
    for (at = 0; at < START.length; at++) made[at] = START.charCodeAt(at);
    made.set(salt, START.length);
    new DataView(made.buffer).setUint16(START.length + SALT, length);
    return made;
  }
  function told(path, type) { // name and type, padded: their length says nothing
    var text = JSON.stringify({ name: path, type: type || "" }), bytes = coder.encode(text), whole;
    if (bytes.length > LONGEST) bytes = coder.encode(JSON.stringify({ name: path.slice(-300), type: "" }));
    whole = new Uint8Array(Math.ceil(bytes.length / PAD) * PAD).fill(32);
    whole.set(bytes);
    return whole;
  }
  function chunks(size) { return Math.max(1, Math.ceil(size / CHUNK)); }

  // what is sent instead of a file: any part of it, as often as it is asked for
  function seal(file, path, key) {
    var salt = random(SALT), name = told(path, file.type), fixed = start(salt, name.length + TAG);
    var head = FIXED + name.length + TAG, count = chunks(file.size), own = fileKey(key, salt);
    function first() {
      return own.then(function (one) { return subtle.encrypt(gcm(OF_NAME, fixed), one, name); })
        .then(function (bytes) { return new Blob([fixed, bytes]); });
    }
    function chunk(at) {
      var plain = file.slice(at * CHUNK, (at + 1) * CHUNK);
      return Promise.all([own, bytesOf(plain)]).then(function (both) {
        return subtle.encrypt(gcm(nonce(at, at === count - 1)), both[0], both[1]);
      }).then(function (bytes) { return new Blob([bytes]); });
    }
    return {
      salt: packed(salt), // tells it from all other files of this key
      size: head + file.size + count * TAG,
      slice: function (from, to) { // a promise of a Blob
        var parts = [], step = CHUNK + TAG, begin = from, at, last;
        to = Math.min(to, this.size);
        if (from < head) { parts.push(first()); begin = 0; }
        at = from < head ? 0 : Math.floor((from - head) / step);
        if (from >= head) begin = head + at * step;
        last = Math.min(count - 1, Math.floor((to - head - 1) / step));
        for (; to > head && at <= last; at++) parts.push(chunk(at));
        return Promise.all(parts).then(function (made) { return new Blob(made).slice(from - begin, to - begin); });
      },
    };
  }
  function bytesOf(blob) {
    if (blob.arrayBuffer) return blob.arrayBuffer();
    return new Promise(function (done, failed) {
      var reader = new FileReader();
      reader.onload = function () { done(reader.result); };
      reader.onerror = function () { failed(reader.error); };
      reader.readAsArrayBuffer(blob);
    });
  }

  function source(stream) { // so many bytes, fewer only at the end
    var reader = stream.getReader(), held = [], there = 0, over = false;
    function taken(count) {
      var made = new Uint8Array(Math.min(count, there)), at = 0, part;
      while (at < made.length) {
        part = held.shift();
        if (part.length > made.length - at) {
          held.unshift(part.subarray(made.length - at));
          part = part.subarray(0, made.length - at);
        }
        made.set(part, at);
        at += part.length;
      }
      there -= made.length;
      return made;
    }
    return function take(count) {
      if (over || there >= count) return Promise.resolve(taken(count));
      return reader.read().then(function (got) {
        over = got.done;
        if (!over && got.value.length) { held.push(got.value); there += got.value.length; }
        return take(count);
      });
    };
  }
  function Damaged(why) { this.damaged = why; }
  function opening(how, one, bytes, why) {
    return subtle.decrypt(how, one, bytes).then(function (plain) { return new Uint8Array(plain); }, function () { throw new Damaged(why); });
  }

  // reads a stream; `named({ name, type, salt })` comes first, then `write(bytes)` for each part: both may return promises. What was
  // changed or cut off, or needs another key, is rejected as { damaged: "form" | "key" | "bytes" }
  function open(stream, key, named, write) {
    var take = source(stream), own, fixed;
    function rest(at, part) {
      return take(CHUNK + TAG).then(function (next) {
        return opening(gcm(nonce(at, !next.length)), own, part, "bytes").then(write)
          .then(function () { return next.length ? rest(at + 1, next) : null; });
      });
    }
    return take(FIXED).then(function (bytes) {
      var length;
      fixed = bytes;
      if (bytes.length < FIXED || START !== String.fromCharCode.apply(null, bytes.subarray(0, START.length))) throw new Damaged("form");
      length = new DataView(bytes.buffer).getUint16(FIXED - 2);
      if (length > LONGEST + PAD + TAG) throw new Damaged("form");
      return Promise.all([take(length), fileKey(key, bytes.slice(START.length, FIXED - 2))]);
    }).then(function (both) {
      own = both[1];
      return opening(gcm(OF_NAME, fixed), own, both[0], "key");
    }).then(function (name) {
      var what = JSON.parse(new TextDecoder().decode(name));
      what.salt = packed(fixed.slice(START.length, FIXED - 2));
      return named(what);
    }).then(function () { return take(CHUNK + TAG); }).then(function (part) { return rest(0, part); });
  }

  // a list of names, shown where the files are; its length says little
  function sealText(text, key) {
    var salt = random(SALT), bytes = coder.encode(text), whole = new Uint8Array(Math.ceil((bytes.length + 1) / PAD) * PAD).fill(32);
    whole.set(bytes);
    return drawn(key, salt, "traboule names 1").then(function (one) { return subtle.encrypt(gcm(OF_NAME), one, whole); })
      .then(function (made) { return packed(salt) + "." + packed(new Uint8Array(made)); });
  }
  function openText(text, key) { // a promise; rejected as above
    var parts = text.split("."), salt = unpacked(parts[0]), bytes = unpacked(parts[1] || "");
    if (parts.length !== 2 || !salt || !bytes) return Promise.reject(new Damaged("form"));
    return drawn(key, salt, "traboule names 1").then(function (one) { return opening(gcm(OF_NAME), one, bytes, "key"); })
      .then(function (plain) { return new TextDecoder().decode(plain); });
  }

  window.sealed = {
    newKey: function () { return random(32); }, packed: packed, keyIn: keyIn,
    seal: seal, open: open, sealText: sealText, openText: openText,
  };
  if (window.sealingWaits) window.sealingWaits();
})();
