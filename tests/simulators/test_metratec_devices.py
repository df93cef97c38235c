"""The simulated metraTec readers say what the maker's own libraries expect, byte for byte."""

from random import Random

import pytest

from simulators.gates import gate_reader
from simulators.metratec.air import MOST_WAITING, ROUND_MS, Air
from simulators.metratec.ascii import AsciiReader
from simulators.metratec.at import AtReader
from simulators.scenario import GateSite

PORTS = (1, 2, 3, 4)
EPC, TID = "3034257BF468D480000003EC", "E200600311753E33"


def at() -> AtReader:
    return AtReader(PORTS, lambda epc: TID)


def ascii(**how: bool) -> AsciiReader:
    return AsciiReader(PORTS, Random(1), **how)


def asked(reader: AtReader | AsciiReader, *commands: str) -> list[bytes]:
    return [
        b"".join(reader.receive(command.encode() + b"\r")).replace(b"\r", b"|").replace(b"\n", b"")
        for command in commands
    ]


def ticks(reader: AtReader | AsciiReader, until_ms: float) -> list[bytes]:
    """What is said up to a time, a message each."""
    reader.tick(0.0)
    return [b"".join(message) for message in reader.tick(until_ms)]


def test_an_at_reader_answers_as_the_library_parses_it() -> None:
    assert asked(at(), "AT", "ATI", "AT+INVS?", "AT+REG?", "AT+PWR?", "AT+IN?", "AT+BINV", "AT+X", "HI") == [
        b"OK|",
        b"+SW: PULSAR_LR 0107|+HW: PULSAR_LR 0100|+SERIAL: 2020090817420000|OK|",
        b"+INVS: 0,1,0,0,0,ALL,A,-100|OK|",
        b"+REG: ETSI_LOWER|OK|",
        b"+PWR: 27,27,27,27|OK|",
        b"+IN: 1,LOW|+IN: 2,LOW|OK|",
        b"+BINV: <Inventory is not running>|ERROR|",
        b"ERROR|",
        b"ERROR|",
    ]


@pytest.mark.parametrize(
    "command", ["AT+REG=MARS", "AT+PWR=31", "AT+PWR=x", "AT+ANT=5", "AT+MUX=1,9", "AT+INVS=0,1", "AT+HBT=x"]
)
def test_an_at_reader_refuses_what_it_does_not_have(command: str) -> None:
    (answer,) = asked(at(), command)
    assert answer.endswith(b"ERROR|")


def test_at_rounds_come_in_turn_and_name_their_antenna_last() -> None:
    reader = at()
    asked(reader, "AT+INVS=0,1,1,0,0,ALL,A,-100", "AT+MUX=1,2", "AT+CMINV")
    reader.tick(0.0)
    reader.air.connected.discard(2)
    reader.air.sighted(EPC, 1, -61)
    reader.air.sighted(EPC, 1, -62)  # answers once in a round
    reader.air.sighted(EPC, 3, -50)  # not in the sequence
    assert [b"".join(message) for message in reader.tick(3 * ROUND_MS)] == [
        f"+CMINV: {EPC},{TID},-61\r+CMINV: <ROUND FINISHED, ANT=1>\r\n".encode(),
        b"+CMINV: <Antenna Error>\r+CMINV: <ROUND FINISHED, ANT=2>\r\n",
        f"+CMINV: {EPC},{TID},-62\r+CMINV: <ROUND FINISHED, ANT=1>\r\n".encode(),
    ]
    assert reader.told == [(EPC, 1, -61), (EPC, 1, -62)]
    assert asked(reader, "AT+PWR=20", "AT+CINV", "AT+BINV") == [
        b"+PWR: <Inventory is running>|ERROR|",
        b"+CINV: <Inventory is running>|ERROR|",
        b"OK|",
    ]


def test_an_at_reader_on_one_antenna_finds_nothing_and_beats() -> None:
    reader = at()
    asked(reader, "AT+ANT=2", "AT+HBT=1", "AT+IEV=1", "ATE1")
    assert asked(reader, "AT+CINV") == [b"AT+CINV|OK|"]
    reader.input(1, on=True)
    assert [b"".join(each) for each in reader.tick(0.0)] == [b"+IEV: 1,HIGH\r\n", b"+HBT\r\n"]
    assert ticks(reader, ROUND_MS) == [b"+CINV: <NO TAGS FOUND>\r+CINV: <ROUND FINISHED, ANT=2>\r\n"]
    reader.power_cycle()
    assert not reader.air.reading
    assert ticks(reader, 5000.0) == []


def test_an_ascii_reader_answers_as_the_library_parses_it() -> None:
    assert asked(
        ascii(), "BRK", "HWR", "RFW", "WAK", "STD ETS", "STD MARS", "CFG PWR 27", "CFG PWR 99", "REV", "SAP MAN 9"
    ) == [
        b"NCM|", b"PULSAR_MX       0100|", b"PULSAR_MX       0315|", b"DNS|", b"OK!|", b"UPA|", b"OK!|", b"NOR|",
        b"UCO|", b"NOR|",
    ]  # fmt: skip
    assert asked(ascii(checksums=True), "BRK", "COF 4F5E", "BRK") == [b"CCE|", b"OK!|", b"NCM|"]
    assert asked(ascii(asleep=True), "BRK", "WAK", "BRK") == [b"", b"GMO|", b"NCM|"]


def test_ascii_rounds_end_with_antenna_and_count() -> None:
    reader = ascii()
    asked(reader, "SET EPC ON", "SET TRS ON", "SAP ARP ON", "SAP AUT 2", "SEC COMM 0 #SPIN0#RIP 0", "CNR INV")
    reader.tick(0.0)
    reader.air.sighted(EPC, 1, -61)
    reader.input(1, on=True)
    reader.input(2, on=True)  # nobody asked for this one
    assert [b"".join(message) for message in reader.tick(2 * ROUND_MS)] == [
        b"IN0 HI!\r",
        f"{EPC}\r{EPC}\r-61\rARP 00\rIVF 01\r".encode(),
        b"ARP 01\rIVF 00\r",
    ]
    assert asked(reader, "HWR", "BRK", "BRK") == [b"", b"BRA|", b"NCM|"]
    reader.power_cycle()
    assert ticks(reader, 100.0) == []  # said at the first tick
    fresh = ascii()
    fresh.power_cycle()
    assert [b"".join(message) for message in fresh.tick(0.0)] == [b"SRT\r"]


def test_a_reader_keeps_little_and_catches_up_with_nothing() -> None:
    air = Air(PORTS, PORTS)
    air.start()
    air.rounds(0.0)
    for number in range(2 * MOST_WAITING):
        air.sighted(f"{number:024X}", 1, -60)
    assert air.waiting == MOST_WAITING
    assert air.rounds(60_000.0) == [], "nobody asked for a minute: its rounds are over and gone"


@pytest.mark.parametrize("driver, serial", [("metratec", False), ("metratec-ascii", True)])
def test_a_scenarios_gate_may_have_one(driver: str, serial: bool) -> None:
    site = GateSite(name="dock-1", outside=(1, 2), inside=(3, 4), driver=driver)
    reader = gate_reader(site, 0, lambda: 0)
    assert (reader.baud is not None) == serial
    assert not reader.radio.reading
    reader.radio.sighted(bytes(12), 1, -60, 1, 0)  # nobody is connected: it is gone
