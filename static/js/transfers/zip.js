/* An archive that is written while its files come: stored as they are, sizes after each, ZIP64 throughout (PKWARE APPNOTE 6.3.10), as
   webmail/mime/formats/zip_stream.py does. `zipped(write)` has `begin(path)`, `write(bytes)` and `done()` for each file, then `end()`,
   which return promises. `write` gets about a MiB at a time, however small the files are. */
(function () {
  "use strict";
  var PART = 1048576, FOLLOWS = 0x0808, VERSION = 45, IN_FIELD = 0xffffffff; // sizes after each, UTF-8
  var table = new Uint32Array(256), coder = new TextEncoder();
  (function () {
    var at, bit, value;
    for (at = 0; at < 256; at++) {
      for (value = at, bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
      table[at] = value >>> 0;
    }
  })();

  function crc(bytes, value) {
    var at;
    for (value = ~value, at = 0; at < bytes.length; at++) value = table[(value ^ bytes[at]) & 255] ^ (value >>> 8);
    return ~value >>> 0;
  }
  // little-endian numbers of 2, 4 or 8 bytes: packed("224", 1, 2, 3)
  function packed(widths) {
    var made = new DataView(new ArrayBuffer(widths.split("").reduce(function (sum, one) { return sum + Number(one); }, 0))), at = 0, each;
    for (each = 0; each < widths.length; each++) {
      var width = Number(widths[each]), value = arguments[each + 1];
      if (width === 2) made.setUint16(at, value, true);
      else made.setUint32(at, value >>> 0, true);
      if (width === 8) made.setUint32(at + 4, Math.floor(value / 4294967296), true);
      at += width;
    }
    return new Uint8Array(made.buffer);
  }
  function joined(parts) {
    var whole = new Uint8Array(parts.reduce(function (sum, one) { return sum + one.length; }, 0)), at = 0;
    parts.forEach(function (one) { whole.set(one, at); at += one.length; });
    return whole;
  }

  window.zipped = function (write) {
    var held = [], waiting = 0, size = 0, list = [], file, now = new Date();
    var time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1);
    var day = ((now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate();
    function flush() {
      var whole = joined(held);
      held = [];
      waiting = 0;
      return whole.length ? write(whole) : null;
    }
    function put(bytes) {
      held.push(bytes);
      waiting += bytes.length;
      size += bytes.length;
      return Promise.resolve(waiting >= PART ? flush() : null);
    }
    return {
      begin: function (path) {
        var name = coder.encode(path);
        file = { name: name, at: size, crc: 0, size: 0 };
        return put(joined([
          packed("42222244422", 0x04034b50, VERSION, FOLLOWS, 0, time, day, 0, IN_FIELD, IN_FIELD, name.length, 20),
          name, packed("2288", 1, 16, 0, 0),
        ]));
      },
      write: function (bytes) {
        file.crc = crc(bytes, file.crc);
        file.size += bytes.length;
        return put(bytes);
      },
      done: function () {
        var name = file.name;
        list.push(joined([
          packed("42222224442222244", 0x02014b50, (3 << 8) | VERSION, VERSION, FOLLOWS, 0, time, day, file.crc, IN_FIELD, IN_FIELD,
            name.length, 28, 0, 0, 0, 0x81800000, IN_FIELD),
          name, packed("22888", 1, 24, file.size, file.size, file.at),
        ]));
        return put(packed("4488", 0x08074b50, file.crc, file.size, file.size));
      },
      end: function () {
        var contents = joined(list), begin = size, few = Math.min(list.length, 65535);
        return put(joined([
          contents,
          packed("4822448888", 0x06064b50, 44, VERSION, VERSION, 0, 0, list.length, list.length, contents.length, begin),
          packed("4484", 0x07064b50, 0, begin + contents.length, 1),
          packed("42222442", 0x06054b50, 0, 0, few, few, Math.min(contents.length, IN_FIELD), Math.min(begin, IN_FIELD), 0),
        ])).then(flush);
      },
    };
  };
})();
