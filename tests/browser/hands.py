"""An agent's hands: they press, click and write as a person does, and count what they do."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


class Hands:
    """What one agent does on a page. A key (or chord) is one action, so is a click, so is the writing of a text."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.actions = 0

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.actions += 1
            self.page.keyboard.press(key)

    def click(self, target: Locator) -> None:
        """Click what is wanted."""
        self.actions += 1
        target.click()

    def write(self, words: str) -> None:
        """Write a text, or a name, where the focus is."""
        self.actions += 1
        self.page.keyboard.type(words)
