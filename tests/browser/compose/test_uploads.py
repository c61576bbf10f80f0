"""Files dropped while writing: their progress, giving up, and being told before what is too large."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import until_true

OpenBrowser = Callable[..., Page]
pytestmark = pytest.mark.parametrize("scripts", [True])
DROP = """([name, size, number]) => {
  const data = new DataTransfer(), field = document.getElementById("to");
  for (let at = 1; at <= number; at++) data.items.add(new File([new Uint8Array(size).fill(at)], name + at + ".bin"));
  for (const kind of ["dragover", "drop"])
    field.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def test_files_are_dropped_with_progress_and_can_be_given_up(
    open_browser: OpenBrowser, check_accessibility: Callable[[Page], None]
) -> None:
    page = open_browser("alice@lycee.example", at="/compose")
    expect(page.locator("#to-typing")).to_be_focused()
    expect(page.locator("script[src*='attach.js']")).to_have_count(1)
    page.wait_for_load_state("networkidle")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.evaluate("delete document.getElementById('attachments').dataset.links")  # as where links are not offered
    page.evaluate(DROP, ["enorme", 20_000_000, 1])
    expect(page.locator("#uploads [role=alert]")).to_contain_text("Mo")
    assert sent == []
    page.locator("#uploads").get_by_role("button").click()

    line = page.context.new_cdp_session(page)
    speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 10_000}
    line.send("Network.emulateNetworkConditions", speed)  # none arrives until all has been looked at
    page.evaluate(DROP, ["dossier", 300_000, 3])
    bars = page.locator("#uploads progress")
    expect(bars).to_have_count(3)
    page.fill("#body", "tapé pendant l’envoi")
    page.click("button[value=send]")
    expect(page.locator("#uploads [data-wait]")).to_be_visible()
    assert "/compose" in page.url
    check_accessibility(page)
    page.locator("#uploads li").filter(has_text="dossier3").get_by_role("button").click()
    expect(bars).to_have_count(2)
    moved = until_true(page, "() => { const bar = document.querySelector('#uploads progress'); return bar && bar.value; }")
    assert 0 < moved <= 1
    line.send("Network.emulateNetworkConditions", {**speed, "uploadThroughput": -1})
    expect(page.locator("#attachments")).to_contain_text("dossier1.bin")
    expect(page.locator("#attachments")).to_contain_text("dossier2.bin")
    expect(page.locator("#uploads li")).to_have_count(0)
    expect(page.locator("#attachments .chip")).to_have_count(2)
    expect(page.locator("#saved")).to_contain_text("à")
    page.reload()
    expect(page.locator("#body")).to_have_value("tapé pendant l’envoi")
    expect(page.locator("#attachments .chip")).to_have_count(2)


def test_a_file_that_is_refused_on_the_way_can_be_tried_again(open_browser: OpenBrowser) -> None:
    page = open_browser("alice@lycee.example", at="/compose")
    expect(page.locator("#to-typing")).to_be_focused()
    expect(page.locator("script[src*='attach.js']")).to_have_count(1)
    page.wait_for_load_state("networkidle")
    page.fill("#body", "mon texte")
    answer = "<html><h1>413 Request Entity Too Large</h1></html>"  # of a server in between
    page.route("**/compose/*", lambda route: route.fulfill(status=413, body=answer, content_type="text/html"), times=1)
    page.evaluate(DROP, ["refus", 2000, 1])
    expect(page.locator("#uploads [role=alert]")).to_contain_text("refus1.bin")
    expect(page.locator("#body")).to_have_value("mon texte")
    expect(page.locator("#attachments-field")).to_be_visible()
    page.locator("#uploads button").first.click()
    expect(page.locator("#attachments .chip")).to_contain_text("refus1.bin")
