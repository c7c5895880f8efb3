"""What the columns of a release mean.

Belongs here: finding a column's description. Does not belong here: the descriptions (dbt_project/models/docs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnTexts:
    """Descriptions by column; `<table>__<column>` where a column means something else in one table."""

    blocks: Mapping[str, str]

    def of(self, table: str, column: str) -> str:
        """The description of a table's column. Raises KeyError if nobody wrote one."""
        for suffix, end in (("_from", "Lower"), ("_to", "Upper")):
            stem = column.removesuffix(suffix)
            if stem in self.blocks and not {column, f"{table}__{column}"} & set(self.blocks):
                return f"{end} end of the range, where the figure is published as one. {self.of(table, stem)}"
        return self.blocks.get(f"{table}__{column}") or self.blocks[column]
