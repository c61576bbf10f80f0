"""The editor of formatted text: what it writes, what it leaves alone, and what it makes of what is pasted."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import drawn, wait_for_row
from webmail.mime.html import markdown

OpenBrowser = Callable[..., Page]
ALICE, BOB = "alice@lycee.example", "bob@lycee.example"
pytestmark = pytest.mark.parametrize("scripts", [True])

QUOTED = (
    "\n\nLe 3 mars, Bob a écrit :\n> Bonjour *Alice*,\n> voici_les notes :\n>\n>> - une\n>> - deux\n> 1 < 2 & 3 \\* 4\n\n"
    "-- \nAlice Leroy * professeure_de *maths\n#8, Lycée Ampère\n  04 78 00 00 00\n"
)
SAMPLES = (
    QUOTED,
    "# Titre\ntexte\n\n## Autre ##\n- a\n- b\n  1. c\n  2. d\n\n    e\n* f\n\n\n\n3) g\n",
    "**gras** *it* ~~non~~ `c` [l](https://x.fr/a_(b)) <https://y.fr> https://x.fr/a_b*c* www.z.fr a@b.fr\n",
    "| a | b |\n|---|:-:|\n| 1 | **2** |\n\nfin  \nici\\\nlà\n",
    "```py\n# pas un titre\n-- \n```\n> ```\n> dans\nréponse\n~~~\n",
    "    pas du code\n\t- liste ?\n-- \n***\n_a_b_ 2*3*4 &amp; &copy; <b>x</b> ![x](http://ailleurs/y.png)\n",
    "- a\n\n  b\n- > c\n  d\n+ \n\n1986. Une année\n\\- rien\n===\n",
)


def write(page: Page, text: str = "") -> None:
    page.goto("/compose?format=")
    expect(page.locator("#to-typing")).to_be_focused()
    if text:
        page.fill("#body", text)
    if not page.locator("#format").is_visible():
        page.click("[data-formatting]")
    page.select_option("#format", "markdown")
    expect(page.locator("#editor")).to_be_visible()


def text_of(page: Page) -> str:
    """What the form would send: where the machine is slow, the editor writes it a moment after the last key, or now if asked."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    return page.locator("#body").input_value()


def begin(page: Page) -> None:
    """The cursor before the first letter. Just after the focus came, a jump to the start is taken for a fault of the browser's."""
    page.locator("#editor").focus()
    page.wait_for_timeout(250)  # 200 of them the editor's library counts itself
    page.keyboard.press("Control+Home")
    drawn(page)


def paste(page: Page, **kinds: str) -> None:
    page.evaluate(
        """kinds => {
          const data = new DataTransfer();
          for (const kind in kinds) data.setData("text/" + kind, kinds[kind]);
          document.getElementById("editor").dispatchEvent(
            new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        kinds,
    )


def html_of(text: str) -> str:
    """What readers see of a text, without styles and line ends."""
    return plain(markdown.to_html(text))


def plain(html: str) -> str:
    """Tags alone: no styles, no addresses, which the two readers write in ways of their own."""
    html = re.sub(r"<(?:/?a|/?code)\b[^>]*>", "", html).replace("&quot;", '"')
    html = re.sub(r"<(\w+)[^>]*?>", r"<\1>", html).replace("\u00a0", " ")
    return re.sub(r"\s+(?=<|$)|\n", "", html)


def test_bold_and_a_list_are_sent_as_html(open_browser: OpenBrowser, check_accessibility: Callable[[Page], None]) -> None:
    words = f"Éditeur {time.time_ns()}"
    page = open_browser(ALICE)
    assert page.locator("script[src*='editor'], script[src*='prosemirror']").count() == 0
    write(page)
    page.fill("#to", BOB)
    page.fill("#subject", words)
    editor = page.get_by_role("textbox", name="Texte", exact=True)
    editor.click()
    page.keyboard.type("Voici ")
    page.keyboard.press("Control+b")
    expect(page.get_by_role("button", name="Gras")).to_have_attribute("aria-pressed", "true")
    page.keyboard.type("deux")
    page.keyboard.press("Control+b")
    page.keyboard.type(" choses, a/b #1")
    page.keyboard.press("Enter")
    page.keyboard.type("- une\nautre")
    assert text_of(page) == "Voici **deux** choses, a/b #1\n\n- une\n- autre\n"
    check_accessibility(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("toolbar").get_by_role("button").first).to_be_focused()
    page.reload()  # typed in time, or taken along as the page went
    expect(page.locator("#editor li")).to_have_count(2)
    page.click("button[value=send]")
    expect(page.locator("[role=status]").first).to_contain_text(re.compile("Envoi|Envoyé"))
    bob = open_browser(BOB)
    wait_for_row(bob, words)
    bob.locator("[data-row]", has_text=words).locator(".s a").click()
    body = bob.frame_locator("[data-message-body] iframe").locator("body")
    expect(body.locator("strong")).to_have_text("deux")
    expect(body.locator("li")).to_have_text(["une", "autre"])


def test_quotation_and_signature_stay_word_for_word(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    write(page, QUOTED)
    assert text_of(page) == QUOTED
    begin(page)
    page.keyboard.type("Oui *vraiment* - d'accord")
    assert text_of(page).endswith(QUOTED.lstrip("\n"))
    assert text_of(page).startswith("Oui ")
    assert "<p>Oui *vraiment* - d'accord</p>" in html_of(text_of(page))
    page.get_by_text("voici_les notes").click()  # the answer goes into the quotation
    drawn(page)
    page.keyboard.press("End")
    drawn(page)
    page.keyboard.press("Enter")
    page.keyboard.type("Merci.")
    above, below = QUOTED.lstrip("\n").split(">\n>> - une")
    assert f"{above}\nMerci.\n\n>> - une{below}" in text_of(page)
    kept = text_of(page)
    page.click("#options summary")
    page.get_by_role("button", name="Texte", exact=True).click()
    expect(page.locator("#body:not(.held)")).to_be_visible()
    assert text_of(page) == kept
    page.reload()
    expect(page.locator("#body:not(.held)")).to_be_visible()  # remembered by the browser
    expect(page.locator("#editor")).to_have_count(0)


def test_what_is_pasted_becomes_clean_markdown(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)  # whose fixture fails on anything that the page's policy refuses
    write(page)
    begin(page)
    paste(
        page,
        plain="x",
        html="""<style>p{color:red}</style><script>alert(1)</script><p style="position:fixed" onclick="alert(1)">Bon
        <img src="http://ailleurs.example/x.png" onerror="alert(1)"><a href="javascript:alert(1)">jour</a>
        <a href="https://bon.example/a?b=1">lien</a> <b>gras</b> <span style="font-weight:700">aussi</span></p>
        <span data-image="http://ailleurs.example/y.png">texte</span><iframe src="http://ailleurs.example"></iframe>
        <table><tr><td>un</td><td>deux</td></tr></table>""",
    )
    text = text_of(page)
    assert text.startswith("Bon jour [lien](https://bon.example/a?b=1) **gras** **aussi**\n\ntexte\n\nun deux")
    assert "ailleurs" not in text and "alert" not in text
    page.keyboard.press("Control+a")
    drawn(page)
    paste(page, plain="*.txt et 2*3\n- tiret\n\n# dièse")
    assert html_of(text_of(page)) == "<p>*.txt et 2*3<br>- tiret</p><p># dièse</p>"


def test_lists_come_from_word_as_lists(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    write(page)
    begin(page)
    point = """<p class=MsoListParagraph style='text-indent:-18pt;mso-list:l0 level1 lfo1'><![if !supportLists]><span
        style='font-family:Symbol'>{}<span style='font:7pt "Times New Roman"'>&nbsp; </span></span><![endif]>{}</p>\n"""
    rows = [("·", "Salles"), ("·", "<b>Horaires</b>"), ("1.", "Lundi"), ("2.", "Mardi")]
    paste(page, plain="x", html="<p class=MsoNormal>Points :</p>" + "".join(point.format(*row) for row in rows) + "<p>Fin</p>")
    assert text_of(page).startswith("Points :\n\n- Salles\n- **Horaires**\n\n1. Lundi\n2. Mardi\n\nFin")


def test_a_text_is_read_and_written_back_the_same(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    write(page)
    for sample in SAMPLES:
        found = page.evaluate(
            """text => { const doc = editorText.read(text), written = editorText.write(doc);
                 return [written.text, written.faithful, editorText.html(text)]; }""",
            sample,
        )
        assert found[:2] == [sample, True]
        if "\t" not in sample:  # what is indented so is shown as it is written
            assert plain(found[2]) == html_of(sample)
    long = "mot " * 6000
    page.click("#options summary")
    page.get_by_role("button", name="Texte", exact=True).click()
    page.fill("#body", long)
    page.locator("#options").evaluate("menu => { menu.open = true; }")
    page.get_by_role("button", name="Éditeur").or_(page.get_by_role("button", name="Editor")).click()
    expect(page.locator("[data-editor] [role=status]")).not_to_be_empty()
    expect(page.locator("#body:not(.held)")).to_be_visible()
    assert text_of(page) == long


TABLE = "| Jour  | Salle | Qui |\n| ----- | ----- | --- |\n| lundi | B12   |     |\n|       |       |     |\n"


def test_a_table_is_made_and_filled_by_keys_alone(open_browser: OpenBrowser, check_accessibility: Callable[[Page], None]) -> None:
    page = open_browser(ALICE)
    write(page)
    begin(page)
    page.keyboard.type("Voici")
    page.keyboard.press("Control+Shift+6")
    expect(page.locator("#editor th")).to_have_count(3)
    for word in ("Jour", "Salle", "Qui", "lundi", "B12"):
        page.keyboard.type(word)
        page.keyboard.press("Tab")
    assert text_of(page).startswith(f"Voici\n\n{TABLE}")
    expect(page.locator("[data-tool=table]")).to_have_attribute("aria-pressed", "true")
    check_accessibility(page)
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("B|13")  # what was there is selected
    page.keyboard.press("Enter")  # to the cell below
    page.keyboard.press("Enter")  # and out of the table
    page.keyboard.type("Fin")
    assert "| B\\|13" in text_of(page) and text_of(page).rstrip().endswith("|\n\nFin")
    html = markdown.to_html(text_of(page))
    assert html.count("<th ") == 3 and ">B|13</td>" in html and "<p>Fin</p>" in html
    page.reload()  # as a draft that is opened again
    expect(page.locator("#editor td").nth(1)).to_have_text("B|13")
    begin(page)
    page.keyboard.press("Control+z")  # nothing of the table is lost by this
    expect(page.locator("#editor tr")).to_have_count(3)


def test_rows_and_columns_come_and_go(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    write(page, "Avant\n\n| a | b |\n|:--|--:|\n| 1 | 2 |\n")
    tools = page.locator(".editor-link:has([data-table])")
    expect(tools).to_be_hidden()
    page.locator("#editor td").first.click()
    tools.locator("[data-table=row]").click()
    page.keyboard.type("3")
    tools.locator("[data-table=column]").click()
    page.keyboard.type("x")
    assert text_of(page).startswith(
        "Avant\n\n| a   |     | b   |\n| :-- | --- | --: |\n| 1   |     | 2   |\n| 3   | x   |     |\n"
    )
    tools.locator("[data-table=dropColumn]").click()
    tools.locator("[data-table=dropRow]").click()
    assert text_of(page).startswith("Avant\n\n| a   | b   |\n| :-- | --: |\n| 1   | 2   |\n")
    page.locator("#editor th").first.click()
    tools.locator("[data-table=dropRow]").click()  # the next one has the headers
    expect(page.locator("#editor th")).to_have_text(["1", "2"])
    tools.locator("[data-table=dropTable]").click()
    expect(page.locator("#editor table")).to_have_count(0)
    expect(tools).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(page.locator("#editor table")).to_have_count(1)


def test_a_selection_across_cells_that_is_deleted_leaves_a_whole_table(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    write(page, "| a | b |\n|---|---|\n| 1 | 2 |\n\nfin\n")
    page.evaluate("""() => { const cells = document.querySelectorAll('#editor th, #editor td');
      getSelection().setBaseAndExtent(cells[1].firstChild, 0, cells[2].firstChild, 1); }""")
    drawn(page)
    page.keyboard.press("Delete")
    page.keyboard.type("z")
    html = markdown.to_html(text_of(page))
    assert (html.count("<th "), html.count("<td ")) == (2, 2) and ">z</th>" in html and "<p>fin</p>" in html


GRID = "<table>{}</table>"
ROW = "<tr><td><p>{}</p></td><td>{}</td></tr>"


def test_a_pasted_table_of_words_is_one_and_a_laid_out_page_is_none(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    write(page)
    begin(page)
    paste(page, plain="x", html=GRID.format(ROW.format("Jour", "Salle") + ROW.format("lundi", "B|12")))
    assert text_of(page).startswith("| Jour  | Salle |\n| ----- | ----- |\n| lundi | B\\|12 |\n")
    page.locator("#editor td").first.click()
    drawn(page)
    paste(page, plain="un\ndeux", html="<p>un</p><p><b>deux</b></p>")
    expect(page.locator("#editor td").first).to_have_text(re.compile("un deux"))
    expect(page.locator("#editor tr")).to_have_count(2)
    page.locator("[data-table=dropTable]").click()
    drawn(page)
    paste(page, plain="x", html=GRID.format(ROW.format("Jour", "<table><tr><td>a</td></tr></table>") + ROW.format("b", "c")))
    expect(page.locator("#editor table")).to_have_count(0)


def test_what_was_pasted_can_be_pasted_plain(open_browser: OpenBrowser, check_accessibility: Callable[[Page], None]) -> None:
    page = open_browser(ALICE)
    write(page)
    begin(page)
    page.keyboard.type("Voici ")
    offered = page.locator("[data-plain]")
    paste(page, plain="rien de plus")
    expect(offered).to_be_hidden()  # nothing else could come of it
    paste(page, plain=" gras\n- un", html="<b> gras</b><ul><li>un</li></ul>")
    expect(offered).to_be_visible()
    check_accessibility(page)
    offered.click()
    assert html_of(text_of(page)).startswith("<p>Voici rien de plus gras<br>- un</p>")
    expect(offered).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(page.locator("#editor")).not_to_contain_text("- un")
    paste(page, plain="encore", html="<i>encore</i>")
    expect(offered).to_be_visible()
    page.keyboard.type("!")
    expect(offered).to_be_hidden()


def test_with_shift_the_words_are_pasted_alone(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    write(page)
    begin(page)
    page.keyboard.down("Control")
    page.keyboard.down("Shift")
    page.keyboard.press("x")  # the library looks at the keys that are held
    paste(page, plain="gras", html="<b>gras</b>")
    page.keyboard.up("Shift")
    page.keyboard.up("Control")
    assert text_of(page).strip() == "gras"
    expect(page.locator("[data-plain]")).to_be_hidden()
