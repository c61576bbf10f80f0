/* Markdown to the editor's document and back, in the dialect of webmail/mime/html/markdown.py. No page is needed here: tests run it alone.

   The text stays the truth. What was not changed is written back word for word, blanks and line ends included: a whole block, or
   the lines of a paragraph inside a changed one. What was changed is written anew, read again and compared; marks that Markdown
   can't hold there (bold that ends within a word, at a quotation mark) move or go, words never do. A block that would not come
   back the same is shown as it is written and edited so. */
(function (root) {
  "use strict";
  var PM = root.ProseMirror;
  if (!PM || root.editorText) return;
  var LONGEST = 20000, MOST_LINKS = 300, DEEPEST = 15; // as in markdown.py
  var MOST_ESCAPES = 40; // of a paragraph that are tried one by one whether they are needed
  var BARE = /^https?:\/\/[\w.-]+\.[a-z]{2,}(:\d+)?(\/([\w\-.~/?#=&%+]*[\w/])?)?$/i; // an address that needs no brackets
  var SEPARATOR = "-- ", HELD = "--\uE0FF"; // a signature's first line, and how it gets through the reader with its blank
  var FENCE = /^ {0,3}(?:>[ >]*)?(`{3,}|~{3,})/;
  // a line that would begin a block if it were not far to the right
  var BEGINS = /[-+*](?:\s|$)|>|#{1,6}(?:\s|$)|\d{1,9}[.)](?:\s|$)|`{3}|~{3}|[-*_](?:\s*[-*_]){2,}\s*$/;
  var INDENTED = new RegExp("^(?:[>\\s]|[-+*]\\s|\\d+[.)]\\s)*?(?: {4}|\\t)\\s*(?:" + BEGINS.source + ")");
  var MARK = /^!\[((?:[^[\]\\\n]|\\[^\n]){0,1000})\]\(([^\s()<>[\]/\\:]{1,2000})\)/;
  var DELIMITED = { strong: "**", em: "*", strike: "~~" };

  function styled(pattern) { // what is pasted has its styles in this attribute (editor.js)
    return { tag: "span[data-style]", consuming: false, getAttrs: function (dom) { return pattern.test(dom.dataset.style) && null; } };
  }
  function cell(tag) {
    return {
      attrs: { align: { default: "" } }, content: "(text | image)*", isolating: true,
      toDOM: function (node) { return [tag, node.attrs.align ? { "data-align": node.attrs.align } : {}, 0]; },
    };
  }
  // a table that is pasted: one of words, not a page that is laid out by tables, which has no place in Markdown
  function cellsOf(row) { return Array.prototype.filter.call(row.cells, function (one) { return !one.hasAttribute("data-end"); }); }
  function isData(dom) {
    var rows = Array.prototype.map.call(dom.rows, cellsOf), columns = rows.length && rows[0].length;
    return rows.length > 1 && rows.length <= 60 && columns > 1 && columns <= 12 && !dom.querySelector("table, ul, ol, img, pre, blockquote")
      && rows.every(function (cells) {
        return cells.length === columns && cells.every(function (one) {
          return one.colSpan === 1 && one.rowSpan === 1 && one.querySelectorAll("p, div").length < 2;
        });
      });
  }
  function pastedRows(dom) {
    return PM.Fragment.fromArray(Array.prototype.map.call(dom.rows, function (row, number) {
      return types.table_row.create(null, cellsOf(row).map(function (one) {
        var words = one.textContent.replace(/\s+/g, " ").trim(), align = one.getAttribute("data-align") || one.getAttribute("align") || "";
        return (number ? types.table_cell : types.table_header).create(
          { align: /^(left|center|right)$/.test(align) ? align : "" }, words ? schema.text(words) : null);
      }));
    }));
  }
  var schema = new PM.Schema({
    nodes: {
      doc: { content: "block+" },
      paragraph: { content: "inline*", group: "block", parseDOM: [{ tag: "p" }], toDOM: function () { return ["p", 0]; } },
      blockquote: { content: "block+", group: "block", parseDOM: [{ tag: "blockquote" }], toDOM: function () { return ["blockquote", 0]; } },
      horizontal_rule: { group: "block", parseDOM: [{ tag: "hr" }], toDOM: function () { return ["hr"]; } },
      heading: {
        attrs: { level: { default: 1 } }, content: "(text | image)*", group: "block", defining: true,
        parseDOM: [1, 2, 3, 4, 5, 6].map(function (level) { return { tag: "h" + level, attrs: { level: level } }; }),
        toDOM: function (node) { return ["h" + node.attrs.level, 0]; },
      },
      code_block: {
        attrs: { info: { default: "" } }, content: "text*", marks: "", group: "block", code: true, defining: true,
        parseDOM: [{ tag: "pre", preserveWhitespace: "full" }], toDOM: function () { return ["pre", ["code", 0]]; },
      },
      raw: { // Markdown as it is written
        content: "text*", marks: "", group: "block", code: true, defining: true,
        parseDOM: [{ tag: "pre[data-raw]", preserveWhitespace: "full", priority: 60 }],
        toDOM: function () { return ["pre", { "data-raw": "" }, 0]; },
      },
      ordered_list: {
        attrs: { order: { default: 1 }, tight: { default: true }, mark: { default: "." } }, content: "list_item+", group: "block",
        parseDOM: [{ tag: "ol", getAttrs: function (dom) {
          var start = dom.getAttribute("start");
          return { order: /^\d{1,9}$/.test(start) ? +start : 1 };
        } }],
        toDOM: function (node) { return ["ol", node.attrs.order === 1 ? {} : { start: node.attrs.order }, 0]; },
      },
      bullet_list: {
        attrs: { tight: { default: true }, mark: { default: "-" } }, content: "list_item+", group: "block",
        parseDOM: [{ tag: "ul" }], toDOM: function () { return ["ul", 0]; },
      },
      table: {
        content: "table_row+", group: "block", isolating: true,
        parseDOM: [{ tag: "table", getAttrs: function (dom) { return isData(dom) && null; }, getContent: pastedRows }],
        toDOM: function () { return ["table", ["tbody", 0]]; },
      },
      table_row: { content: "(table_header | table_cell)+", toDOM: function () { return ["tr", 0]; } }, // those of the first row are headers
      table_header: cell("th"),
      table_cell: cell("td"),
      list_item: { content: "block+", defining: true, parseDOM: [{ tag: "li" }], toDOM: function () { return ["li", 0]; } },
      text: { group: "inline" },
      image: { // one of the draft's own files, by its name; pictures of a pasted page stay outside
        inline: true, group: "inline", draggable: true, attrs: { src: {}, alt: { default: "" } },
        parseDOM: [{ tag: "span[data-image]", getAttrs: function (dom) {
          var src = dom.getAttribute("data-image"), shown = dom.querySelector("img");
          return MARK.test("![](" + src + ")") ? { src: src, alt: shown ? shown.alt : dom.textContent } : false;
        } }],
        toDOM: function (node) { return ["span", { "data-image": node.attrs.src, class: "editor-image" }, node.attrs.alt || node.attrs.src]; },
        leafText: function (node) { return node.attrs.alt; },
      },
      hard_break: {
        inline: true, group: "inline", selectable: false,
        parseDOM: [{ tag: "br" }], toDOM: function () { return ["br"]; }, leafText: function () { return "\n"; },
      },
    },
    marks: {
      link: {
        attrs: { href: {}, title: { default: "" } }, inclusive: false,
        parseDOM: [{ tag: "a[href]", getAttrs: function (dom) {
          var href = dom.getAttribute("href");
          return isAddress(href) ? { href: href } : false;
        } }],
        toDOM: function (mark) { return ["a", { href: mark.attrs.href, title: mark.attrs.href, rel: "noreferrer" }, 0]; },
      },
      strong: {
        parseDOM: [{ tag: "strong" }, { tag: "b", getAttrs: function (dom) {
          return !/font-weight:\s*(normal|400)/i.test(dom.dataset.style) && null; // Google Docs has all it copies in such a one
        } }, styled(/font-weight:\s*(bold|[6-9]00)/i)],
        toDOM: function () { return ["strong", 0]; },
      },
      em: { parseDOM: [{ tag: "em" }, { tag: "i" }, styled(/font-style:\s*italic/i)], toDOM: function () { return ["em", 0]; } },
      strike: { parseDOM: [{ tag: "s" }, { tag: "del" }, { tag: "strike" }], toDOM: function () { return ["s", 0]; } },
      code: { code: true, parseDOM: [{ tag: "code" }], toDOM: function () { return ["code", 0]; } },
    },
  });
  var types = schema.nodes;

  var reader = new PM.MarkdownIt("commonmark", { html: false, breaks: true, linkify: true, maxNesting: 100 });
  reader.enable(["table", "strikethrough", "linkify"]);
  reader.disable(["code", "lheading", "reference", "html_block", "html_inline"]);
  reader.inline.ruler.at("image", function (state, silent) { // webmail/mime/html/markdown_images.py: only names of files
    var found = state.src[state.pos] === "!" && MARK.exec(state.src.slice(state.pos, state.posMax)), token;
    if (!found) return false;
    if (!silent) {
      token = state.push("image", "img", 0);
      token.attrs = [["src", found[2]], ["alt", ""]];
      token.content = found[1].replace(/\\([!-/:-@[-`{-~])/g, "$1");
      token.children = [];
    }
    state.pos += found[0].length;
    return true;
  });
  reader.normalizeLink = reader.normalizeLinkText = function (address) { return address; };

  function isAddress(href) { return /^(https?:\/\/[^\s]|mailto:[^\s]*@)/i.test(href || ""); }
  // whether markdown.py would leave the text unformatted
  function tooLong(text) { return text.length > LONGEST || text.split("://").length + text.split("[").length - 2 > MOST_LINKS; }

  // --- reading -----------------------------------------------------------------------------------------------------------
  var written = new WeakMap(); // top blocks as they were read: { text, place, book }
  var below = new WeakSet(); // blocks in a quotation that began right below another, without an empty line
  var lines = new WeakMap(); // paragraphs and headings as they were read: their inline Markdown

  // markdown.py `_separated`; returns [line, number it has in the text or -1]
  function separated(all) {
    var out = [], before = 0, fence = "";
    all.forEach(function (typed, number) {
      var marks = fence && !before ? "" : /^(?:> ?)*/.exec(typed)[0];
      var depth = Math.min(marks.split(">").length - 1, DEEPEST);
      var line = depth < DEEPEST ? typed : ">".repeat(depth) + " " + typed.slice(marks.length), mark;
      if (depth < before && line.replace(/^[> ]+|[> ]+$/g, "")) out.push([">".repeat(depth), -1]);
      if (depth < before) fence = "";
      mark = FENCE.exec(line);
      if (mark) fence = fence && mark[1].indexOf(fence) === 0 ? "" : fence || mark[1];
      before = depth;
      out.push([line === SEPARATOR && !fence ? HELD : line, number]);
    });
    return out;
  }

  function inline(tokens) {
    var out = [], marks = [];
    function open(mark) { marks = mark.addToSet(marks); }
    function close(type) { marks = type.removeFromSet(marks); }
    tokens.forEach(function (token) {
      var name = { strong: "strong", em: "em", s: "strike", link: "link" }[token.type.replace(/_(open|close)$/, "")], text = token.content;
      if (token.type === "text") {
        if (text === HELD) text = SEPARATOR;
        if (text) out.push(schema.text(text, marks));
      } else if (token.type === "code_inline") out.push(schema.text(text, schema.marks.code.create().addToSet(marks)));
      else if (token.type === "softbreak" || token.type === "hardbreak") out.push(types.hard_break.create());
      else if (token.type === "image") {
        out.push(types.image.create({ src: token.attrGet("src"), alt: text }, null, marks));
      } else if (token.markup === "linkify") return; // a bare address is text, which markdown.py makes a link of
      else if (name && token.nesting > 0) {
        open(schema.marks[name].create(name === "link" ? { href: token.attrGet("href"), title: token.attrGet("title") || "" } : null));
      } else if (name) close(schema.marks[name]);
      else throw new Error("not known: " + token.type);
    });
    return PM.Fragment.fromArray(out.reduce(function (joined, node) { // equal neighbours are one node
      var last = joined[joined.length - 1];
      if (last && last.isText && node.isText && PM.Mark.sameSet(last.marks, node.marks)) {
        joined[joined.length - 1] = schema.text(last.text + node.text, node.marks);
      } else joined.push(node);
      return joined;
    }, []));
  }

  function table(tokens, at, end) {
    var rows = [], cells, type, align;
    for (; at < end; at++) {
      if (tokens[at].type === "tr_open") cells = [];
      else if (tokens[at].type === "tr_close") rows.push(types.table_row.create(null, cells));
      else if (/^t[hd]_open$/.test(tokens[at].type)) {
        type = tokens[at].type === "th_open" ? types.table_header : types.table_cell;
        align = /left|center|right/.exec(tokens[at].attrGet("style") || "");
      } else if (tokens[at].type === "inline") cells.push(type.create({ align: align ? align[0] : "" }, inline(tokens[at].children)));
    }
    return types.table.create(null, rows);
  }

  // the nodes of tokens[from..to); null where what markdown.py, for which no indenting is code, takes otherwise is among them
  function blocks(tokens, from, to, source) {
    var out = [];
    for (var at = from; at < to; at++) {
      var token = tokens[at], end = at, node, inside, before;
      if (token.nesting > 0) for (end = at + 1; tokens[end].level !== token.level || tokens[end].nesting >= 0; end++);
      if (token.type === "table_open" && source.slice(token.map[0], token.map[1]).some(isFar)) return null;
      if (token.type === "paragraph_open" && source.slice(token.map[0], token.map[1]).some(isIndented)) return null;
      if (token.type === "fence" && source.slice(token.map[0] + 1, token.map[1]).some(isFarFence)) return null;
      if (token.type === "paragraph_open" || token.type === "heading_open") {
        node = (token.type === "heading_open" ? types.heading : types.paragraph).create(
          token.type === "heading_open" ? { level: +token.tag.slice(1) } : null, inline(tokens[at + 1].children));
        lines.set(node, tokens[at + 1].content.split(HELD).join(SEPARATOR));
      } else if (token.type === "fence") {
        inside = token.content.replace(/\n$/, "");
        node = types.code_block.create({ info: token.info }, inside ? schema.text(inside) : null);
      } else if (token.type === "table_open") node = table(tokens, at, end);
      else if (token.type === "hr") node = types.horizontal_rule.create();
      else {
        inside = blocks(tokens, at + 1, end, source);
        if (!inside) return null;
        if (!inside.length) inside.push(types.paragraph.create());
        if (token.type === "blockquote_open") node = types.blockquote.create(null, inside);
        else if (token.type === "list_item_open") node = types.list_item.create(null, inside);
        else if (token.type === "bullet_list_open") node = types.bullet_list.create({ tight: isTight(tokens, at, end), mark: token.markup }, inside);
        else if (token.type === "ordered_list_open") {
          node = types.ordered_list.create({ order: +(token.attrGet("start") || 1), tight: isTight(tokens, at, end), mark: token.markup }, inside);
        } else throw new Error("not known: " + token.type);
      }
      node.check();
      before = token.map[0] - 1;
      if (before >= 0 && source[before][1] < 0) before--;
      if (out.length && /[^>\s]/.test(source[before][0])) below.add(node);
      out.push(node);
      at = end;
    }
    return out;
  }
  function isIndented(line) { return INDENTED.test(line[0]); }
  function isFarFence(line) { return /(?: {4}|\t)\s*(?:`{3}|~{3})/.test(line[0]); }
  function isFar(line) { return /^(?:[>\s]|[-+*]\s|\d+[.)]\s)*(?: {4}|\t)/.test(line[0]); }
  function isTight(tokens, from, to) {
    for (var at = from; at < to; at++) {
      if (tokens[at].type === "paragraph_open" && tokens[at].level === tokens[from].level + 2) return tokens[at].hidden;
    }
    return true;
  }

  /* The document of a text. With `strict` a block that would not come back the same after a change is taken as it is written.
     Empty lines beyond the one between blocks are empty paragraphs. Throws where a line would be lost. */
  function read(text, strict) {
    var all = text.split("\n"), prepared = separated(all), out = [], book = { gaps: [], empties: [] }, past = 0;
    var tokens = reader.parse(prepared.map(function (one) { return one[0]; }).join("\n"), {});
    function fill(upTo, isEdge) { // the empty lines up to a block, or the end
      var gap = all.slice(past, upTo), number = Math.max(gap.length - (isEdge ? 0 : 1), 0);
      if (gap.join("").trim()) throw new Error("a line would be lost");
      book.gaps.push(gap);
      book.empties.push(number);
      for (var count = 0; count < number; count++) out.push(types.paragraph.create());
    }
    for (var at = 0; at < tokens.length; at++) {
      var token = tokens[at], end = at, numbers, first, last, source, found, node;
      if (token.nesting > 0) for (end = at + 1; tokens[end].level || tokens[end].nesting >= 0; end++);
      numbers = prepared.slice(token.map[0], token.map[1]).map(function (one) { return one[1]; }).filter(function (number) { return number >= 0; });
      first = numbers[0];
      last = numbers[numbers.length - 1] + 1;
      while (last > first + 1 && !all[last - 1].trim()) last--;
      source = all.slice(first, last).join("\n");
      found = blocks(tokens, at, end + 1, prepared);
      node = found && found[0];
      if (!node || (strict && !comesBack(node))) node = types.raw.create(null, schema.text(source));
      fill(first, !book.gaps.length);
      written.set(node, { text: source, place: book.gaps.length - 1, book: book });
      out.push(node);
      past = last;
      at = end;
    }
    var closed = past && past < all.length && all[all.length - 1] === ""; // the last line has its end
    fill(closed ? all.length - 1 : all.length, true);
    book.end = closed ? "\n" : "";
    if (!out.length) out.push(types.paragraph.create());
    return types.doc.create(null, out);
  }
  function comesBack(node) { // without its source
    return same(read(block(node, {}), false), types.doc.create(null, node));
  }

  // --- comparing ---------------------------------------------------------------------------------------------------------
  // the document as its readers see it: blanks at line ends, empty paragraphs and how a mark is written do not matter
  function seen(node, by) {
    var out = [], sub;
    function inside(node) { return seenInside(node, by); }
    if (node.type === types.raw) {
      sub = read(node.textContent, false);
      if (sub.childCount === 1 && sub.firstChild.type === types.raw) return [["raw", node.textContent.trim()]];
      return inside(sub);
    }
    if (node.type === types.paragraph) {
      inLines(node).reduce(function (paragraphs, line) { // an empty line parts paragraphs
        if (line.length) paragraphs[paragraphs.length - 1].push(line);
        else paragraphs.push([]);
        return paragraphs;
      }, [[]]).forEach(function (paragraph) { if (paragraph.length) out.push(["paragraph", paragraph.map(by)]); });
      return out;
    }
    if (node.type === types.heading) return [["heading", node.attrs.level, by(inLines(node)[0])]];
    if (node.type === types.code_block) return [["code", node.textContent]];
    if (node.type === types.table) return [["table", tableOf(node).map(function (cells) {
      return cells.map(function (one) { return one ? [one.attrs.align, by(inLines(one)[0])] : ["", by([])]; });
    })]];
    if (node.type === types.ordered_list) return [["ol", node.attrs.order, node.content.content.map(inside)]];
    if (node.type === types.bullet_list) return [["ul", node.content.content.map(inside)]];
    return [[node.type.name, inside(node)]];
  }
  function tableOf(node) { // its cells by rows, all as long as the longest, null where one is missing
    var columns = 0;
    node.forEach(function (row) { columns = Math.max(columns, row.childCount); });
    return node.content.content.map(function (row) {
      return Array.from({ length: columns }, function (_none, at) { return at < row.childCount ? row.child(at) : null; });
    });
  }
  var known = new WeakMap(); // what `seen` found for a node, which never changes
  function seenInside(node, by) {
    return node.content.content.reduce(function (all, child) {
      if (by !== shown) return all.concat(seen(child, by));
      if (!known.has(child)) known.set(child, seen(child, by));
      return all.concat(known.get(child));
    }, []);
  }
  function same(one, other, by) { return JSON.stringify(seenInside(one, by || shown)) === JSON.stringify(seenInside(other, by || shown)); }
  function words(runs) { return (runs || []).map(function (run) { return run.image ? [run.image.src, run.image.alt] : run.text; }).join("").trim(); }

  // the lines of a paragraph as runs { text, marks: {name: value}, image }, without blanks at their ends
  function inLines(node) {
    var all = [[]];
    node.forEach(function (child) {
      var marks = {};
      if (child.type === types.hard_break) { all.push([]); return; }
      child.marks.forEach(function (mark) { marks[mark.type.name] = mark.type.name === "link" ? [mark.attrs.href, mark.attrs.title] : true; });
      all[all.length - 1].push({ text: child.isText ? child.text.replace(/\n/g, " ") : "", marks: marks, image: child.isText ? null : child.attrs });
    });
    return all.map(tidy);
  }
  function isBlank(run) { return run && !run.image && !run.marks.code && !run.text.trim(); }
  function tidy(runs) {
    var whole = runs.map(function (run) { return run.text; }).join("");
    if (whole === SEPARATOR && runs.every(function (run) { return !run.image; })) return [{ text: SEPARATOR, marks: {}, image: null }];
    runs = runs.slice();
    while (isBlank(runs[0])) runs.shift();
    while (isBlank(runs[runs.length - 1])) runs.pop();
    if (!runs.length) return runs;
    edit(runs, 0, /^\s+/);
    edit(runs, runs.length - 1, /\s+$/);
    return runs;
  }
  function edit(runs, at, blanks) {
    if (!runs[at].image && !runs[at].marks.code) runs[at] = { text: runs[at].text.replace(blanks, ""), marks: runs[at].marks, image: null };
  }
  function isBare(run) { // a link that is its own text: markdown.py makes it one
    var link = run.marks.link;
    if (!link || run.image || link[1]) return false;
    return ["", "mailto:", "http://"].some(function (scheme) { return scheme + run.text === link[0]; });
  }
  function shown(runs) {
    var out = [];
    if (runs && runs.length === 1 && runs[0].text === SEPARATOR) runs = [{ text: "--", marks: {}, image: null }];
    around(runs || []).forEach(function (run) {
      var bare = isBare(run), key = JSON.stringify([
        Object.keys(run.marks).filter(function (name) { return name !== "link" || !bare; }).sort(), bare ? null : run.marks.link || null, run.image]);
      if (out.length && out[out.length - 1][0] === key && !run.image) out[out.length - 1][1] += run.text;
      else out.push([key, run.text]);
    });
    return out;
  }
  // blanks at the ends of what a mark covers lie outside of it
  function around(runs) {
    var pieces = [];
    if (runs.length < 2) return runs;
    runs.forEach(function (run) {
      if (run.image || run.marks.code || run.text === SEPARATOR) pieces.push(run);
      else /^(\s*)([^]*?)(\s*)$/.exec(run.text).slice(1).filter(Boolean).forEach(function (text) {
        pieces.push({ text: text, marks: Object.assign({}, run.marks), image: null });
      });
    });
    ["strong", "em", "strike", "link"].forEach(function (name) {
      function value(run) { return run ? JSON.stringify(run.marks[name] || null) : "null"; }
      function peel(from, by) {
        for (var at = from; at >= 0 && at < pieces.length; at += by) {
          var run = pieces[at];
          if (run.marks[name] && isBlank(run) && value(pieces[at - by]) !== value(run)) delete run.marks[name];
        }
      }
      peel(0, 1);
      peel(pieces.length - 1, -1);
    });
    return pieces.reduce(function (joined, run) {
      var last = joined[joined.length - 1];
      if (last && !last.image && !run.image && JSON.stringify(last.marks) === JSON.stringify(run.marks)) last.text += run.text;
      else joined.push({ text: run.text, marks: run.marks, image: run.image });
      return joined;
    }, []);
  }

  // --- writing -----------------------------------------------------------------------------------------------------------
  // a backslash where a character could mean something and `escapes()` says so; none within addresses, or they would end there
  function escaped(text, isStart, isEnd, escapes) {
    var past = 0, found = escapes.everywhere || text.indexOf("://") < 0 ? [] : reader.linkify.match(text) || [];
    return found.filter(function (one) { return one.raw.indexOf("://") > 0; }).map(function (one) {
      var before = text.slice(past, one.index), first = isStart && !past;
      past = one.index + one.raw.replace(/\*+$/, "").length; // the reader leaves these outside
      return withSigns(before, first && before, false, escapes) + text.slice(one.index, past);
    }).join("") + withSigns(text.slice(past), isStart && !past, isEnd, escapes);
  }
  function withSigns(text, isStart, isEnd, escapes) {
    function one(sign) { return escapes() ? "\\" + sign : sign; }
    text = text.replace(/[\\`*_[\]<&~#|]|!(?=\[|$)/g, function (sign, at) {
      return sign === "!" && isEnd && at === text.length - 1 ? sign : one(sign);
    });
    if (!isStart) return text;
    return text.replace(/^[-+>=:]/, one).replace(/^(\d{1,9})([.)])(?=\s|$)/, function (_all, digits, sign) { return digits + one(sign); });
  }
  function address(href) {
    return !href || /[\s()<>\\]/.test(href) ? "<" + href.replace(/[<>\\]/g, "\\$&").replace(/\s/g, "%20") + ">" : href;
  }
  function titled(title) { return title ? " \"" + title.replace(/["\\]/g, "\\$&") + "\"" : ""; }
  function code(text) {
    var longest = (text.match(/`+/g) || []).reduce(function (most, run) { return Math.max(most, run.length); }, 0);
    var ticks = "`".repeat(longest + 1), pad = /^`|`$|^ .* $/.test(text) ? " " : "";
    return ticks + pad + text + pad + ticks;
  }
  function apart(before, after) { // whether an address between the two is seen to end there
    return !(before && /[^\s(«“]$/.test(before.text)) && !(after && /^[^\s),.;:!?»”]/.test(after.text));
  }
  function line(runs, em, escapes) {
    var out = "", open = [];
    function equal(name, one, other) { return other && JSON.stringify(one.marks[name]) === JSON.stringify(other.marks[name]); }
    function reach(name, at) { // how many runs have this mark from here on
      for (var end = at; end < runs.length && runs[end].marks[name] && equal(name, runs[at], runs[end]); end++);
      return end;
    }
    function shut(name, run) {
      if (name === "link") out += "](" + address(run.marks.link[0]) + titled(run.marks.link[1]) + ")";
      else out += name === "em" ? em : DELIMITED[name];
    }
    runs.forEach(function (run, at) {
      var before = runs[at - 1], bare = isBare(run) && !run.plainLink, keep = 0, names;
      names = ["link", "strong", "em", "strike"].filter(function (name) { return run.marks[name] && !(name === "link" && bare); });
      while (keep < open.length && names.indexOf(open[keep]) >= 0 && equal(open[keep], run, before)) keep++;
      while (open.length > keep) shut(open.pop(), before);
      names = names.filter(function (name) { return open.indexOf(name) < 0; });
      names.sort(function (a, b) { return reach(b, at) - reach(a, at); }).forEach(function (name) {
        open.push(name);
        out += name === "link" ? "[" : name === "em" ? em : DELIMITED[name];
      });
      if (run.text === SEPARATOR && runs.length === 1) out += SEPARATOR;
      else if (run.image) out += "![" + run.image.alt.replace(/[\\[\]]/g, "\\$&") + "](" + run.image.src + ")";
      else if (run.marks.code) out += code(run.text);
      else if (bare) out += BARE.test(run.text) && apart(before, runs[at + 1]) ? run.text : "<" + run.text + ">";
      else out += escaped(run.text, !out, at === runs.length - 1, escapes);
    });
    while (open.length) shut(open.pop(), runs[runs.length - 1]);
    return out;
  }
  // marks whose ends Markdown would not see: the signs at the edge are left out of them
  function peeled(runs) {
    var punct = /[!-/:-@[-`{-~\u00A1-\u00BF\u2010-\u2027\u2030-\u205E\u3001-\u3011]/;
    var pieces = [];
    runs.forEach(function (run) {
      if (run.image || run.marks.code || run.marks.link) pieces.push(run);
      else Array.from(run.text).forEach(function (one) { pieces.push({ text: one, marks: Object.assign({}, run.marks), image: null }); });
    });
    ["strong", "em", "strike"].forEach(function (name) {
      function has(at) { return pieces[at] && pieces[at].marks[name]; }
      function peel(from, by) {
        for (var at = from; at >= 0 && at < pieces.length; at += by) {
          var text = pieces[at].text, beside = pieces[at - by];
          if (!has(at) || has(at - by) || !beside || text.length !== 1 || !punct.test(text)) continue;
          if (/[^\s]/.test(beside.text) && !punct.test(beside.text)) delete pieces[at].marks[name];
        }
      }
      peel(0, 1);
      peel(pieces.length - 1, -1);
    });
    return around(pieces);
  }
  function without(runs, names, onlyWith) {
    return around(runs.map(function (run) {
      var marks = Object.assign({}, run.marks);
      if (!onlyWith || onlyWith.some(function (name) { return marks[name]; })) names.forEach(function (name) { delete marks[name]; });
      return { text: run.text, marks: marks, image: run.image };
    }));
  }

  var inlines = new WeakMap(); // what a paragraph was written as, once
  function inlineOf(node, careful) {
    var key = careful ? "careful" : "spare", known = inlines.get(node) || {};
    if (!(key in known)) {
      known[key] = inlineAnew(node, careful);
      inlines.set(node, known);
    }
    return known[key];
  }
  function inlineAnew(node, careful) {
    var isHeading = node.type === types.heading, all = inLines(node), many = 0;
    while (all.length && !all[0].length) all.shift();
    while (all.length && !all[all.length - 1].length) all.pop();
    if (!all.length) return "";
    function write(lined, em, escapes) { return lined.map(function (runs) { return line(runs, em, escapes).replace(/\n/g, " "); }).join("\n"); }
    function reads(lined, text) {
      var found, wanted = JSON.stringify(lined.filter(function (runs) { return runs.length; }).map(shown)), got = [];
      try { found = read((isHeading ? "# " : "") + text, false); } catch (error) { return false; }
      for (var at = 0; at < found.childCount; at++) {
        if (found.child(at).type !== node.type) return false;
        inLines(found.child(at)).forEach(function (runs) { if (runs.length) got.push(shown(runs)); });
      }
      return wanted === JSON.stringify(got);
    }
    function always() { return true; }
    function everywhere() { return true; }
    everywhere.everywhere = true;
    var shapes = [
      function (runs) { return around(runs); },
      peeled,
      function (runs) { return peeled(without(runs, ["em", "strike"], ["strong"])); },
      function (runs) { return peeled(without(runs, ["strike"])); },
      function (runs) { return without(runs, ["strong", "em", "strike"]); },
    ], lined, em, text;
    search: for (var at = 0; at < shapes.length; at++) {
      for (var way = 0; way < 4; way++) {
        lined = all.map(shapes[at]);
        em = "*_".charAt(way % 2);
        text = write(lined, em, way < 2 ? always : everywhere);
        if (reads(lined, text)) break search;
      }
    }
    if (careful || way > 1) return text;
    // as few backslashes as will do: others read this text as it is
    var plain = write(lined, em, function () { many++; return false; });
    if (plain === text || reads(lined, plain)) return plain;
    if (many > MOST_ESCAPES) return text;
    var needed = {};
    for (var tried = 0; tried < many; tried++) needed[tried] = true;
    function chosen() { var place = -1; return function () { place++; return needed[place] === true; }; }
    for (tried = 0; tried < many; tried++) {
      needed[tried] = false;
      if (!reads(lined, write(lined, em, chosen()))) needed[tried] = true;
    }
    return write(lined, em, chosen());
  }

  /* One block as Markdown. `how`: { spare: few backslashes, kept: paragraphs that did not change as they were written }. */
  function block(node, how, mark) {
    var kept = how.kept && lines.get(node);
    switch (node.type) {
      case types.raw: return node.textContent;
      case types.paragraph: return kept === undefined || kept === false ? inlineOf(node, !how.spare) : kept;
      case types.heading: return ("#".repeat(node.attrs.level) + " " + (kept || inlineOf(node, !how.spare))).trim();
      case types.horizontal_rule: return "---";
      case types.code_block: return fenced(node);
      case types.table: return tableText(node, how);
      case types.blockquote: return children(node, how).map(function (one, at) {
        var text = one[1].split("\n").map(function (text) { return text && one[0] !== types.blockquote ? "> " + text : ">" + text; }).join("\n");
        return (!at ? "" : how.close && one[2] ? "\n" : "\n>\n") + text;
      }).join("");
      default: return list(node, how, mark);
    }
  }
  function fenced(node) {
    var text = node.textContent, longest = (text.match(/`+/g) || []).reduce(function (most, run) { return Math.max(most, run.length); }, 2);
    var ticks = (/`/.test(node.attrs.info) ? "~" : "`").repeat(longest + 1);
    return ticks + node.attrs.info + "\n" + text + (text ? "\n" : "") + ticks;
  }
  // with bars below one another: that is how it is read in plain text
  var cellTexts = new WeakMap(); // a cell as a paragraph, which is written once
  function cellText(node, how) {
    if (!node) return "";
    if (!cellTexts.has(node)) cellTexts.set(node, types.paragraph.create(null, node.content));
    return inlineOf(cellTexts.get(node), !how.spare).replace(/\\?\|/g, "\\|");
  }
  function tableText(node, how) {
    var rows = tableOf(node), texts = rows.map(function (cells) { return cells.map(function (one) { return cellText(one, how); }); });
    var widths = texts[0].map(function (_none, at) {
      return Math.min(40, texts.reduce(function (most, cells) { return Math.max(most, Array.from(cells[at]).length); }, 3));
    });
    function padded(text, at) { return text + " ".repeat(Math.max(0, widths[at] - Array.from(text).length)); }
    function bars(cells) { return "| " + cells.join(" | ") + " |"; }
    var lined = texts.map(function (cells) { return bars(cells.map(padded)); });
    lined.splice(1, 0, bars(rows[0].map(function (one, at) {
      var align = one ? one.attrs.align : "", first = /left|center/.test(align) ? ":" : "-", last = /right|center/.test(align) ? ":" : "-";
      return first + "-".repeat(widths[at] - 2) + last;
    })));
    return lined.join("\n");
  }
  function children(node, how) {
    var out = [], before = null;
    node.forEach(function (child) {
      var mark = markOf(child, before), text;
      if (child.type === types.paragraph && !child.content.size && node.childCount > 1) return;
      text = block(child, how, mark);
      if (child.type === types.horizontal_rule && node.type === types.list_item) text = "***";
      out.push([child.type, text, below.has(child)]);
      before = { type: child.type, mark: mark };
    });
    return out.length ? out : [[types.paragraph, ""]];
  }
  function isList(type) { return type === types.bullet_list || type === types.ordered_list; }
  function markOf(node, before) { // two lists in a row would be one
    if (!isList(node.type)) return "";
    if (!before || before.type !== node.type || before.mark !== node.attrs.mark) return node.attrs.mark;
    return node.type === types.bullet_list ? (node.attrs.mark === "-" ? "*" : "-") : node.attrs.mark === "." ? ")" : ".";
  }
  function list(node, how, mark) {
    var tight = node.attrs.tight, number = node.attrs.order, items = node.content.content.map(function (item) { return children(item, how); });
    items.forEach(function (item) {
      item.forEach(function (child, at) { // an ordered list that begins with another number than 1 can't follow a line at once
        if (at && !(isList(child[0]) && /^(?:1[.)]|[-+*])\s/.test(child[1]))) tight = false;
      });
    });
    return items.map(function (item) {
      var sign = (node.type === types.bullet_list ? "" : number++) + (mark || node.attrs.mark) + " ", pad = " ".repeat(sign.length);
      var text = item.map(function (child) { return child[1]; }).join(tight ? "\n" : "\n\n");
      return (sign + text.split("\n").map(function (one, at) { return at && one ? pad + one : one; }).join("\n")).replace(/^ +| +(?=\n|$)/g, "");
    }).join(tight ? "\n" : "\n\n");
  }

  function whole(doc, how) {
    var out = "", past = 0, before = null, last = null, book = null;
    doc.forEach(function (node) {
      var own = how.kept && written.get(node), near, beside, mark;
      if (node.type === types.paragraph && !node.content.size) { past++; return; }
      if (own) book = book || own.book;
      mark = own ? node.attrs.mark : markOf(node, last);
      if (own && isList(node.type) && last && last.type === node.type && last.mark === mark && !(before && before.place === own.place - 1)) {
        own = null;
        mark = markOf(node, last);
      }
      near = own && past === own.book.empties[own.place] && (last ? before && before.book === own.book : true);
      near = near && own.place === (last ? before.place + 1 : 0);
      // what stood right below another block stays there, also when one of the two was changed
      beside = before ? before.book.gaps[before.place + 1] : own ? own.book.gaps[own.place] : null;
      if (how.close && !near && last && !past && beside && !beside.length) past = -1;
      out += near ? own.book.gaps[own.place].map(function (gap) { return gap + "\n"; }).join("") : "\n".repeat(past + (last ? 1 : 0));
      out += (own ? own.text : block(node, how, mark)) + "\n";
      before = own || null;
      last = { type: node.type, mark: mark };
      past = 0;
    });
    if (!last) return "\n".repeat(Math.max(past - 1, 0));
    book = before && before.place === before.book.gaps.length - 2 ? before.book : null; // the text ended with this block
    if (book && past === book.empties[book.empties.length - 1]) {
      return out.slice(0, -1) + book.gaps[book.gaps.length - 1].map(function (gap) { return "\n" + gap; }).join("") + book.end;
    }
    return out + "\n".repeat(past);
  }

  /* The Markdown of a document, and whether reading it gives the same blocks and words. */
  function write(doc) {
    var found = null, texts = [{ kept: true, spare: true, close: true }, { kept: true, spare: true }, { kept: true }, {}].map(function (how) {
      return function () { return whole(doc, how); };
    });
    [shown, words].some(function (by) {
      return texts.some(function (text) {
        text = text();
        try { if (same(read(text, false), doc, by)) found = text; } catch (error) { return false; } // the next way
        return found !== null;
      });
    });
    return { text: found === null ? texts[0]() : found, faithful: found !== null };
  }

  root.editorText = {
    schema: schema, write: write, tooLong: tooLong, isAddress: isAddress,
    read: function (text) { return read(text, true); },
    html: function (text) { // for tests: the dialect is that of markdown.py
      return reader.render(separated(text.split("\n")).map(function (one) { return one[0]; }).join("\n").split(HELD).join("--"));
    },
  };
})(typeof window === "undefined" ? globalThis : window);
