"""The population behind declared tables: a vector of micro cells, and every cell of a table as a row over it.

Belongs here: which micro cells a cell is the sum of. Does not belong here: what is hidden, and how it is found out.

A micro cell is a combination of codes that no table divides further. With that, links between tables,
overlapping cuts, totals of one part, subsets and cells told twice need no code of their own: they are
rows over the same vector, and the same row has the same status everywhere.

Tables that share dimensions but do not nest live on blocks of micro cells, one for every largest set of
dimensions; rows of value zero say that blocks agree where they overlap. Where such agreement is known to
be enough for one population to exist (the sets of dimensions form a tree), that is exact. Where it is
not, the product of all dimensions is taken while it stays below MICRO_CELLS; beyond it blocks are kept
and `joint` is False: a reader who searched for a common population could know more.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from expectations.disclosure.declaration import Declaration, DeclarationError
from expectations.disclosure.tables import Figures

MICRO_CELLS = 20_000

SNAPSHOT = "(snapshot)"
"""The dimension of moments: it has no total, for nobody adds up two of them."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Codes:
    """The codes of a dimension and the leaves each is the sum of."""

    name: str
    total: str
    leaves: list[str]
    of_code: dict[str, Ints]
    """Positions among `leaves`."""
    parts: dict[str, list[str]]

    @classmethod
    def of(
        cls,
        declaration: Declaration,
        name: str,
        seen: Iterable[str],
        sizes: Mapping[str, tuple[float, ...]] | None = None,
    ) -> Codes:
        """`sizes`: what leaves are ordered by, the largest first, so that other names change nothing.

        Raises DeclarationError for a code that is a part of itself.
        """
        declared = declaration.dimension(name)
        parts = {code: list(dict.fromkeys(below)) for code, below in declared.hierarchy.items()}
        known = dict.fromkeys([*itertools.chain.from_iterable(parts.values()), *parts, *seen])
        below = set(itertools.chain.from_iterable(v for k, v in parts.items() if k != declared.total))
        roots = [code for code in known if code not in below and code != declared.total]
        if declared.total not in parts and roots:
            parts[declared.total] = roots
        known.setdefault(declared.total)
        leaves = [code for code in known if code not in parts]
        if sizes is not None:
            leaves.sort(key=lambda code: (tuple(-v for v in sizes.get(code, ())), code))
        position = {code: n for n, code in enumerate(leaves)}

        def under(code: str, path: tuple[str, ...]) -> set[int]:
            if code in path:
                raise DeclarationError(
                    f"dimension `{name}`: code {code!r} is a part of itself: {' > '.join(path)}"
                )
            if code in position:
                return {position[code]}
            return set().union(*(under(part, (*path, code)) for part in parts[code]))

        return cls(name, declared.total, leaves, {c: np.array(sorted(under(c, ()))) for c in known}, parts)

    def membership(self, codes: list[str]) -> sp.csr_array:
        """A row per code over the leaves."""
        columns = [self.of_code[c] for c in codes]
        starts = np.cumsum([0, *(len(c) for c in columns)])
        indices = np.concatenate(columns) if columns else np.array([], dtype=int)
        return sp.csr_array(
            (np.ones(len(indices), dtype=np.int64), indices, starts), shape=(len(codes), len(self.leaves))
        )


@dataclass(frozen=True)
class Block:
    """Micro cells of one set of dimensions: the product of their leaves, less the structural zeros."""

    dimensions: tuple[str, ...]
    start: int
    kept: Ints
    """Which cells of the product exist, in their order."""

    @property
    def size(self) -> int:
        return len(self.kept)


@dataclass(frozen=True)
class Rows:
    """Linear statements on the micro cells: low <= row · x <= high."""

    matrix: sp.csr_array
    low: Floats
    high: Floats
    labels: list[str]


@dataclass
class Population:
    """Everything that is the same whatever is hidden."""

    declaration: Declaration
    tables: Mapping[str, Figures]
    codes: dict[str, Codes]
    blocks: list[Block]
    functionals: sp.csr_array
    """Distinct sums of micro cells: cells of tables, and micro cells that are in no table."""
    labels: list[str]
    of_cell: dict[str, Ints]
    """By table: the functional of each row (of a rate: its numerator)."""
    of_denominator: dict[str, Ints]
    """By table of rates: the functional of each row's denominator."""
    of_others: dict[str, Ints]
    """By table of shares: the functional of those of the denominator who are not in the numerator."""
    unpublished: npt.NDArray[np.bool_]
    """Functionals that no table shows."""
    agreements: sp.csr_array
    """Rows that are zero: blocks agree where they overlap."""
    nothing: sp.csr_array
    """Rows that are zero: combinations that a table declares to be nobody."""
    joint: bool = True
    frozen: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    changes: list[tuple[int, int]] = field(default_factory=list)
    """Functionals of one cell now and in the table it follows."""

    @property
    def size(self) -> int:
        return int(self.functionals.shape[1])


def population_of(
    declaration: Declaration, tables: Mapping[str, Figures], in_one: bool = False
) -> Population:
    """The micro cells behind tables and every cell as a row over them.

    `in_one`: in one block, the product of all dimensions, for what changes micro cells. Raises DeclarationError for
    codes that contradict the declaration, and where one block is asked for and would be too large.
    """
    codes = _codes(declaration, tables)
    scopes = {name: _scope(table) for name, table in tables.items()}
    for name, scope in scopes.items():
        for dimension in scope - set(codes):
            raise DeclarationError(f"table `{name}`: dimension `{dimension}` is in no table")
    largest = _largest(scopes.values())
    union = tuple(sorted(set().union(*largest))) if largest else ()
    product = int(np.prod([len(codes[d].leaves) for d in union], dtype=float)) if union else 1
    joint = _is_tree(largest)
    if in_one and len(largest) > 1 and product > MICRO_CELLS:
        raise DeclarationError(
            f"the tables together have {product} combinations of all their codes, expected at most {MICRO_CELLS}: give "
            "the table of all dimensions, or fewer tables"
        )
    if (in_one and len(largest) > 1) or (not joint and product <= MICRO_CELLS):
        largest, joint = [frozenset(union)], True
    blocks: list[Block] = []
    start = 0
    for scope in largest:
        block = _block(declaration, codes, tables, scopes, tuple(sorted(scope)), start)
        blocks.append(block)
        start += block.size
    matrices: list[sp.csr_array] = []
    labels: list[str] = []
    spans: list[tuple[str, str, int]] = []
    nothing: list[sp.csr_array] = []
    for name, table in tables.items():
        block = next(b for b in blocks if scopes[name] <= set(b.dimensions))
        rate = table.declared.rate
        own = table.labels()
        if rate is None:
            matrices.append(_table_rows(codes, block, table, {}, start))
            for other in table.declared.plus:
                matrices[-1] = sp.csr_array(matrices[-1] + _table_rows(codes, block, table, other, start))
            labels += own
            spans.append((name, "cell", len(own)))
        else:
            numerator = _table_rows(codes, block, table, {**rate.denominator, **rate.numerator}, start)
            denominator = _table_rows(codes, block, table, rate.denominator, start)
            others = sp.csr_array(denominator - numerator)
            others.eliminate_zeros()
            kinds = [("cell", numerator), ("denominator", denominator), ("others", others)]
            # Hours per pupil have no others: only a share has.
            for kind, rows in kinds if not (others.data < 0).any() else kinds[:2]:
                matrices.append(rows)
                labels += [f"{label} {'numerator' if kind == 'cell' else kind}" for label in own]
                spans.append((name, kind, len(own)))
        if table.declared.absent == "zero" and not rate and scopes[name] != set(block.dimensions):
            nothing.append(_absent_rows(codes, block, table, start))
    stacked = sp.vstack(matrices, format="csr") if matrices else sp.csr_array((0, start), dtype=np.int64)
    singles = _unpublished(stacked)
    labels += [_micro_label(codes, blocks, int(i)) for i in singles.indices]
    spans.append(("", "untold", singles.shape[0]))
    stacked = sp.vstack([stacked, singles], format="csr")
    first, inverse = _distinct(stacked)
    functionals = sp.csr_array(stacked[first])
    named = [labels[i] for i in first]
    places: dict[str, dict[str, Ints]] = {"cell": {}, "denominator": {}, "others": {}, "untold": {}}
    at = 0
    for name, kind, count in spans:
        places[kind][name] = inverse[at : at + count]
        at += count
    of_cell = places["cell"]
    shown = np.zeros(functionals.shape[0], dtype=bool)
    frozen = shown.copy()
    for name, cells in of_cell.items():
        if tables[name].declared.rate is None:
            shown[cells] = True
            if tables[name].declared.frozen:
                frozen[cells[~tables[name].hidden]] = True
    return Population(
        declaration, tables, codes, blocks, functionals, named, of_cell, places["denominator"], places["others"], ~shown,
        _agreements(codes, blocks, start),
        sp.vstack(nothing, format="csr") if nothing else sp.csr_array((0, start), dtype=np.int64),
        joint, frozen, _changes(tables, of_cell),
    )  # fmt: skip


def _changes(tables: Mapping[str, Figures], of_cell: Mapping[str, Ints]) -> list[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for name, table in tables.items():
        if table.declared.follows not in tables or table.declared.follows is None:
            continue
        earlier = tables[table.declared.follows]
        columns = [c for c in table.codes.columns if c in earlier.codes.columns]
        places = {tuple(row): n for n, row in enumerate(earlier.codes[columns].to_numpy().tolist())}
        for n, row in enumerate(table.codes[columns].to_numpy().tolist()):
            if tuple(row) in places:
                found.add((int(of_cell[name][n]), int(of_cell[table.declared.follows][places[tuple(row)]])))
    return sorted(found)


def _codes(declaration: Declaration, tables: Mapping[str, Figures]) -> dict[str, Codes]:
    seen: dict[str, dict[str, None]] = {}
    for table in tables.values():
        for name in table.codes.columns:
            seen.setdefault(name, {}).update(dict.fromkeys(table.codes[name]))
        rate = table.declared.rate
        also = (rate.numerator, rate.denominator) if rate else table.declared.plus
        for fixed in (_fixed(table), *also):
            for name, code in fixed.items():
                seen.setdefault(name, {}).setdefault(code)
    shown = {name for table in tables.values() for name in table.codes.columns}
    for name, found in seen.items():
        declared = declaration.dimension(name)
        if name in shown or name == SNAPSHOT or declared.hierarchy:
            continue
        if len(found) == 1 and declared.total not in found:
            code = next(iter(found))
            raise DeclarationError(
                f"dimension `{name}`: {code!r} is its only code, so that it would be everybody; name the others, too: "
                f"dimensions: {{{name}: {{hierarchy: {{{declared.total}: [{code}, ...]}}}}}}"
            )
    sizes: dict[str, dict[str, tuple[float, ...]]] = {name: {} for name in seen}
    for table in tables.values():
        values = np.nan_to_num(table.values, nan=-1)
        for name in table.codes.columns:
            for code, at in table.codes.groupby(name, sort=False).indices.items():
                mine = tuple(sorted(values[at], reverse=True))
                sizes[name][str(code)] = tuple(sorted((*sizes[name].get(str(code), ()), *mine), reverse=True))
    return {name: Codes.of(declaration, name, found, sizes[name]) for name, found in sorted(seen.items())}


def _fixed(table: Figures) -> dict[str, str]:
    """The codes of dimensions that a table does not show."""
    moment = {SNAPSHOT: table.declared.snapshot} if table.declared.snapshot else {}
    return {**table.declared.where, **moment}


def _scope(table: Figures) -> frozenset[str]:
    rate = table.declared.rate
    extra = {*rate.numerator, *rate.denominator} if rate else set()
    return frozenset({*table.declared.dimensions, *_fixed(table), *extra})


def _largest(scopes: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    distinct = sorted(set(scopes), key=lambda s: (-len(s), sorted(s)))
    kept: list[frozenset[str]] = []
    for scope in distinct:
        if not any(scope <= other for other in kept):
            kept.append(scope)
    return kept


def _is_tree(scopes: list[frozenset[str]]) -> bool:
    """Graham's reduction: take away what only one set has, then sets within others, until nothing is left."""
    sets = [set(s) for s in scopes]
    changed = True
    while changed and len(sets) > 1:
        changed = False
        for one in sets:
            lonely = {d for d in one if sum(d in s for s in sets) == 1}
            changed |= bool(lonely)
            one -= lonely
        for n, one in enumerate(sets):
            if any(one <= other for m, other in enumerate(sets) if m != n):
                del sets[n]
                changed = True
                break
    return len(sets) <= 1


def _block(
    declaration: Declaration,
    codes: Mapping[str, Codes],
    tables: Mapping[str, Figures],
    scopes: Mapping[str, frozenset[str]],
    dimensions: tuple[str, ...],
    start: int,
) -> Block:
    shape = [len(codes[d].leaves) for d in dimensions]
    exists = np.ones(shape, dtype=bool)
    for zero in declaration.structural_zeros:
        if not set(zero) <= set(dimensions):
            continue
        where: list[Ints] = []
        for d in dimensions:
            if d in zero:
                for code in zero[d]:
                    if code not in codes[d].of_code:
                        raise DeclarationError(f"structural_zeros: dimension `{d}` has no code {code!r}")
                where.append(np.unique(np.concatenate([codes[d].of_code[c] for c in zero[d]])))
            else:
                where.append(np.arange(len(codes[d].leaves)))
        exists[np.ix_(*where)] = False
    for name, table in tables.items():
        if table.declared.absent == "zero" and scopes[name] == set(dimensions) and not _fixed(table):
            present = np.zeros(shape, dtype=bool)
            rows = table.codes[list(dimensions)].to_numpy()
            for row in rows:
                places = [codes[d].of_code[c] for d, c in zip(dimensions, row, strict=True)]
                if all(len(p) == 1 for p in places):
                    present[tuple(int(p[0]) for p in places)] = True
            exists &= present
    return Block(dimensions, start, np.flatnonzero(exists.ravel()))


def _kron(parts: list[sp.csr_array]) -> sp.csr_array:
    product = sp.csr_array(np.ones((1, 1), dtype=np.int64))
    for part in parts:
        product = sp.csr_array(sp.kron(product, part, format="csr"))
    return product


def _placed(rows: sp.csr_array, block: Block, width: int) -> sp.csr_array:
    """Rows over a block's whole product, on the whole vector."""
    cut = sp.coo_array(rows[:, block.kept])
    return sp.csr_array((cut.data, (cut.row, cut.col + block.start)), shape=(rows.shape[0], width))


def _table_rows(
    codes: Mapping[str, Codes], block: Block, table: Figures, extra: Mapping[str, str], width: int
) -> sp.csr_array:
    """A row per row of the table. Raises DeclarationError where a rate's code contradicts the table's own."""
    fixed = {**_fixed(table), **extra}
    parts: list[sp.csr_array] = []
    index = np.zeros(len(table.codes), dtype=np.int64)
    for d in block.dimensions:
        if d in table.codes.columns and d not in extra:
            own = list(dict.fromkeys(table.codes[d]))
            place = {c: n for n, c in enumerate(own)}
            parts.append(codes[d].membership(own))
            index = index * max(len(own), 1) + table.codes[d].map(place).to_numpy(dtype=np.int64)
        else:
            parts.append(codes[d].membership([fixed.get(d, codes[d].total)]))
    return _placed(_kron(parts)[index], block, width)


def _absent_rows(codes: Mapping[str, Codes], block: Block, table: Figures, width: int) -> sp.csr_array:
    names = list(table.codes.columns)
    present = set(map(tuple, table.codes.to_numpy()))
    missing = [
        combination
        for combination in itertools.product(*(codes[d].leaves for d in names))
        if combination not in present
    ]
    frame = pd.DataFrame(missing, columns=names, dtype=str)
    empty = np.zeros(len(frame))
    ghost = Figures(table.name, table.declared, frame, frame, empty, empty.astype(bool))
    return _table_rows(codes, block, ghost, {}, width)


def _distinct(rows: sp.csr_array) -> tuple[Ints, Ints]:
    """The first of every distinct row, and for every row which it is. Rows are told apart by 128 random bits."""
    rng = np.random.default_rng(20260101)
    keys = rng.integers(-(2**62), 2**62, size=(rows.shape[1], 2), dtype=np.int64)
    hashes = (
        np.ascontiguousarray(rows.astype(np.int64) @ keys).view([("a", np.int64), ("b", np.int64)]).ravel()
    )
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    # Short rows first, then by their hash: an order that no permutation of rows or tables changes.
    order = np.lexsort((np.arange(len(first)), np.diff(rows.indptr)[first]))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[inverse.ravel()]


def _unpublished(rows: sp.csr_array) -> sp.csr_array:
    """Micro cells that are no cell of a table: what a reader may find between the tables."""
    lengths = np.diff(rows.indptr)
    own = np.zeros(rows.shape[1], dtype=bool)
    own[rows.indices[rows.indptr[:-1][lengths == 1]]] = True
    rest = np.flatnonzero(~own)
    return sp.csr_array(
        (np.ones(len(rest), dtype=np.int64), (np.arange(len(rest)), rest)), shape=(len(rest), rows.shape[1])
    )


def _micro_label(codes: Mapping[str, Codes], blocks: list[Block], micro: int) -> str:
    block = next(b for b in blocks if b.start <= micro < b.start + b.size)
    shape = [len(codes[d].leaves) for d in block.dimensions]
    places = np.unravel_index(int(block.kept[micro - block.start]), shape) if shape else ()
    names = [codes[d].leaves[int(p)] for d, p in zip(block.dimensions, places, strict=True)]
    return f"(untold)[{', '.join(names)}]"


def _agreements(codes: Mapping[str, Codes], blocks: list[Block], width: int) -> sp.csr_array:
    rows: list[sp.csr_array] = []
    for one, other in itertools.combinations(blocks, 2):
        shared = set(one.dimensions) & set(other.dimensions)
        sides = []
        for block in (one, other):
            parts = [
                sp.csr_array(sp.eye_array(len(codes[d].leaves), dtype=np.int64, format="csr"))
                if d in shared
                else codes[d].membership([codes[d].total])
                for d in block.dimensions
            ]
            sides.append(_placed(_kron(parts), block, width))
        rows.append(sp.csr_array(sides[0] - sides[1]))
    return sp.vstack(rows, format="csr") if rows else sp.csr_array((0, width), dtype=np.int64)
