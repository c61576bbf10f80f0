"""The pages of filters on a real Pigeonhole: made, read, moved, switched, undone; two tabs; refusals; mail that arrives."""

from __future__ import annotations

import re

import pytest

from tests.support.messages import message
from tests.support.visits import Visitor
from webmail import managesieve
from webmail.filters import store
from webmail.filters.rules.rules import ActionKind, ConditionField, FilterRule, MatchKind, RuleAction, RuleCondition

FORM = "form.rule-form"


@pytest.fixture
def account(person, account_of):
    return account_of(person.address)


def make(person, name: str = "Lettres", value: str = "newsletter", folder: str = "Archive", **more):
    fields = {"name": name, "conditions-0-values": value, "actions-0-value": folder, "action": "save"}
    return person.submit(person.get("/filters/new"), FORM, **(fields | more))


def names(page) -> list[str]:
    return [one.get_text(strip=True) for one in page.all("[data-rule] h2")]


def press(person, label: str, page=None):
    """The button of the list that has this label."""
    page = page or person.get("/filters")
    button = next(one for one in page.all("#filters button") if label in (one.get("aria-label"), one.get_text(strip=True)))
    return person.submit(page, "#filters", action=button["value"])


def test_a_rule_is_made_and_told_in_a_sentence(person, account):
    page = make(person, value="newsletter\ninfo@list.example", stop="1")
    assert page.address == "/filters" and "saved" in page.notices
    words = page.one("[data-rule] p").get_text()
    assert words == "If the sender contains “newsletter” or “info@list.example”, move it to “Archive” and stop."
    [rule] = store.load(account).filters.rules
    assert rule.conditions == (RuleCondition(ConditionField.FROM, MatchKind.CONTAINS, ("newsletter", "info@list.example")),)
    assert rule.actions == (RuleAction(ActionKind.MOVE, "Archive"), RuleAction(ActionKind.STOP))
    assert page.one("[data-rule]")["data-rule"] == rule.id


@pytest.mark.parametrize(
    ("language", "named"),
    [
        ("en", "“If the subject contains ‘conseil’, move it to ‘Archive’” saved"),
        ("fr", "« Si l’objet contient “conseil” : déplacer dans “Archive” »"),
    ],
)
def test_a_rule_without_a_name_is_named_by_its_sentence_with_the_quotes_of_a_quotation(app, person, language, named):
    visitor = Visitor(app, person.address, language=language).sign_in()
    page = make(visitor, "", "conseil", **{"conditions-0-field": "subject"})
    assert named in page.notices.replace("\u00a0", " ").replace("\u202f", " ")


def test_a_field_that_is_chosen_anew_starts_with_its_usual_comparison(person):
    form = person.get("/filters/new")
    page = person.submit(form, FORM, **{"conditions-0-field": "date", "action": "add-action"})
    assert page.one("[name=conditions-0-match] [selected]")["value"] == "is"
    page = person.submit(page, FORM, **{"conditions-0-field": "subject", "action": "add-action"})
    assert page.one("[name=conditions-0-match] [selected]")["value"] == "contains"


def test_order_switch_copy_delete_and_undo(person, account):
    for name in ("a", "b", "c"):
        make(person, name)
    assert names(press(person, "Move c up")) == ["a", "c", "b"]
    assert names(press(person, "Move a down")) == ["c", "a", "b"]
    page = press(person, "a")
    assert "“a” is off" in page.notices and [one.on for one in store.load(account).filters.rules] == [True, False, True]
    stale = person.get("/filters")
    for _twice in range(2):  # a double click
        page = press(person, "Duplicate", stale)
    assert names(page) == ["c", "c (copy)", "a", "b"]
    page = press(person, "Delete")
    assert names(page) == ["c (copy)", "a", "b"]
    page = person.submit(page, "#notices form")
    assert names(page) == ["c", "c (copy)", "a", "b"] and "Undone" in page.notices


def test_a_filter_goes_to_the_top_the_end_or_a_chosen_place(person):
    for name in ("a", "b", "c", "d"):
        make(person, name)
    assert names(press(person, "Move to the end")) == ["b", "c", "d", "a"]  # the first one's button
    page = person.get("/filters")
    last = page.all("[data-rule]")[-1]
    top = next(button for button in last.select("button") if button.get_text(strip=True) == "Move to the top")
    page = person.submit(page, "#filters", action=top["value"])
    assert names(page) == ["a", "b", "c", "d"]
    choosing = person.get(page.all("[data-rule]")[3].select_one("a[href*='move=']")["href"])
    assert "Choose where “d” goes." in choosing.text and not choosing.all(".rule-switch")
    assert names(press(person, "Place it before b", choosing)) == ["a", "d", "b", "c"]
    assert not person.get("/filters?move=nonsense").all("#choose")


def test_undo_gives_way_to_a_later_change(person):
    page = make(person, "a")
    notice = page.one("#notices form")
    fields = {one["name"]: one["value"] for one in notice.select("input")}
    make(person, "b")
    page = person.post("/filters/undo", fields)
    assert names(page) == ["a", "b"] and "changed since" in page.notices


def test_two_tabs_and_a_double_click(person, account):
    form = person.get("/filters/new")
    fields = {"name": "a", "conditions-0-values": "x", "actions-0-value": "Archive", "action": "save"}
    for _twice in range(2):
        person.submit(form, FORM, **fields)
    assert names(person.get("/filters")) == ["a"]
    which = store.load(account).filters.rules[0].id
    first, second = person.get(f"/filters/rule/{which}"), person.get(f"/filters/rule/{which}")
    person.submit(first, FORM, name="first", action="save")
    page = person.submit(second, FORM, name="second", action="save")
    assert page.status == 409 and page.one("[name=name]")["value"] == "second"
    page = person.submit(page, FORM, action="save")
    assert names(page) == ["second"]


def test_rows_come_and_go_without_scripts_and_keep_what_was_typed(person):
    page = person.submit(person.get("/filters/new"), FORM, name="n", action="add-condition", **{"conditions-0-values": "typed"})
    assert len(page.all("[name$='-field']")) == 2 and page.one("[name='conditions-0-values']").get_text(strip=True) == "typed"
    page = person.submit(page, FORM, action="save", **{"conditions-1-field": "weekday", "actions-0-value": "Archive"})
    assert page.status == 422 and len(page.all("[name='conditions-1-values'][type=checkbox]")) == 7
    page = person.submit(page, FORM, action="add-action", **{"conditions-1-values": ["1", "2"]})
    assert person.submit(page, FORM, action="remove-action ²").status == 200
    page = person.submit(page, FORM, action="remove-action 1")
    page = person.submit(page, FORM, action="save", **{"conditions-1-values": ["1", "2"]})
    assert "the sender contains “typed”, and it arrives on a Monday or Tuesday" in page.one("[data-rule]").get_text()


def test_a_control_of_another_kind_is_not_taken_for_a_value(person):
    page = make(person, **{"actions-0-kind": "tag"})
    assert page.status == 422 and page.one("[name='actions-0-value']")["aria-label"] == "Tag"
    assert page.one(".field-error").get_text() == "Fill in this field."


def test_a_link_fills_the_form_in(person):
    page = person.get(
        "/filters/new?field=list&match=contains&value=maths.example&field=nonsense&action=move&to=Archive&action=stop"
    )
    assert [one["value"] for one in page.all("[name$='-field'] option[selected]")] == ["list"]
    assert page.one("[name='actions-0-value'] option[selected]")["value"] == "Archive" and page.one("[name=stop]").has_attr(
        "checked"
    )


def test_mail_arrives_where_the_rule_says(person, account, imap_of, arrives, deliver):
    make(person, value="newsletter", stop="1")
    deliver(person.address, message("Une lettre", sender="Les newsletters <n@list.example>"))
    client = imap_of(person.address)
    assert arrives(client, ["SUBJECT", "Une lettre"], "Archive")


def test_another_program_s_script(person, account):
    theirs = 'require "fileinto";\r\nif header :contains "subject" "x" { fileinto "X"; }\r\n'
    with managesieve.connect(account) as connection:
        connection.write("theirs", theirs)
        connection.activate("theirs")
    page = make(person)
    assert "“theirs”" in page.one(".notice-caution").get_text()
    page = press(person, "Run both")
    assert "runs before your filters" in page.text and store.load(account).beside
    page = person.get("/filters/script?name=theirs")
    assert "fileinto" in page.one("textarea").get_text()
    page = person.submit(page, "form[action^='/filters/script?']", text='keep;\r\nexplode "x";\r\n')
    assert page.status == 422 and "Line 2" in page.one("#script-faults").get_text()
    with managesieve.connect(account) as connection:
        assert connection.read("theirs") == theirs
    page = person.submit(person.get("/filters/script?name=theirs"), "form[action^='/filters/script?']", text="keep;\n")
    assert page.address == "/filters/scripts"
    with managesieve.connect(account) as connection:
        assert connection.read("theirs") == "keep;\r\n"
    page = press(person, "Use only the filters here")
    assert store.load(account).is_active and not store.load(account).other
    page = person.submit(person.get("/filters/scripts"), "[data-script-name=theirs] form", action="delete")
    assert not page.all("[data-script-name=theirs]")
    page = person.submit(page, "#notices form")
    assert page.all("[data-script-name=theirs]")


def test_what_another_program_changed_is_told_and_odd_ids_have_pages(person, account):
    make(person)
    with managesieve.connect(account) as connection:
        text = connection.read(store.NAME)
        connection.write(store.NAME, re.sub(r'"id":"[^"]*"', '"id":"../x"', text).replace("newsletter", "newsletters"))
    page = person.get("/filters")
    assert "Another program has changed" in page.text
    assert person.get(page.one("[data-rule] a")["href"]).status == 200


def test_what_stands_under_our_name_and_is_not_ours_is_kept(person, account):
    theirs = "# written by hand\r\nkeep;\r\n"
    with managesieve.connect(account) as connection:
        connection.write(store.NAME, theirs)
    assert "Another program has changed" in person.get("/filters").text
    make(person)
    with managesieve.connect(account) as connection:
        assert connection.read(store.FOUND) == theirs


@pytest.mark.parametrize(
    "text",
    ['"; discard; #', '"]; redirect "eve@x.fr"; if header :is "x" ["', "\\", "${hex:22}", "*/ discard; /*", "text:", "<script>alert(1)</script>",
     "# traboule:rule 0000000000000000 {}", "%(name)s %s {{ 7*7 }}", "}\u2028stop;", "\u202eabc", "'\"><img src=x>"],
)  # fmt: skip
def test_names_and_values_stay_what_they_are(person, account, text):
    page = make(person, name="x", value=text, **{"actions-0-kind": "reject", "actions-0-was": "reject", "actions-0-text": text})
    assert page.status == 200 and not page.all("[data-rule] script, [data-rule] img")
    [rule] = store.load(account).filters.rules
    assert rule.conditions[0].values == (text.strip(),) and rule.actions[0].text == text
    form = person.get(f"/filters/rule/{rule.id}")
    assert form.one("[name='conditions-0-values']").get_text().removeprefix("\n") == text
    assert form.one("label[for='actions-0-text']").text == "Text"
    person.submit(form, FORM, name='"; é <b>', action="save")
    assert store.load(account).filters.rules[0].conditions == rule.conditions


def test_pausing(person, account):
    make(person)
    assert "Paused" in press(person, "Pause all").text and store.load(account).filters.paused
    assert "Paused" not in press(person, "Resume").one("main").get_text()


def test_a_rule_that_the_server_cannot_run_is_told(person, account):
    rule = FilterRule(
        "s", (RuleCondition(ConditionField.SPAM, MatchKind.LEAST, ("50",)),), (RuleAction(ActionKind.FLAG),), id="s1"
    )
    if "spamtestplus" in store.load(account).extensions:
        pytest.skip("this server has spamtest")
    with managesieve.connect(account) as connection:
        from webmail.filters import own_script
        from webmail.filters.rules import rules

        connection.write(store.NAME, own_script.text_of([own_script.ScriptPart("rule", rules.to_json(rule))]))
    page = person.get("/filters")
    assert "can’t run this filter" in page.text
    assert make(person).status == 422
    page = press(person, "s")
    assert make(person).status == 200


@pytest.mark.parametrize("address", ["/filters", "/filters/senders", "/archiving"])
def test_no_form_is_there_without_a_button(person, address):
    assert [form for form in person.get(address).all("main form") if not form.select("button")] == []
