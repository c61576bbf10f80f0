/* Formatted text as it will look. compose/form.js fetches this when somebody wants it; each change is written into the textarea, as
   Markdown and as if typed there, so that saving, sending and going back to the text need to know nothing of an editor. */
(function () {
  "use strict";
  var PM = window.ProseMirror, T = window.editorText;
  if (!PM || !T || window.editor) return;
  var SLOW = 25, PAUSE = 400; // milliseconds: where writing takes longer than the first, it waits for a pause in typing
  var schema = T.schema, types = schema.nodes, marks = schema.marks, open = null; // { view, bar, box, area, words, late, took, ours }

  // --- commands ----------------------------------------------------------------------------------------------------------
  function depthOf(state, type) {
    for (var at = state.selection.$from.depth; at > 0; at--) if (state.selection.$from.node(at).type === type) return at;
    return 0;
  }
  function listOf(state) {
    var bullets = depthOf(state, types.bullet_list), numbers = depthOf(state, types.ordered_list);
    return Math.max(bullets, numbers);
  }
  function toggleList(type) {
    return function (state, dispatch) {
      var depth = listOf(state), list = depth && state.selection.$from.node(depth);
      if (!list) return PM.wrapInList(type)(state, dispatch);
      if (list.type === type) return PM.liftListItem(types.list_item)(state, dispatch);
      if (dispatch) dispatch(state.tr.setNodeMarkup(state.selection.$from.before(depth), type, { tight: list.attrs.tight }));
      return true;
    };
  }
  function toggleQuote(state, dispatch) {
    return depthOf(state, types.blockquote) ? PM.lift(state, dispatch) : PM.wrapIn(types.blockquote)(state, dispatch);
  }
  function toggleHeading(state, dispatch) {
    var on = depthOf(state, types.heading);
    return PM.setBlockType(on ? types.paragraph : types.heading, on ? null : { level: 2 })(state, dispatch);
  }
  function breakLine(state, dispatch) {
    var $from = state.selection.$from;
    if ($from.parent.type !== types.paragraph) return false;
    if (!$from.parentOffset || ($from.nodeBefore && $from.nodeBefore.type === types.hard_break)) return PM.baseKeymap.Enter(state, dispatch);
    if (dispatch) dispatch(state.tr.replaceSelectionWith(types.hard_break.create(), false).scrollIntoView());
    return true;
  }
  // the Enter key within a quotation parts it: the answer goes between
  function answer(state, dispatch) {
    var tr = state.tr, $from = state.selection.$from, $at, at, levels;
    if ($from.depth < 2 || $from.node(1).type !== types.blockquote || $from.parent.type.spec.code) return false;
    if (!dispatch) return true;
    tr.deleteSelection();
    at = tr.selection.from;
    $at = tr.doc.resolve(at);
    if ($at.nodeAfter && $at.nodeAfter.type === types.hard_break) tr.delete(at, at + 1);
    else if ($at.nodeBefore && $at.nodeBefore.type === types.hard_break) tr.delete(--at, at + 1);
    $at = tr.doc.resolve(at);
    levels = $at.depth;
    if ($at.parentOffset === $at.parent.content.size) { at = $at.after(); levels--; }
    else if (!$at.parentOffset) { at = $at.before(); levels--; }
    for ($at = tr.doc.resolve(at); levels && $at.parent.type !== types.paragraph; $at = tr.doc.resolve(at)) {
      if (at !== $at.end() && at !== $at.start()) break;
      at = at === $at.end() ? $at.after() : $at.before(); // nothing would stay on one side
      levels--;
    }
    if (levels) tr.split(at, levels);
    tr.insert(at + levels, types.paragraph.create());
    dispatch(tr.setSelection(PM.TextSelection.create(tr.doc, at + levels + 1)).scrollIntoView());
    return true;
  }
  // an empty last line of a block that is taken as typed ends it
  function leaveCode(state, dispatch) {
    var $from = state.selection.$from, block = $from.parent;
    if (!state.selection.empty || !block.type.spec.code || $from.parentOffset < block.content.size || !/\n$/.test(block.textContent)) return false;
    if (!dispatch) return true;
    var after = $from.after() - 1, tr = state.tr.delete($from.pos - 1, $from.pos).insert(after, types.paragraph.create());
    dispatch(tr.setSelection(PM.TextSelection.create(tr.doc, after + 1)).scrollIntoView());
    return true;
  }
  // --- tables ------------------------------------------------------------------------------------------------------------
  function newTable(rows, columns) {
    return types.table.create(null, Array.from({ length: rows }, function (_none, row) {
      return types.table_row.create(null, Array.from({ length: columns }, function () {
        return (row ? types.table_cell : types.table_header).create();
      }));
    }));
  }
  function tableAt(state) { // { node, at, row, column } of the table that the selection is in
    var $from = state.selection.$from;
    for (var depth = $from.depth; depth > 0; depth--) {
      if ($from.node(depth).type === types.table && $from.depth >= depth + 2) {
        return { node: $from.node(depth), at: $from.before(depth), row: $from.index(depth), column: $from.index(depth + 1) };
      }
    }
    return null;
  }
  function placeOf(table, at, row, column) { // the start of the words of a cell
    var place = at + 1, line, cell;
    for (line = 0; line < row; line++) place += table.child(line).nodeSize;
    for (cell = 0, place++; cell < column; cell++) place += table.child(row).child(cell).nodeSize;
    return place + 1;
  }
  function goTo(tr, at, row, column, whole) {
    var table = tr.doc.nodeAt(at), place = placeOf(table, at, row, column);
    return tr.setSelection(PM.TextSelection.create(
      tr.doc, place, whole ? place + table.child(row).child(column).content.size : place)).scrollIntoView();
  }
  // the same table with its rows (arrays of cells) changed
  function rebuilt(state, found, change, row, column) {
    var rows = found.node.content.content.map(function (one) { return one.content.content.slice(); }), tr = state.tr;
    change(rows);
    if (!rows.length || !rows[0].length) return removeTable(state, found);
    tr.replaceWith(found.at, found.at + found.node.nodeSize, types.table.create(null, rows.map(function (cells, number) {
      return types.table_row.create(null, cells.map(function (cell) { return asCell(cell, number, cell.attrs.align); }));
    })));
    return goTo(tr, found.at, Math.min(row, rows.length - 1), Math.min(column, rows[0].length - 1));
  }
  function asCell(cell, row, align) {
    return (row ? types.table_cell : types.table_header).create({ align: align }, cell.content);
  }
  function removeTable(state, found) {
    var tr = state.tr.replaceWith(found.at, found.at + found.node.nodeSize, types.paragraph.create());
    return tr.setSelection(PM.TextSelection.create(tr.doc, found.at + 1)).scrollIntoView();
  }
  var TABLE = { // what can be done to a table, by the names of their buttons
    row: function (state, at) {
      return rebuilt(state, at, function (rows) {
        rows.splice(at.row + 1, 0, rows[0].map(function (cell) { return types.table_cell.create({ align: cell.attrs.align }); }));
      }, at.row + 1, at.column);
    },
    column: function (state, at) {
      return rebuilt(state, at, function (rows) {
        rows.forEach(function (cells) { cells.splice(at.column + 1, 0, types.table_cell.create()); });
      }, at.row, at.column + 1);
    },
    dropRow: function (state, at) { return rebuilt(state, at, function (rows) { rows.splice(at.row, 1); }, at.row, at.column); },
    dropColumn: function (state, at) {
      return rebuilt(state, at, function (rows) { rows.forEach(function (cells) { cells.splice(at.column, 1); }); }, at.row, at.column);
    },
    dropTable: removeTable,
  };
  function insertTable(state, dispatch) {
    var $from = state.selection.$from, block = $from.node(1), at = $from.before(1), tr = state.tr, empty = isEmptyLine(block);
    if (tableAt(state)) return false;
    if (!dispatch) return true;
    if (!empty) at += block.nodeSize;
    tr.replaceWith(at, empty ? at + block.nodeSize : at, newTable(3, 3));
    dispatch(goTo(tr, at, 0, 0));
    return true;
  }
  function isEmptyLine(block) { return block.type === types.paragraph && !block.content.size; }
  function nextCell(by) { // the Tab key: after the last cell comes a row more
    return function (state, dispatch) {
      var found = tableAt(state), columns, to;
      if (!found) return false;
      columns = found.node.child(found.row).childCount;
      to = found.row * columns + found.column + by;
      if (!dispatch || to < 0) return true;
      if (to >= columns * found.node.childCount) dispatch(goTo(TABLE.row(state, found), found.at, found.row + 1, 0));
      else dispatch(goTo(state.tr, found.at, Math.floor(to / columns), to % columns, true));
      return true;
    };
  }
  function below(state, dispatch) { // the Enter key: the cell below, then what follows the table
    var found = tableAt(state), tr = state.tr;
    if (!found) return false;
    if (!dispatch) return true;
    if (found.row + 1 < found.node.childCount) dispatch(goTo(tr, found.at, found.row + 1, found.column));
    else dispatch(tr.setSelection(PM.TextSelection.near(tr.doc.resolve(found.at + found.node.nodeSize))).scrollIntoView());
    return true;
  }
  // what is deleted across cells leaves the cells; null where the selection is within one
  function emptied(state) {
    var from = state.selection.from, to = state.selection.to, found = tableAt(state), tr = state.tr, spans = [];
    if (!found || to > found.at + found.node.nodeSize || state.selection.$from.sameParent(state.selection.$to)) return null;
    state.doc.nodesBetween(from, to, function (node, at) {
      if (node.isTextblock) spans.unshift([Math.max(from, at + 1), Math.min(to, at + 1 + node.content.size)]);
    });
    spans.forEach(function (span) { if (span[1] > span[0]) tr.delete(span[0], span[1]); });
    return tr.setSelection(PM.TextSelection.create(tr.doc, from)).scrollIntoView();
  }
  function empty(state, dispatch) {
    var tr = emptied(state);
    if (tr && dispatch) dispatch(tr);
    return Boolean(tr);
  }
  // every row as long as the longest, headers in the first alone, and a line to write in after a table at the end; null: all is well
  function mended(state) {
    var tr = state.tr, last = state.doc.lastChild;
    state.doc.forEach(function (table, at) {
      var columns = 0, right = true;
      if (table.type !== types.table) return;
      table.forEach(function (row) { columns = Math.max(columns, row.childCount); });
      table.forEach(function (row, _place, number) {
        right = right && row.childCount === columns;
        row.forEach(function (cell, _place, column) {
          var head = table.child(0).maybeChild(column);
          right = right && (cell.type === types.table_header) === !number && cell.attrs.align === (head ? head.attrs.align : "");
        });
      });
      if (right) return;
      var rows = table.content.content.map(function (row, number) {
        return types.table_row.create(null, Array.from({ length: columns }, function (_none, column) {
          var head = table.child(0).maybeChild(column);
          return asCell(row.maybeChild(column) || types.table_cell.create(), number, head ? head.attrs.align : "");
        }));
      });
      tr.replaceWith(tr.mapping.map(at), tr.mapping.map(at + table.nodeSize), types.table.create(null, rows));
    });
    if (last.type === types.table) tr.insert(tr.doc.content.size, types.paragraph.create());
    if (!tr.docChanged) return null;
    return tr.setSelection(PM.TextSelection.near(tr.doc.resolve(Math.min(state.selection.from, tr.doc.content.size))));
  }
  function tableRow(words) {
    var row = element("div", { class: "editor-link editor-table", role: "group", "aria-label": words.table }, Object.keys(TABLE).map(function (what) {
      return element("button", { type: "button", class: "btn", "data-table": what }, [words[what]]);
    }));
    row.hidden = true;
    row.addEventListener("mousedown", function (event) { event.preventDefault(); });
    row.addEventListener("click", function (event) {
      var found = tableAt(open.view.state), what = event.target.dataset.table;
      if (!found || !what) return;
      open.view.dispatch(TABLE[what](open.view.state, found));
      open.view.focus();
    });
    return row;
  }

  function leave() {
    open.bar.querySelector("button[tabindex='0']").focus();
    return true;
  }
  var keys = {
    "Mod-b": PM.toggleMark(marks.strong), "Mod-i": PM.toggleMark(marks.em), "Mod-k": function () { askLink(); return true; },
    "Mod-Shift-7": toggleList(types.ordered_list), "Mod-Shift-8": toggleList(types.bullet_list), "Mod-Shift-9": toggleQuote,
    "Mod-Shift-6": insertTable, "Tab": nextCell(1), "Shift-Tab": nextCell(-1),
    "Mod-z": PM.undo, "Mod-y": PM.redo, "Shift-Mod-z": PM.redo, "Escape": leave, "Alt-F10": leave,
    "Enter": PM.chainCommands(below, leaveCode, PM.splitListItem(types.list_item), answer), "Shift-Enter": PM.chainCommands(below, PM.exitCode, breakLine),
    "Mod-]": PM.sinkListItem(types.list_item), "Mod-[": PM.liftListItem(types.list_item),
    "Backspace": PM.chainCommands(empty, PM.undoInputRule), "Delete": empty,
  };
  // the sign of a point typed in a point: there is one already
  function once(rule) {
    var handle = rule.handler;
    rule.handler = function (state, match, start, end) { return listOf(state) ? state.tr.delete(start, end) : handle(state, match, start, end); };
    return rule;
  }
  var rules = PM.inputRules({ rules: [
    once(PM.wrappingInputRule(/^\s*([-+*])\s$/, types.bullet_list)),
    once(PM.wrappingInputRule(/^(\d{1,3})\.\s$/, types.ordered_list, function (match) { return { order: +match[1] }; })),
    PM.wrappingInputRule(/^\s*>\s$/, types.blockquote),
    PM.textblockTypeInputRule(/^(#{1,3})\s$/, types.heading, function (match) { return { level: match[1].length }; }),
    PM.textblockTypeInputRule(/^```$/, types.code_block),
  ] });

  // --- the tools ---------------------------------------------------------------------------------------------------------
  var TOOLS = [ // name, how it looks, what it does, whether it is on, its keys
    ["bold", "B", keys["Mod-b"], hasMark(marks.strong), "B"],
    ["italic", "I", keys["Mod-i"], hasMark(marks.em), "I"],
    ["heading", "H", toggleHeading, function (state) { return depthOf(state, types.heading); }],
    ["bullets", "M9 6h12M9 12h12M9 18h12M4 6h.01M4 12h.01M4 18h.01", toggleList(types.bullet_list), inList(types.bullet_list), "⇧8"],
    ["numbers", "M10 6h11M10 12h11M10 18h11M4 4v4M3 8h2M3 12h2.5L3 15.5h2.5", toggleList(types.ordered_list), inList(types.ordered_list), "⇧7"],
    ["quote", "M4 5v14M9 8h11M9 12h11M9 16h7", toggleQuote, function (state) { return depthOf(state, types.blockquote); }, "⇧9"],
    ["table", "M4 5h16v14H4zM4 10h16M4 14.5h16M10 5v14", insertTable, function (state) { return Boolean(tableAt(state)); }, "⇧6"],
    ["link", "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1", askLink, hasMark(marks.link), "K"],
    ["undo", "M8 5 4 9l4 4M4 9h10a5 5 0 0 1 0 10h-3", PM.undo, null, "Z"],
    ["redo", "M16 5l4 4-4 4M20 9H10a5 5 0 0 0 0 10h3", PM.redo, null, "Y"],
  ];
  function hasMark(type) {
    return function (state) {
      var chosen = state.selection;
      return chosen.empty ? type.isInSet(state.storedMarks || chosen.$from.marks()) : state.doc.rangeHasMark(chosen.from, chosen.to, type);
    };
  }
  function inList(type) { return function (state) { var depth = listOf(state); return depth && state.selection.$from.node(depth).type === type; }; }
  function element(name, attributes, children) {
    var made = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    (children || []).forEach(function (child) { made.append(child); });
    return made;
  }
  function picture(tool) {
    if (tool[1].length === 1) return element({ B: "b", I: "i", H: "span" }[tool[1]], { "aria-hidden": "true" }, [tool[1]]);
    var svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), path = document.createElementNS(svg.namespaceURI, "path");
    var looks = { viewBox: "0 0 24 24", width: 18, height: 18, fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round" };
    Object.keys(looks).forEach(function (key) { svg.setAttribute(key, looks[key]); });
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", tool[1]);
    svg.append(path);
    return svg;
  }
  function toolbar(words) {
    var mod = /Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘" : words.ctrl + "+";
    var bar = element("div", { role: "toolbar", "aria-label": words.tools, "aria-controls": "editor" }, TOOLS.map(function (tool, at) {
      var name = words[tool[0]], more = tool[3] ? { "aria-pressed": "false" } : {};
      return element("button", Object.assign({
        type: "button", class: "btn btn-quiet", "aria-label": name, title: tool[4] ? name + " (" + mod + tool[4] + ")" : name, "data-tool": tool[0],
        tabindex: at ? "-1" : "0",
      }, more), [picture(tool)]);
    }));
    bar.addEventListener("mousedown", function (event) { event.preventDefault(); }); // the text keeps its selection
    bar.addEventListener("click", function (event) {
      var button = event.target.closest("button"), tool = TOOLS.find(function (one) { return button && one[0] === button.dataset.tool; });
      if (!tool) return;
      tool[2](open.view.state, open.view.dispatch, open.view);
      if (tool[0] !== "link" && document.activeElement !== button) open.view.focus();
    });
    bar.addEventListener("keydown", function (event) { // one stop for the Tab key, arrows within
      var all = Array.from(bar.children).filter(function (one) { return one.offsetParent; }), at = all.indexOf(document.activeElement);
      var to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
      if (at < 0 || to === undefined) return;
      event.preventDefault();
      to = (to + all.length) % all.length;
      all.forEach(function (one, number) { one.tabIndex = number === to ? 0 : -1; });
      all[to].focus();
    });
    return bar;
  }
  function showTools() {
    open.box.querySelector("[data-table]").parentNode.hidden = !tableAt(open.view.state);
    open.bar.querySelectorAll("[data-tool][aria-pressed]").forEach(function (button) {
      var tool = TOOLS.find(function (one) { return one[0] === button.dataset.tool; });
      button.setAttribute("aria-pressed", String(Boolean(tool[3](open.view.state))));
    });
  }

  // --- links -------------------------------------------------------------------------------------------------------------
  function linkAround(state) { // [from, to, mark] of the link that the selection is in
    var $from = state.selection.$from, at = $from.start(), found = null;
    var mark = marks.link.isInSet($from.marks()) || ($from.nodeAfter && marks.link.isInSet($from.nodeAfter.marks));
    if (!mark) return null;
    $from.parent.forEach(function (node) {
      var same = mark.isInSet(node.marks);
      if (same && found && found[1] === at) found[1] = at + node.nodeSize;
      else if (same && !(found && found[1] >= $from.pos)) found = [at, at + node.nodeSize, mark];
      at += node.nodeSize;
    });
    return found;
  }
  function askLink() {
    var row = open.box.querySelector(".editor-link"), field = row.querySelector("input"), found = linkAround(open.view.state);
    field.value = found ? found[2].attrs.href : "";
    field.removeAttribute("aria-invalid");
    row.querySelector("[data-link=remove]").hidden = !found;
    row.hidden = false;
    field.focus();
    field.select();
  }
  function linkRow(words) {
    var field = element("input", {
      type: "text", inputmode: "url", autocapitalize: "none", autocomplete: "off", spellcheck: "false", size: "30", placeholder: "https://",
    });
    var row = element("div", { class: "editor-link", role: "group", "aria-label": words.link }, [
      element("label", {}, [words.address + " ", field]),
    ].concat(["set", "remove", "cancel"].map(function (what) {
      return element("button", { type: "button", class: "btn", "data-link": what }, [words[what]]);
    })));
    row.hidden = true;
    row.addEventListener("click", function (event) { if (event.target.dataset.link) useLink(row, field, event.target.dataset.link); });
    row.addEventListener("keydown", function (event) {
      if (event.key === "Enter" && event.target === field) useLink(row, field, "set");
      else if (event.key === "Escape") useLink(row, field, "cancel");
      else return;
      event.preventDefault(); // no button of the form is meant
    });
    return row;
  }
  function useLink(row, field, what) {
    var state = open.view.state, found = linkAround(state), chosen = state.selection, tr = state.tr, href = field.value.trim(), mark;
    if (what === "set") {
      if (/^[^\s@/:]+@[^\s@/]+\.[^\s@/]+$/.test(href)) href = "mailto:" + href;
      else if (!/^[a-z][a-z0-9+.-]*:(?!\d)/i.test(href)) href = "https://" + href;
      if (!T.isAddress(href) || !/^https?:\/\/[^/\s]+\.[^/\s]+|^mailto:/i.test(href)) {
        field.setAttribute("aria-invalid", "true");
        field.focus();
        return;
      }
      mark = marks.link.create({ href: href });
      if (!chosen.empty) tr.addMark(chosen.from, chosen.to, mark);
      else if (found) tr.removeMark(found[0], found[1], marks.link).addMark(found[0], found[1], mark);
      else {
        if (chosen.$from.nodeBefore && chosen.$from.nodeBefore.isText && !/\s$/.test(chosen.$from.nodeBefore.text)) tr.insertText(" ");
        tr.replaceSelectionWith(schema.text(href.replace(/^mailto:/, ""), [mark]), false);
      }
    } else if (what === "remove" && found) tr.removeMark(found[0], found[1], marks.link);
    row.hidden = true;
    open.view.dispatch(tr);
    open.view.focus();
  }

  // --- pictures ----------------------------------------------------------------------------------------------------------
  // where the file of this name is, if the draft has it: never an address outside
  function sourceOf(name) {
    var row = Array.from(document.querySelectorAll("[data-picture]")).find(function (one) {
      return one.dataset.picture.endsWith("](" + name + ")");
    });
    return row ? row.dataset.src : "";
  }
  function showPicture(node) {
    var src = sourceOf(node.attrs.src), dom = element("span", { class: "editor-image", "data-image": node.attrs.src });
    if (src) dom.append(element("img", { src: src, alt: node.attrs.alt }));
    else dom.append(node.attrs.alt || node.attrs.src);
    return { dom: dom };
  }
  document.addEventListener("picture", function (event) { // asked for beside the file (pictures.js)
    if (!open || event.target !== open.area) return;
    event.preventDefault();
    open.view.dispatch(open.view.state.tr.replaceSelection(new PM.Slice(T.read(event.detail.mark).firstChild.content, 0, 0)).scrollIntoView());
    open.view.focus();
  });

  // --- what is pasted ----------------------------------------------------------------------------------------------------
  // Word writes the points of a list as paragraphs, each with its sign in it
  function wordLists(html) {
    return html.replace(/<p\b[^>]*mso-list:\s*l\d+ level\d[^>]*>([^]*?)<\/p\s*>/gi, function (_point, inside) {
      var sign = "", text = inside.replace(/<!(?:--)?\[if !supportLists\](?:--)?>([^]*?)<!(?:--)?\[endif\](?:--)?>/i, function (_all, shown) {
        sign = shown.replace(/<[^>]*>|&nbsp;|\s/g, "");
        return "";
      });
      var list = /^\(?(\d+|[a-z]|[ivx]+)[.)]/i.test(sign) ? "ol" : "ul";
      return "<" + list + "><li>" + text + "</li></" + list + "><!--point-->";
    }).replace(/<\/(ul|ol)><!--point-->\s*<\1><li>/g, "<li>");
  }
  // what the schema does not know is dropped; here goes what a browser reports against the page's policy even where nothing shows it
  function pastedHTML(html) {
    return wordLists(html).replace(/<(style|script)\b[^]*?(<\/\1\s*>|$)/gi, "").replace(/<[a-z](?:[^>"']|"[^"]*"|'[^']*')*>?/gi, function (tag) {
      return tag.replace(/([\s/"'])(style|on[a-z]+)(?=\s*=)/gi, "$1 data-$2");
    }).replace(/<\/t[dh]\s*>/gi, " $&").replace(/<\/tr\s*>/gi, "<td data-end><br></td>$&"); // cells stay apart
  }
  function pastedText(text, _context, _plain, view) { // as it is: lines stay lines, and no sign means anything
    var paragraphs = text.replace(/\r\n?/g, "\n").replace(/\n+$/, "").split(/\n[ \t]*(?:\n[ \t]*)+/), held = view.state.selection.$from.marks();
    return new PM.Slice(PM.Fragment.fromArray(paragraphs.map(function (paragraph) {
      var content = [];
      paragraph.split("\n").forEach(function (line, at) {
        if (at) content.push(types.hard_break.create());
        if (line) content.push(schema.text(line, held));
      });
      return types.paragraph.create(null, content);
    })), 1, 1);
  }

  // what was pasted with its looks can be pasted as plain text, until something else is changed
  function pasteRow(words) {
    var row = element("div", { class: "editor-link", role: "group", "aria-label": words.plain }, [
      element("button", { type: "button", class: "btn", "data-plain": "" }, [words.plain + " (" + words.ctrl + "+⇧V)"]),
    ]);
    row.hidden = true;
    row.addEventListener("mousedown", function (event) { event.preventDefault(); });
    row.firstChild.addEventListener("click", function () {
      var pasted = open.pasted, tr = open.view.state.tr;
      if (!pasted) return;
      open.pasted = null;
      tr.replaceWith(0, tr.doc.content.size, pasted.before.doc.content);
      tr.setSelection(PM.TextSelection.between(tr.doc.resolve(pasted.before.selection.from), tr.doc.resolve(pasted.before.selection.to)));
      open.view.dispatch(plainly(tr, pasted));
      open.view.focus();
    });
    return row;
  }
  function plainly(tr, pasted) {
    if (tableAt(pasted.before)) return tr.insertText(pasted.text.replace(/\s+/g, " ").trim()).scrollIntoView();
    return tr.replaceSelection(pastedText(pasted.text, null, true, { state: pasted.before })).scrollIntoView();
  }
  function paste(view, event, slice) { // as it comes; into a cell, its words alone
    var data = event.clipboardData, text = data ? data.getData("text/plain") : "", words;
    open.pasted = data && /\S/.test(text) && data.getData("text/html") ? { before: view.state, text: text, fresh: true } : null;
    if (!tableAt(view.state)) return false;
    words = slice.content.textBetween(0, slice.content.size, " ", " ").replace(/\s+/g, " ").trim();
    view.dispatch(view.state.tr.insertText(words).setMeta("paste", true).scrollIntoView());
    return true;
  }
  function offerPlain(tr) {
    var pasted = open.pasted;
    if (pasted && tr.docChanged && !(pasted.fresh && tr.getMeta("paste"))) pasted = null;
    if (pasted && pasted.fresh) {
      pasted.fresh = false;
      if (plainly(pasted.before.tr, pasted).doc.eq(open.view.state.doc)) pasted = null; // it had no looks
    }
    open.pasted = pasted;
    open.box.querySelector("[data-plain]").parentNode.hidden = !pasted;
  }

  // --- the text ----------------------------------------------------------------------------------------------------------
  function flush() {
    if (!open || !open.late) return;
    clearTimeout(open.late);
    open.late = 0;
    var begun = Date.now(), written = T.write(open.view.state.doc);
    open.took = Date.now() - begun;
    if (open.area.value === written.text) return;
    open.area.value = written.text;
    open.ours = true;
    open.area.dispatchEvent(new Event("input", { bubbles: true }));
    open.ours = false;
    if (T.tooLong(written.text)) say(open.words.long);
    else if (!written.faithful) say(open.words.unsure);
    else say("");
  }
  function say(words) {
    var line = open.box.querySelector("[role=status]");
    if (line.textContent !== words) line.textContent = words;
  }
  function changed(tr) {
    if (!open) return;
    var state = open.view.state.apply(tr), more = tr.docChanged && mended(state);
    if (more) state = state.apply(more.setMeta("appendedTransaction", tr));
    open.view.updateState(state);
    offerPlain(tr);
    open.view.dom.classList.toggle("editor-empty", isEmpty(open.view.state.doc));
    showTools();
    if (!tr.docChanged) return;
    clearTimeout(open.late);
    open.late = setTimeout(flush, PAUSE);
    if (open.took < SLOW) flush();
  }
  function isEmpty(doc) { return doc.childCount === 1 && doc.firstChild.type === types.paragraph && !doc.firstChild.content.size; }
  function stateOf(doc) {
    return PM.EditorState.create({ doc: doc, plugins: [rules, PM.keymap(keys), PM.keymap(PM.baseKeymap), PM.history()] });
  }
  function attributes() {
    var area = open ? open.area : null, out = {
      id: "editor", role: "textbox", "aria-multiline": "true", "aria-labelledby": "editor-label", spellcheck: "true", translate: "no",
      "aria-placeholder": area ? area.placeholder : "", "data-placeholder": area ? area.placeholder : "",
    };
    if (area && area.lang) out.lang = area.lang;
    return out;
  }
  // text that something else put into the textarea
  function takeOver() {
    var doc;
    try { doc = T.tooLong(open.area.value) ? null : T.read(open.area.value); } catch (error) { doc = null; }
    if (!doc) { // the textarea has it; compose/form.js says why
      var area = open.area;
      close();
      area.dispatchEvent(new Event("change", { bubbles: true }));
      return;
    }
    open.view.updateState(stateOf(doc));
    open.view.dom.classList.toggle("editor-empty", isEmpty(doc));
  }

  /* Show the textarea's text in the editor instead. Returns "" or why that can't be: "long", "other", "absent" (in this browser). */
  function show(area, words) {
    var doc, label = document.querySelector("label[for=" + area.id + "]"), focused = document.activeElement === area || area.autofocus;
    var tools = area.form && area.form.querySelector("[data-tools]");
    if (open && open.area === area && open.box.isConnected) return "";
    close();
    if (T.tooLong(area.value)) return "long";
    try { doc = T.read(area.value); } catch (error) { return "other"; }
    label.id = "editor-label";
    var bar = toolbar(words), box = element("div", { class: "editor" }, [
      linkRow(words), tableRow(words), pasteRow(words), element("p", { class: "editor-said small", role: "status" }),
    ]);
    open = { bar: bar, box: box, area: area, words: words, late: 0, took: 0, ours: false, view: null, pasted: null };
    area.before(box);
    if (tools) tools.append(bar);
    else box.prepend(bar);
    try { dress(box, area, doc); } catch (error) {
      bar.remove();
      box.remove();
      open = null;
      return "absent";
    }
    var caret = focused && caretIn(area, doc), tr = open.view.state.tr;
    hold(area, true);
    showTools();
    if (focused) {
      tr.setSelection(PM.TextSelection.near(tr.doc.resolve(caret.at)));
      if (caret.blanks) tr.insertText(caret.blanks);
      open.view.dispatch(tr.scrollIntoView());
      open.view.focus();
    }
    return "";
  }
  // the textarea keeps the words out of sight
  function hold(area, is) {
    area.classList.toggle("held", is);
    area.tabIndex = is ? -1 : 0;
    area.autofocus = false;
    if (is) area.setAttribute("aria-hidden", "true");
    else area.removeAttribute("aria-hidden");
  }
  // where the textarea's caret is in the document, found by a sign that is put there for a moment; and the blanks typed before it,
  // which Markdown drops at the end of a line
  function caretIn(area, doc) {
    var before = area.value.slice(0, area.selectionEnd), sign = "\uE0FE", number = 0, found = null, out = { at: 0, blanks: "" };
    if (!before) return out;
    try {
      T.read(before + sign + area.value.slice(before.length)).descendants(function (node) {
        if (!node.isTextblock) return;
        var at = node.textBetween(0, node.content.size, "", "\n").indexOf(sign);
        if (at >= 0) found = [number, at];
        number++;
      });
    } catch (error) { return out; }
    number = 0;
    if (found) doc.descendants(function (node, at) {
      if (!node.isTextblock || number++ !== found[0]) return;
      out.at = at + 1 + Math.min(found[1], node.content.size);
      if (found[1] > node.content.size && /\S[ \t]+$/.test(before)) out.blanks = " ";
    });
    return out;
  }
  function showRaw() {
    var inner = element("code");
    return { dom: element("pre", { "data-raw": open.words.raw }, [inner]), contentDOM: inner };
  }
  function dress(box, area, doc) {
    open.view = new PM.EditorView(box, {
      state: stateOf(doc), dispatchTransaction: changed, attributes: attributes, clipboardTextParser: pastedText, transformPastedHTML: pastedHTML,
      handlePaste: paste, handleTextInput: function (view, _from, _to, text) {
        var tr = emptied(view.state);
        if (tr) view.dispatch(tr.insertText(text));
        return Boolean(tr);
      },
      nodeViews: { image: showPicture, raw: showRaw },
      handleDOMEvents: { blur: function () { flush(); return false; } },
    });
    open.view.dom.classList.toggle("editor-empty", isEmpty(doc));
    [open.bar, box].forEach(function (part) {
      part.addEventListener("keydown", function (event) { // no keys of the page's own
        if (event.key !== "Escape" && !event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
      });
    });
  }
  function close() {
    if (!open) return;
    flush();
    var state = open, focused = state.box.contains(document.activeElement) || state.bar.contains(document.activeElement);
    open = null;
    state.view.destroy();
    state.bar.remove();
    state.box.remove();
    hold(state.area, false);
    if (focused) state.area.focus();
  }

  // whatever looks at the form sees the latest words
  document.addEventListener("submit", flush, true);
  document.addEventListener("htmx:confirm", flush, true);
  document.addEventListener("htmx:beforeSwap", flush, true);
  document.addEventListener("htmx:afterSwap", function () { if (open && !open.box.isConnected) close(); }); // it would go on with what has gone
  document.addEventListener("visibilitychange", flush, true);
  window.addEventListener("pagehide", flush, true);
  window.addEventListener("beforeunload", flush, true);
  document.addEventListener("input", function (event) { if (open && event.target === open.area && !open.ours) takeOver(); });
  document.addEventListener("change", function (event) { // compose/form.js gives the textarea its language
    if (open && event.target.id === "language") setTimeout(function () { if (open) open.view.setProps({ attributes: attributes }); });
  });

  // where somebody writes, for focus() to go back to once the form came anew
  function place() { return open && open.view.hasFocus() ? open.view.state.selection : null; }
  function focus(place) {
    if (!open) return;
    var state = open.view.state, most = state.doc.content.size;
    function at(position) { return state.doc.resolve(Math.min(position, most)); }
    if (place) open.view.dispatch(state.tr.setSelection(PM.TextSelection.between(at(place.anchor), at(place.head))));
    open.view.focus();
  }

  window.editor = { show: show, close: close, focus: focus, place: place };
})();
