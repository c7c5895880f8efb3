"""The one error a bad official file raises."""

from __future__ import annotations


class FormatError(ValueError):
    """A file that is refused: where it is wrong, what was found, what was expected.

    `file` and `found` quote the delivery; official files hold no personal data.
    """

    def __init__(
        self,
        file: str,
        found: str,
        expected: str,
        *,
        line: int | None = None,
        column: str | int | None = None,
    ) -> None:
        self.file, self.line, self.column = file, line, column
        self.found, self.expected = _short(found), expected
        super().__init__(self.message)

    @property
    def message(self) -> str:
        place = self.file
        if self.line is not None:
            place += f", line {self.line}"
        if self.column is not None:
            place += f", column {self.column}"
        return f"{place}: found {self.found}, expected {self.expected}"


def _short(text: str, limit: int = 160) -> str:
    text = " ".join(str(text).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
