"""Calibrating one shelf, step by step, wherever the samples come from: an agent that runs, or the scale itself."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from edge.calibrate import measure
from edge.calibrate.measure import NonsenseError, Rest
from edge.reads import Scale, ShelfRead, WeightFault, WeightSample
from edge.weighing import CellSection, Made, Share, Weighing

WINDOW_US = 2_000_000  # a rest is so long; slow devices give FEWEST samples in more
LONGEST_US = 15_000_000  # samples older than this say nothing about now
KEPT = 2_000  # samples of a cell: 15 s of the fastest


class Ear:
    """Hears the samples of one shelf's cells, and who weighs."""

    def __init__(self, shelf: str, cells: Iterable[int]) -> None:
        self.shelf = shelf
        self._samples: dict[int, deque[tuple[int, float]]] = {cell: deque(maxlen=KEPT) for cell in cells}
        self._faults: dict[int, WeightFault] = {}
        self._scales: dict[int, Scale] = {}

    @property
    def cells(self) -> list[int]:
        return sorted(self._samples)

    def hear(self, reads: Iterable[ShelfRead]) -> None:
        for read in reads:
            if read.shelf != self.shelf:
                continue
            match read:
                case WeightSample():
                    if read.cell in self._samples:
                        self._samples[read.cell].append((read.at_us, read.grams))
                        self._faults.pop(read.cell, None)
                case WeightFault():
                    self._faults[read.cell] = read
                case Scale():
                    for cell in self._samples if read.cells is None else read.cells:
                        self._scales[cell] = read

    def begin(self) -> None:
        """What was heard so far counts no more: the plate has changed."""
        for samples in self._samples.values():
            samples.clear()

    def rest(self, cell: int) -> Rest | None:
        """What the cell says at rest; None while it moves, or has not said enough."""
        samples = self._samples[cell]
        if not samples or cell in self._faults:
            return None
        newest = samples[-1][0]
        recent = [grams for at_us, grams in samples if at_us > newest - WINDOW_US]
        if len(recent) < measure.FEWEST:
            recent = [grams for at_us, grams in samples if at_us > newest - LONGEST_US][-measure.FEWEST :]
        elif newest - samples[0][0] < WINDOW_US * 0.9:
            return None  # not long enough yet
        return measure.rest_of(recent)

    def silence(self, cell: int) -> str:
        """Why there is no rest."""
        if fault := self._faults.get(cell):
            return f"cell {cell} cannot weigh: {fault.fault}"
        if not self._samples[cell]:
            return f"cell {cell} says nothing: is the scale switched on, and is it cell {cell}?"
        return f"cell {cell} does not come to rest: keep off the shelf, and look for draught or a plate that touches"

    def scale(self, cell: int) -> tuple[str, str]:
        """Serial number and calibration mark of who weighs there; "" each where it does not say."""
        found = self._scales.get(cell)
        return (found.serial, found.calibration) if found else ("", "")


@dataclass(slots=True)
class _Cell:
    section: CellSection
    before: CellSection | None  # as it was calibrated until now
    zero: Rest | None = None
    spanned: bool = False
    mass_grams: float = 0.0  # that lay there at its span
    proven: bool = False  # by another mass


class Session:
    """What has been found of a shelf so far. Every step takes what `ear` hears at rest.

    `known`: the calibration there is; what is not measured anew stays.
    """

    def __init__(self, ear: Ear, known: Weighing | None) -> None:
        self.ear = ear
        sections = {section.cell: section for section in (known.cells if known else ())}
        self._cells = {
            cell: _Cell(sections.get(cell) or CellSection(cell=cell), sections.get(cell))
            for cell in ear.cells
        }
        self._under: dict[int, dict[int, Rest]] = {}  # what all cells said while a span was taken on one
        self._known = {cell for cell in ear.cells if cell in sections}
        self._shares = {(each.from_, each.to): each.share for each in (known.crosstalk if known else ())}
        self.changed = False

    def zero(self, cell: int) -> str:
        """The plate is empty. Raises NonsenseError."""
        here, rest = self._cell(cell), self._rest(cell)
        here.zero, here.spanned, here.proven, self.changed = rest, False, False, True
        self._set(here, here.section.factor)
        noise = rest.noise * abs(here.section.factor)
        return f"cell {cell}: empty it says {rest.mean:.6g}, and swings by {noise:.2g}"

    def span(self, cell: int, mass_grams: float) -> str:
        """`mass_grams` lie on the plate, and nothing else. Raises NonsenseError."""
        here, zero = self._zeroed(cell)
        loaded = self._rest(cell)
        found = measure.span(cell, zero, loaded, mass_grams)
        others = {other: self.ear.rest(other) for other in self.ear.cells if other != cell}
        self._under[cell] = {cell: loaded} | {other: rest for other, rest in others.items() if rest}
        here.spanned, here.proven, here.mass_grams = True, False, mass_grams
        self._set(here, found.factor)
        noise = zero.noise * abs(found.factor)
        remark = f"; {found.remark}" if found.remark else ""
        return f"cell {cell}: factor {found.factor:.6g}, it swings by {noise:.2g} g{remark}"

    def check(self, cell: int, mass_grams: float) -> str:
        """Another known mass lies on the plate. Raises NonsenseError."""
        here, zero = self._zeroed(cell)
        grams = measure.check(cell, zero, here.section.factor, self._rest(cell), mass_grams)
        here.proven = abs(mass_grams - here.mass_grams) > measure.CHECK_SHARE * here.mass_grams
        return f"cell {cell}: {mass_grams:g} g come out as {grams:.1f} g"

    def doubts(self) -> list[str]:
        """What a person should say yes to before it is kept.

        Zeros and factors that are far from what they were, or from those of the other cells, and which no second mass
        has proven.
        """
        return [words for cell in self.measured for words in self._doubts(cell)]

    def _doubts(self, cell: int) -> Iterator[str]:
        here, zero = self._zeroed(cell)
        before, now = here.before, here.section
        if before is not None and before.serial and now.serial and before.serial != now.serial:
            before = None  # another sensor, and it says so
        if before is not None and (words := measure.zero_doubt(cell, _moved(before, zero))):
            yield words
        if here.spanned and not here.proven:
            others = [
                abs(each.section.factor)
                for each in self._cells.values()
                if each is not here and (each.before or each.spanned)
            ]
            span = before.factor if before is not None else None
            words = measure.span_doubt(cell, now.factor, span, others, here.mass_grams)
            if words:
                yield words

    def crosstalk(self, cell: int) -> str:
        """A mass lies on the plate, and nothing on the others. Raises NonsenseError."""
        return self._shared(cell, {other: self._rest(other) for other in self.ear.cells})

    def crosstalk_of_spans(self) -> list[str]:
        """The same of every cell whose span was taken, from what its neighbours said then. Raises NonsenseError."""
        return [self._shared(cell, rests) for cell, rests in sorted(self._under.items()) if len(rests) > 1]

    def _shared(self, cell: int, rests: Mapping[int, Rest]) -> str:
        grams, noise = {}, {}
        for other, rest in rests.items():
            here, zero = self._zeroed(other)
            factor = here.section.factor
            grams[other] = factor * (rest.mean - zero.mean)
            noise[other] = max(zero.noise, rest.noise) * abs(factor)
        found = measure.shares(cell, grams, noise)
        self._shares = {key: share for key, share in self._shares.items() if key[0] != cell} | found
        self.changed = True
        if not found:
            return f"cell {cell}: its neighbours do not feel it"
        return f"cell {cell}: " + ", ".join(
            f"cell {to} shows {share:.1%}" for (_, to), share in found.items()
        )

    def felt(self, cell: int, *, beside: Rest | None = None) -> bool:
        """Whether something lies on the plate, at rest, that was not there at zero, nor in the rest `beside`."""
        rest = self.ear.rest(cell)
        if rest is None:
            return False
        before = [each for each in (self._cell(cell).zero, beside) if each]
        return all(abs(rest.mean - each.mean) > measure.FELT * max(each.noise, rest.noise) for each in before)

    def under_span(self, cell: int) -> Rest | None:
        """What the cell said under its known mass."""
        return self._under.get(cell, {}).get(cell)

    @property
    def measured(self) -> list[int]:
        return [cell for cell in self.ear.cells if self._cells[cell].zero is not None]

    def found(self, at: datetime, by: str) -> Weighing:
        """What the shelf's file is to say. Raises NonsenseError: nothing was measured."""
        if not self.changed:
            raise NonsenseError("nothing was measured yet: begin with zero")
        measured = self.measured
        cells = [
            self._cells[cell].section for cell in self.ear.cells if cell in measured or cell in self._known
        ]
        crosstalk = [
            Share.model_validate({"from": a, "to": b, "share": s}) for (a, b), s in self._shares.items()
        ]
        spanned = [cell for cell in measured if self._cells[cell].spanned]
        remark = f"zero of cells {_listed(measured)}" + (f", span of {_listed(spanned)}" if spanned else "")
        return Weighing(
            version=1, shelf=self.ear.shelf, made=Made(at=at, by=by, remark=remark), cells=tuple(cells),
            crosstalk=tuple(crosstalk),
        )  # fmt: skip

    def _cell(self, cell: int) -> _Cell:
        if cell not in self._cells:
            raise NonsenseError(
                f"shelf {self.ear.shelf!r} has no cell {cell}; its cells: {_listed(self.ear.cells)}"
            )
        return self._cells[cell]

    def _rest(self, cell: int) -> Rest:
        self._cell(cell)
        rest = self.ear.rest(cell)
        if rest is None:
            raise NonsenseError(self.ear.silence(cell))
        return rest

    def _zeroed(self, cell: int) -> tuple[_Cell, Rest]:
        here = self._cell(cell)
        if here.zero is None:
            raise NonsenseError(f"cell {cell} has no zero yet: empty its plate and take zero first")
        return here, here.zero

    def _set(self, here: _Cell, factor: float) -> None:
        assert here.zero is not None
        serial, calibration = self.ear.scale(here.section.cell)
        here.section = CellSection(
            cell=here.section.cell,
            factor=factor,
            offset_grams=-factor * here.zero.mean,
            serial=serial,
            calibration=calibration,
        )


def _moved(before: CellSection, zero: Rest) -> float:
    """What an empty plate weighs by the calibration before."""
    return before.factor * zero.mean + before.offset_grams


def _listed(cells: Sequence[int]) -> str:
    return ", ".join(map(str, cells))
