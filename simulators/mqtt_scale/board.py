"""The boards themselves: what their firmware publishes, and when. No I/O; time is told to them.

Sources: Tasmota, tasmota_xsns_sensor/xsns_34_hx711.ino (ten readings a second, the middle six of ten averaged; `Weight`
in kg, whole grams, never below zero; a message when the weight has changed and come to rest); ESPHome, `hx711` with
`calibrate_linear` (a number as text, retained); Home Assistant's MQTT sensor (a state as text); RFC 8428.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
READINGS = 10  # that Tasmota sorts and averages, a tenth of a second apart
CUT = 2  # of them left out on either side
MAC = "0024befffe804ff1"

Tell = Callable[[str, bytes, bool], None]  # topic, payload, retain


class Board(Protocol):
    """`weigh` gives it one reading of each of its cells, in grams; what is due is told."""

    @property
    def topics(self) -> tuple[str, ...]:
        """Those of its weights, by cell."""

    def begin(self) -> None:
        """Connected: what it then says of itself."""

    def weigh(self, grams: list[float]) -> None: ...


@dataclass
class Tasmota:
    """One HX711; several cells are several boards.

    Attributes:
        counts_per_gram: of the cell; `scale`: what the board was calibrated to, in whole counts a gram.
        empty_count: of the cell without load; `offset`: what the board took for that when it was last tared.
        every_s: TelePeriod; `on_change`: Sensor34 8.
        utc_offset_h: of the zone whose time it tells, without saying so.
        item_grams: where it is set, `Count` is told.
    """

    name: str
    now_us: Callable[[], int]
    tell: Tell
    counts_per_gram: float = 420.0
    scale: int = 420
    empty_count: int = 217_937
    offset: int = 217_937
    every_s: float = 10.0
    on_change: bool = True
    delta_grams: int = 0
    utc_offset_h: float = 0.0
    item_grams: float = 0.0
    _readings: list[int] = field(default_factory=list)
    _weight: int = 0
    _moved_to: int = 0
    _moving: bool = False
    _told_us: int | None = None

    @property
    def topics(self) -> tuple[str, ...]:
        return (f"tele/{self.name}/SENSOR",)

    def begin(self) -> None:
        self.tell(f"tele/{self.name}/LWT", b"Online", True)

    def weigh(self, grams: list[float]) -> None:
        self._readings.append(self.empty_count + round(grams[0] * self.counts_per_gram))
        if len(self._readings) < READINGS:
            return
        middle = sorted(self._readings)[CUT : READINGS - CUT]
        self._readings.clear()
        absolute = _cut(sum(middle) / len(middle))
        self._weight = max(0, _cut((absolute - self.offset) / self.scale))
        now_us = self.now_us()
        due = self._told_us is None or now_us - self._told_us >= self.every_s * 1e6
        if due or self._changed():
            if due:
                self._told_us = now_us
            self.tell(self.topics[0], self.message(absolute), False)

    def _changed(self) -> bool:
        """A change is told once two readings agree."""
        if not self.on_change:
            return False
        if abs(self._weight - self._moved_to) > self.delta_grams:
            self._moved_to, self._moving = self._weight, True
            return False
        moved, self._moving = self._moving, False
        return moved

    def message(self, absolute: int) -> bytes:
        zone = timezone(timedelta(hours=self.utc_offset_h))
        at = (EPOCH + timedelta(microseconds=self.now_us())).astimezone(zone)
        count = ""
        if self.item_grams and (units := int(self._weight / self.item_grams)) > 1:
            count = f',"Count":{units}'
        return (
            f'{{"Time":"{at:%Y-%m-%dT%H:%M:%S}","HX711":{{"Weight":{self._weight / 1000:.3f}{count},'
            f'"WeightRaw":{_cut(absolute / self.scale)},"AbsRaw":{absolute}}}}}'
        ).encode()


@dataclass
class EspHome:
    """Its cells as sensors of one node; each state is its number as text, and retained as delivered."""

    name: str
    cells: int
    now_us: Callable[[], int]
    tell: Tell
    every_s: float = 1.0
    kilograms: bool = True
    _told_us: int | None = None

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(f"{self.name}/sensor/cell_{cell}/state" for cell in range(self.cells))

    def begin(self) -> None:
        self.tell(f"{self.name}/status", b"online", True)

    def weigh(self, grams: list[float]) -> None:
        now_us = self.now_us()
        if self._told_us is not None and now_us - self._told_us < self.every_s * 1e6:
            return
        self._told_us = now_us
        for topic, each in zip(self.topics, grams, strict=True):
            self.tell(topic, (f"{each / 1000:.4f}" if self.kilograms else f"{each:.1f}").encode(), True)

    def unavailable(self, cell: int, words: str = "nan") -> None:
        """The converter of a cell does not answer."""
        self.tell(self.topics[cell], words.encode(), True)


@dataclass
class Statestream:
    """Home Assistant's states of scales that it knows: text, told when it changes, retained."""

    name: str
    cells: int
    tell: Tell
    _told: dict[int, str] = field(default_factory=dict)

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(f"{self.name}/sensor/bay_{cell}/state" for cell in range(self.cells))

    def begin(self) -> None:
        self._told.clear()

    def weigh(self, grams: list[float]) -> None:
        for cell, (topic, each) in enumerate(zip(self.topics, grams, strict=True)):
            state = f"{each:.1f}"
            if self._told.get(cell) != state:
                self._told[cell] = state
                self.tell(topic, state.encode(), True)


@dataclass
class SenML:
    """A gateway with several cells: packs of what was weighed since the last one."""

    name: str
    cells: int
    now_us: Callable[[], int]
    tell: Tell
    every_s: float = 0.5
    absolute: bool = False
    _packed: list[tuple[int, list[float]]] = field(default_factory=list)
    _before: list[float] = field(default_factory=list)

    @property
    def topics(self) -> tuple[str, ...]:
        return (self.name,) * self.cells

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"urn:dev:mac:{MAC}:a{cell + 1}" for cell in range(self.cells))

    def begin(self) -> None:
        self._packed.clear()

    def weigh(self, grams: list[float]) -> None:
        now_us = self.now_us()
        self._packed.append((now_us, grams))
        if now_us - self._packed[0][0] < self.every_s * 1e6:
            return
        steady = all(abs(a - b) < 2.0 for a, b in zip(grams, self._before or grams, strict=True))
        self._before = grams
        self.tell(self.name, self.pack(self._packed, now_us, steady), False)
        self._packed = []

    def pack(self, weighed: list[tuple[int, list[float]]], now_us: int, steady: bool) -> bytes:
        records: list[dict[str, object]] = []
        for at_us, grams in weighed:
            for cell, each in enumerate(grams):
                time = {"t": round((at_us - now_us) / 1e6, 3)} if at_us != now_us else {}
                records.append({"n": f"a{cell + 1}", "v": round(each / 1000, 4)} | time)
        records += [{"n": f"a{cell + 1}/stable", "vb": steady} for cell in range(self.cells)]
        records[0] = {"bn": f"urn:dev:mac:{MAC}:", "bu": "kg"} | records[0]
        if self.absolute:
            records[0]["bt"] = round(now_us / 1e6, 3)
        return json.dumps(records, separators=(",", ":")).encode()


@dataclass
class PlainJson:
    """A maker's own JSON: all cells in one message, each with its unit, at rest or not, and a time with its zone."""

    name: str
    cells: int
    now_us: Callable[[], int]
    tell: Tell
    every_s: float = 0.2
    unit: str = "kg"
    zone: str = "Z"
    _told_us: int | None = None

    @property
    def topics(self) -> tuple[str, ...]:
        return (self.name,) * self.cells

    def begin(self) -> None:
        self.tell(f"{self.name}/status", b'{"state":"online"}', True)

    def weigh(self, grams: list[float]) -> None:
        now_us = self.now_us()
        if self._told_us is not None and now_us - self._told_us < self.every_s * 1e6:
            return
        self._told_us = now_us
        self.tell(self.name, self.message(grams, now_us), False)

    def message(self, grams: list[float], at_us: int) -> bytes:
        at = EPOCH + timedelta(microseconds=at_us)
        divisor = {"kg": 1000.0, "g": 1.0}[self.unit]
        scales = [{"w": round(each / divisor, 4), "rest": True} for each in grams]
        document = {"at": f"{at:%Y-%m-%dT%H:%M:%S.%f}{self.zone}", "unit": self.unit, "scales": scales}
        return json.dumps(document, separators=(",", ":")).encode()


def _cut(value: float) -> int:
    """As C divides whole numbers: toward zero."""
    return int(value)
