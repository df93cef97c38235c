"""What a person should do about a device, from what was seen of it in some seconds. Pure: values in, words out."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from edge import scale_diagnosis
from edge.errors import ReaderError
from edge.reads import Antenna, Lost, Read, Scale, TagRead, Trigger, WeightFault, WeightSample
from edge.remedies import Finding, Grade, refused
from edge.scale_diagnosis import Weighed
from wire.epc import RAW, decode

# A tag in a good place before an antenna is read at -45 to -60 dBm, one that only just answers at -70 to -80.
WEAK_DBM = -68.0
# Reads keep their order and their distances whatever the device's clock says; so far off, it was never set.
CLOCK_OFF_MS = 2_000.0

# Where RAIN readers may transmit: GS1, "Regulatory status for using RFID in the EPC Gen2 band"; a channel's
# middle, in MHz.
BANDS = (
    (865.0, 868.0, "865 to 868 MHz, as in Europe (ETSI), the Middle East, India, most of Africa"),
    (
        902.0,
        928.0,
        "902 to 928 MHz, or a part of it, as in the Americas (FCC), Australia, China, Japan, Korea",
    ),
)
_UNSET = re.compile(r"\bregion\W*(unset|none|not set|unspecified|open|0\b|$)", re.IGNORECASE)


@dataclass
class Seen:
    """What came of a device.

    Attributes:
        expected: the antennas that the configuration names; empty where there is none.
        references: reference tags by antenna, as configured.
        connected: whether it could be opened at all.
        error: why not, or what ended it.
    """

    url: str
    yields: str
    seconds: float
    expected: tuple[int, ...] = ()
    references: dict[int, tuple[str, ...]] = field(default_factory=dict)
    connected: bool = False
    error: ReaderError | None = None
    detail: str = ""
    clock_offset_ms: float | None = None
    tags: Counter[int] = field(default_factory=Counter)  # reads by antenna
    strongest: dict[int, float] = field(default_factory=dict)  # dBm by antenna
    epcs: dict[str, set[int]] = field(default_factory=dict)  # the antennas that read each
    off: set[int] = field(default_factory=set)  # antennas that the reader calls disconnected
    channels: set[float] = field(default_factory=set)  # MHz
    inputs: dict[int, bool] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    weighed: Weighed = field(default_factory=Weighed)  # of a scale

    def take(self, reads: Sequence[Read]) -> None:
        for read in reads:
            match read:
                case TagRead():
                    self.tags[read.antenna] += read.count
                    strongest = self.strongest.get(read.antenna, read.rssi_dbm)
                    self.strongest[read.antenna] = max(strongest, read.rssi_dbm)
                    self.epcs.setdefault(read.epc, set()).add(read.antenna)
                    if read.channel_mhz is not None:
                        self.channels.add(read.channel_mhz)
                case WeightSample() | WeightFault() | Scale():
                    self.weighed.take(read)
                case Trigger():
                    self.inputs[read.input] = read.on
                case Antenna():
                    (self.off.discard if read.connected else self.off.add)(read.antenna)
                case Lost():
                    self.lost.append(read.reason)


def findings(seen: Seen) -> list[Finding]:
    """Everything worth saying, the worst first; at least one."""
    if not seen.connected:
        assert seen.error is not None, "a device that could not be opened says why"
        return [refused(seen.error, seen.url)]
    found = [*_ended(seen), *_yielded(seen), *_clock(seen)]
    if lost := Counter(seen.lost):
        reason, times = lost.most_common(1)[0]
        found.append(Finding(Grade.FINDING, f"reads were lost {lost.total()} times: {reason}" +
                             (f" (and the like, {times} times)" if times > 1 else ""),
                             "see to the cable between reader and computer"))  # fmt: skip
    return found or [Finding(Grade.FINE, _fine(seen))]


def _yielded(seen: Seen) -> Iterator[Finding]:
    return scale_diagnosis.findings(seen.weighed, seen.seconds) if seen.yields == "weights" else _tags(seen)


def exit_code(found: Sequence[Finding]) -> int:
    """0 fine, 1 could not connect, 2 connected with findings."""
    grades = {finding.grade for finding in found}
    return 1 if Grade.FAILED in grades else 2 if Grade.FINDING in grades else 0


def _ended(seen: Seen) -> Iterator[Finding]:
    if seen.error:
        cause = refused(seen.error, seen.url)
        yield Finding(Grade.FINDING, f"the connection ended while it was watched: {cause.what}", cause.do)


def _tags(seen: Seen) -> Iterator[Finding]:
    if not seen.tags:
        yield _no_tags(seen)
        return
    for antenna in sorted(seen.off):
        yield Finding(Grade.FINDING, f"antenna {antenna}: the reader says that it is not connected",
                      "check its cable at both ends; swap it with one that works")  # fmt: skip
    for antenna in seen.expected:
        if antenna not in seen.tags and antenna not in seen.off:
            yield Finding(Grade.FINDING, f"antenna {antenna} reads nothing while others do",
                          "hold a tag before it; if still nothing, check its cable and the reader's port")  # fmt: skip
    if seen.expected and (strange := sorted(set(seen.tags) - set(seen.expected))):
        yield Finding(Grade.FINDING, f"antenna {', '.join(map(str, strange))} reads, and is not in the configuration",
                      "add it to `antennas`, or unplug it: its reads are passed over")  # fmt: skip
    if max(seen.strongest.values()) < WEAK_DBM:
        yield Finding(Grade.FINDING, f"only weak tags: none above {WEAK_DBM:g} dBm",
                      "bring a tag to half a metre; if it stays weak, check power and antenna cables")  # fmt: skip
    yield from _identities(seen)
    yield from _region(seen)
    for antenna, epcs in seen.references.items():
        for epc in epcs:
            if antenna not in seen.epcs.get(epc.upper(), ()):
                yield Finding(Grade.FINDING, f"antenna {antenna} does not see its reference tag {epc}",
                              "is the tag in its place, and its EPC written right?")  # fmt: skip


def _no_tags(seen: Seen) -> Finding:
    if _UNSET.search(seen.detail):
        return next(_region(seen))
    if seen.off and seen.off >= set(seen.expected):
        which = ", ".join(map(str, sorted(seen.off)))
        return Finding(Grade.FINDING, f"no antenna is connected: the reader says so of {which}",
                       "screw the antennas on, and start again; never transmit into an open port")  # fmt: skip
    if seen.url.startswith("mqtt"):
        return Finding(Grade.FINDING, f"the broker is there, and no read came in {seen.seconds:g} s",
                       "does the reader publish to this broker and topic? is it started?")  # fmt: skip
    return Finding(Grade.FINDING, f"no tags at all in {seen.seconds:g} s",
                   "hold a tag half a metre before each antenna; if still nothing: are antennas connected, "
                   "is the region set, is power above 20 dBm?")  # fmt: skip


def _region(seen: Seen) -> Iterator[Finding]:
    """What its channels and its own words say of its region. Whether that is your country's, only you know."""
    strange = sorted(mhz for mhz in seen.channels if not any(low <= mhz <= high for low, high, _ in BANDS))
    if strange:
        yield Finding(Grade.FINDING, f"it transmits at {strange[0]:g} MHz, where no region lets a reader",
                      "set the region of your country on the reader")  # fmt: skip
    if _UNSET.search(seen.detail):
        yield Finding(Grade.FINDING, "its region is not set", "set the region of your country on the reader")


def band(seen: Seen) -> str | None:
    """Where it transmits, for whoever knows what is allowed there; None where it does not say."""
    found = [name for low, high, name in BANDS if any(low <= mhz <= high for mhz in seen.channels)]
    return f"transmits at {' and '.join(found)}: is that your region?" if found else None


def _identities(seen: Seen) -> Iterator[Finding]:
    raw = sorted(epc for epc in seen.epcs if decode(epc).scheme == RAW)
    if raw:
        what = f"{len(raw)} of {len(seen.epcs)} EPCs are of no GS1 scheme"
        if len(raw) == len(seen.epcs):
            what = f"none of the {len(raw)} EPCs is of a GS1 scheme"
        yield Finding(Grade.FINDING, f"{what}, as {raw[0]}",
                      "tags of your own coding need `epc_prefix` in items.csv; others are foreign")  # fmt: skip


def _clock(seen: Seen) -> Iterator[Finding]:
    offset_ms = seen.clock_offset_ms
    if offset_ms is not None and abs(offset_ms) > CLOCK_OFF_MS:
        ahead = "ahead" if offset_ms > 0 else "behind"
        yield Finding(Grade.FINDING, f"the device's clock is {span(abs(offset_ms) / 1000)} {ahead}",
                      "times are put right, but set its time server (NTP), so that its own log agrees")  # fmt: skip


def _fine(seen: Seen) -> str:
    if seen.yields == "weights":
        return scale_diagnosis.fine(seen.weighed)
    return f"{seen.tags.total()} reads of {len(seen.epcs)} tags by antenna {', '.join(map(str, sorted(seen.tags)))}"


def by_antenna(seen: Seen) -> list[str]:
    """One line an antenna: reads, different tags, the strongest."""
    lines = []
    for antenna in sorted({*seen.tags, *seen.expected, *seen.off}):
        tags = sum(antenna in antennas for antennas in seen.epcs.values())
        strongest = seen.strongest.get(antenna)
        lines.append(
            f"antenna {antenna}\t{seen.tags[antenna]} reads\t{tags} tags\t"
            + ("nothing" if strongest is None else f"strongest {strongest:.0f} dBm")
        )
    return lines


def span(seconds: float) -> str:
    """A length of time in the largest unit that fits, as people say it."""
    for unit, length in (("days", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.1f} s"
