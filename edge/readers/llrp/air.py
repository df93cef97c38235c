"""What is asked of the air, held against what the reader says that it can. Pure.

Everything that a person asked for and the reader cannot do is said at once, with what it can.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from edge.errors import ReaderRefused
from edge.readers.llrp.config import MOST_ANTENNAS, LlrpConfig
from edge.readers.llrp.protocol.answers import AirSettings
from edge.readers.llrp.protocol.capabilities import Capabilities
from edge.readers.llrp.protocol.impinj import Search


@dataclass(frozen=True, slots=True)
class Antenna:
    """What one antenna is told; antenna 0 stands for all. None: that part is left as the reader is set."""

    number: int
    transmit: AirSettings | None = None  # its hop table, channel and power
    control: AirSettings | None = None  # its mode and Tari
    singulation: AirSettings | None = None  # its session, population and transit time
    search: Search | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What the ROSpec is to say: made of settings and capabilities, and of nothing else."""

    antennas: tuple[int, ...]  # to read on; 0 is all
    told: tuple[Antenna, ...]
    extensions: bool  # Impinj's, in reports
    tid: bool


def needs_present(config: LlrpConfig) -> bool:
    """Whether settings that a person named go together with others that must be asked of the reader."""
    asked = (config.power_dbm, config.channel, config.hop_table, config.mode, config.session,
             config.population, config.transit_ms)  # fmt: skip
    return any(each is not None for each in asked)


def plan(
    config: LlrpConfig, able: Capabilities, present: dict[int, AirSettings], *, extensions: bool
) -> Plan:
    """What to tell a reader that can do this, and whose antennas are set like that now.

    Raises:
        ReaderRefused: something is asked for that it cannot do; says what, and what it can.
    """
    if problems := list(_problems(config, able, extensions=extensions)):
        raise ReaderRefused("; ".join(problems))
    numbers = config.antennas or (0,)
    told = [_antenna(number, config, able, present) for number in _named(config, able, present)]
    return Plan(
        numbers,
        tuple(each for each in told if each != Antenna(each.number)),
        extensions,
        config.tid and extensions,
    )


def _named(config: LlrpConfig, able: Capabilities, present: dict[int, AirSettings]) -> Iterable[int]:
    """The antennas to tell, by number where they are not all told the same."""
    if config.antennas:
        return config.antennas
    if isinstance(config.power_dbm, dict):
        return range(1, min(able.antennas, MOST_ANTENNAS) + 1) or sorted(config.power_dbm)
    return sorted(present) if len(set(present.values())) > 1 else (0,)


def _antenna(number: int, config: LlrpConfig, able: Capabilities, present: dict[int, AirSettings]) -> Antenna:
    default = AirSettings(hop_table=min(able.tables_khz, default=1) if able.hops else 0, power=_most(able))
    now = present.get(number) or next(iter(present.values()), default)
    power = config.power_dbm.get(number) if isinstance(config.power_dbm, dict) else config.power_dbm
    transmit = control = singulation = None
    if power is not None or config.channel is not None or config.hop_table is not None:
        transmit = replace(
            now,
            hop_table=now.hop_table if config.hop_table is None else config.hop_table,
            channel=now.channel if config.channel is None else config.channel,
            power=now.power if power is None else power_index(power, able),
        )
    if config.mode is not None:
        control = replace(now, mode=config.mode, tari_ns=round((config.tari_us or 0) * 1000))
    if (config.session, config.population, config.transit_ms) != (None, None, None):
        singulation = replace(
            now,
            session=now.session if config.session is None else config.session,
            population=now.population if config.population is None else config.population,
            transit_ms=now.transit_ms if config.transit_ms is None else config.transit_ms,
        )
    search = None if config.search is None else Search[config.search.upper()]
    return Antenna(number, transmit, control, singulation, search)


def power_index(dbm: float, able: Capabilities) -> int:
    """The place in the reader's table of the highest power that is not above this."""
    fitting = {index: centi for index, centi in able.powers_centi_dbm.items() if centi <= round(dbm * 100)}
    return max(fitting, key=lambda index: fitting[index])


def _most(able: Capabilities) -> int:
    return max(able.powers_centi_dbm, key=lambda index: able.powers_centi_dbm[index], default=0)


def _problems(config: LlrpConfig, able: Capabilities, *, extensions: bool) -> Iterator[str]:
    numbers = {
        *(config.antennas or ()),
        *(config.power_dbm if isinstance(config.power_dbm, dict) else ()),
    }
    for number in sorted(numbers):
        if able.antennas and number > able.antennas:
            yield f"antenna {number} is asked for; the reader has 1 to {able.antennas}"
    yield from _power_problems(config, able)
    if config.mode is not None:
        yield from _mode_problems(config.mode, config.tari_us, able)
    if config.channel is not None:
        channels = able.tables_khz.get(0, ())
        if able.hops:
            yield f"channel {config.channel} is asked for; the reader's region hops: say hop_table, or nothing"
        elif channels and config.channel > len(channels):
            yield f"channel {config.channel} is asked for; the reader has 1 to {len(channels)} ({_mhz(channels)})"
    if config.hop_table is not None and not (able.hops and config.hop_table in able.tables_khz):
        tables = _listed(sorted(able.tables_khz)) if able.hops else "none: its region has fixed channels"
        yield f"hop_table {config.hop_table} is asked for; the reader has {tables}"
    for name, asked in (("search", config.search), ("tid", config.tid)):
        if asked and not extensions:
            who = "refuses Impinj's extensions" if able.impinj else f"is no Impinj ({able.detail})"
            yield f"{name} is asked for, which only Impinj readers know; this one {who}"


def _power_problems(config: LlrpConfig, able: Capabilities) -> Iterator[str]:
    asked = config.power_dbm.values() if isinstance(config.power_dbm, dict) else [config.power_dbm]
    powers = able.powers_centi_dbm.values()
    for dbm in asked:
        if dbm is None:
            continue
        if not powers:
            yield f"power_dbm {dbm:g} is asked for; the reader does not say which powers it has"
        elif not min(powers) <= round(dbm * 100) <= max(powers):
            yield (
                f"power_dbm {dbm:g} is asked for; the reader has {min(powers) / 100:g} to {max(powers) / 100:g}"
            )


def _mode_problems(mode: int, tari_us: float | None, able: Capabilities) -> Iterator[str]:
    if able.modes and mode not in able.modes:
        yield f"mode {mode} is asked for; the reader has {_listed(sorted(able.modes))}"
    known = able.modes.get(mode)
    if tari_us and known and not known.least_tari_ns <= round(tari_us * 1000) <= known.most_tari_ns:
        limits = f"{known.least_tari_ns / 1000:g} to {known.most_tari_ns / 1000:g}"
        yield f"tari_us {tari_us:g} is asked for; mode {mode} of the reader has {limits}"


def _listed(numbers: Collection[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def _mhz(channels: Collection[int]) -> str:
    return ", ".join(f"{khz / 1000:g}" for khz in channels) + " MHz"
