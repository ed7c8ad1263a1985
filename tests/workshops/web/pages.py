"""What a browser would send of a form on a page."""

from __future__ import annotations

from html.parser import HTMLParser


class _Fields(HTMLParser):
    def __init__(self, form: str) -> None:
        super().__init__()
        self.wanted, self.inside = form, False
        self.fields: dict[str, list[str]] = {}
        self.textarea = self.select = ""
        self.text = ""

    def handle_starttag(self, tag, attrs):
        attributes = {name: value if value is not None else "" for name, value in attrs}
        if tag == "form":
            self.inside = attributes.get("id") == self.wanted
        if not self.inside:
            return
        name, value = attributes.get("name", ""), attributes.get("value", "on")
        if tag == "input" and name:
            ticks = attributes.get("type") in ("checkbox", "radio")
            if not ticks or "checked" in attributes:
                self.fields.setdefault(name, []).append(value if ticks or "value" in attributes else "")
        elif tag == "textarea":
            self.textarea, self.text = name, ""
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in attributes:
            self.fields[self.select] = [value]

    def handle_data(self, data):
        self.text += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        if tag == "textarea" and self.textarea:
            self.fields[self.textarea] = [self.text.removeprefix("\n")]
            self.textarea = ""
        if tag == "select":
            self.select = ""


def fields_of(page: str, form: str) -> dict[str, list[str]]:
    """Name → values of the form with this id, as it stands on the page."""
    reader = _Fields(form)
    reader.feed(page)
    return reader.fields
