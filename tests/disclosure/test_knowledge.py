"""What single readers know beside the tables: themselves, and with a second one each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from expectations.disclosure.attack import Attacker
from expectations.disclosure.declaration import Declaration
from expectations.disclosure.knowledge import Knowledge, knowledge_of
from expectations.disclosure.population import population_of
from expectations.disclosure.protect import protect, true_population
from expectations.disclosure.tables import figures
from tests.disclosure.cases import declared, table
from tests.disclosure.pupils import declaration, pupils
from tests.disclosure.pupils import table as counted


def _knowing(knowledge: Knowledge, functional: int, at_least: int) -> Knowledge:
    low = knowledge.low.copy()
    low[functional] = max(low[functional], at_least)
    return replace(knowledge, low=low)


def test_who_knows_himself_learns_nothing_of_others_where_zeros_are_open() -> None:
    declared_ = declaration(("area", "type"), zeros="open")
    done = protect(declared_, {"area_type": counted(declared_, "area_type", pupils())})
    targets = [(int(f), int(n)) for f, n in enumerate(done.needs.at_least) if n]
    mine = np.flatnonzero(done.pattern.hidden & (done.population.functionals @ done.attack.base >= 1))
    assert len(mine) > 10
    for cell in mine.tolist():
        attacker = Attacker(_knowing(done.knowledge, cell, 1), done.attack.base)
        assert not attacker.attack(t for t in targets if t[0] != cell).opened


def test_two_who_tell_each_other_may_open_a_third() -> None:
    """Hidden are 2 and 2 of a sum of 4, both possible at 1 to 3; who knows that the first is at least 2 has the second."""
    frame = pd.DataFrame({"area": ["A", "B", "Total"], "value": [2, 2, 4]})
    declared_ = declared({"t": ["area"]}, k=3, zeros="open")
    shown = replace(table(declared_, "t", frame), hidden=np.array([True, True, False]))
    population = population_of(declared_, {"t": shown})
    knowledge = knowledge_of(population, {"t": shown})
    a, b, _ = population.of_cell["t"].tolist()
    assert Attacker(knowledge).interval(b) == (1, 3)
    assert Attacker(_knowing(knowledge, a, 2)).interval(b) == (1, 2)


def test_a_hidden_figure_is_as_true_as_the_others() -> None:
    """No table tells men and others apart, so the tables do not say what the smallest cells are; that 7 of the first place
    are hidden does not make them another number."""
    declared = Declaration.model_validate({
        "dimensions": {"area": {"total": "C", "hierarchy": {"C": ["a", "b"]}}, "sex": {"hierarchy": {"Total": ["f", "m", "d"]}}},
        "tables": {"area": {"dimensions": ["area"]}, "sex": {"dimensions": ["sex"]}},
    })  # fmt: skip
    area = pd.DataFrame(
        {
            "area": ["a", "b", "C"],
            "value": [7, 9, 16],
            "status": ["confidential", "confidential", "published"],
        }
    )
    sex = pd.DataFrame({"sex": ["f", "Total"], "value": [6, 16], "status": "published"})
    tables = {n: figures(n, declared.tables[n], f) for n, f in (("area", area), ("sex", sex))}
    population = population_of(declared, tables)
    values = population.functionals @ true_population(population)
    assert values[population.of_cell["area"]].tolist() == [7, 9, 16]
