"""What a person does in a browser of any engine, told by WebDriver's commands (W3C). How they reach the browser is the engine's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.waiting import eventually

PATIENCE = 60  # seconds, on a busy machine
TAB, ENTER = "\ue004", "\ue007"  # as WebDriver writes these keys
# what is over in a moment: the page is still coming, or being replaced
_NOT_YET = ("no such element", "stale element reference", "element not interactable", "element click intercepted")


class WebDriverError(Exception):
    """What a browser says of a command that it could not carry out. `kind`: WebDriver's word for it."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind


class WebDriver:
    """Selectors are CSS, or XPath where they begin with `//`. What is acted on is waited for."""

    scripts = True  # whether pages' own run

    def goto(self, url: str) -> None:
        self._tell("Navigate", url=url)

    def back(self) -> None:
        self._tell("Back")

    def title(self) -> str:
        return str(self._tell("GetTitle"))

    def forget(self) -> None:
        """Delete the cookies of this site."""
        self._tell("DeleteAllCookies")

    def fill(self, selector: str, text: str) -> None:
        def act(element: str) -> None:
            self._tell("ElementClear", id=element)
            self._tell("ElementSendKeys", id=element, text=text)

        self._on(selector, act)

    def type(self, text: str) -> None:
        """Where the keyboard is."""
        self._tell("ElementSendKeys", id=_number(self._tell("GetActiveElement")), text=text)

    def attach(self, selector: str, file: Path) -> None:
        self._on(selector, lambda element: self._tell("ElementSendKeys", id=element, text=str(file)))

    def click(self, selector: str) -> None:
        self._on(selector, lambda element: self._tell("ElementClick", id=element))

    def value(self, selector: str) -> str:
        return str(self._on(selector, lambda element: self._tell("GetElementProperty", id=element, name="value")) or "")

    def has_keyboard(self, selector: str) -> bool:
        return self.all(selector)[:1] == [_number(self._tell("GetActiveElement"))]

    def text(self, selector: str) -> str:
        """The words there, as they are in the page: WebKit's GetElementText takes names that are cut off for hidden."""
        words = self._on(selector, lambda element: self._tell("GetElementProperty", id=element, name="textContent"))
        return " ".join(str(words).split())

    def all(self, selector: str) -> list[str]:
        using = "xpath" if selector.startswith("//") else "css selector"
        return [_number(one) for one in self._tell("FindElements", using=using, value=selector)]

    def until(self, selector: str, words: str = "") -> None:
        """Once these words are there."""
        eventually(
            lambda: words in self.text(selector), PATIENCE, what=f"{words!r} in {selector}", found=lambda: self.text(selector)
        )

    def until_count(self, selector: str, count: int) -> None:
        eventually(
            lambda: len(self.all(selector)) == count,
            PATIENCE,
            what=f"{count} of {selector}",
            found=lambda: len(self.all(selector)),
        )

    def _on(self, selector: str, act: Any) -> Any:
        """What `act` makes of the first of these that lets it."""

        def tried() -> tuple[Any] | None:
            try:
                for element in self.all(selector)[:1]:
                    return (act(element),)
            except WebDriverError as error:
                if error.kind not in _NOT_YET:
                    raise
            return None

        return eventually(tried, PATIENCE, what=selector)[0]

    def _tell(self, command: str, **values: Any) -> Any:
        """What the browser answers. Raises WebDriverError."""
        raise NotImplementedError


def _number(element: dict[str, str]) -> str:
    [number] = element.values()
    return number
