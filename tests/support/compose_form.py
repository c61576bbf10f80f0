"""The form of a message: its selector, how to fill it in and read it, a file to attach."""

from __future__ import annotations

import io

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 2000
FORM = "form.compose-form"


def write(person, **fields):
    page = person.get(fields.pop("at", "/compose"))
    return person.submit(page, FORM, **fields)


def file(name="liste.pdf", content=PDF, kind="application/pdf"):
    return (io.BytesIO(content), name, kind)


def text_of(page):
    text = page.one("textarea[name=body]").get_text().removeprefix("\n").replace("\r\n", "\n")
    return text.removeprefix(" ") if page.all("[name=gap]") else text


def value_of(page, name):
    """What stands in a field; long lists of people are in a text area."""
    field = page.one(f"[name={name}]")
    return field.get_text().strip() if field.name == "textarea" else field.get("value", "")


def chosen(page, name):
    """The option of a list of choices that is selected."""
    return page.one(f"select[name={name}] option[selected]")["value"]
