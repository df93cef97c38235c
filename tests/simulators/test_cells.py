"""The simulated boards and transmitters say what the makers' pages say that they say."""

from random import Random

import pytest

from simulators.hx711_lines.board import BOOT_READINGS, Board, Cell, State, Style
from simulators.modbus_scale.frames import Answer, RtuFrames, TcpFrames, checksum, read
from simulators.modbus_scale.serve import MOST_REGISTERS
from simulators.modbus_scale.transmitters import CHANNELS, KINDS, Channel, Transmitter
from simulators.modbus_scale.transmitters import State as ChannelState


class Quiet(Random):
    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        return mu


def board(style: Style, cells: int = 1, *, tares: bool = False) -> Board:
    made = Board([Cell() for _ in range(cells)], style, Quiet(1), tares=tares)
    made.reset()
    for _ in range(BOOT_READINGS):
        assert made.reading([0.0] * cells, 100) == ""
    return made


@pytest.mark.parametrize(
    "style, said",
    [
        (Style.GRAMS, "HX711 Demo\r\nInitializing the scale\r\n\r\n330.00\r\n"),
        (Style.LABELLED, "\r\nStarting...\r\nStartup is complete\r\nLoad_cell output val: 330.00\r\n"),
        (Style.COUNTS, "\r\n222600\r\n"),
    ],
)
def test_a_board_starts_with_its_banner(style: Style, said: str) -> None:
    started = board(style)
    assert started.reading([330.0], 100) == said
    assert started.reading([330.0], 100) == said.splitlines()[-1] + "\r\n"


def test_openscale_has_a_comma_behind_each_column() -> None:
    started = board(Style.OPENSCALE)
    started.reading([330.0], 200)
    assert started.reading([330.0], 200) == f"1400,0.3300,kg,{222_600 + 0x800000},22.75,\r\n"


def test_a_board_that_tares_forgets_what_lies_on_it() -> None:
    taring = board(Style.GRAMS, tares=True)
    assert taring.reading([330.0], 100).endswith("0.00\r\n")
    assert taring.reading([660.0], 100) == "330.00\r\n"
    keeping = board(Style.COUNTS, tares=True)
    keeping.reading([330.0], 100)
    assert keeping.reading([330.0], 100) == "222600\r\n"  # counts know no tare


@pytest.mark.parametrize(
    "state, counts, grams",
    [
        (State.OVER, "8388607,84000", "19772.87,0.00"),
        (State.UNDER, "-8388608,84000", "-20172.88,0.00"),
        (State.UNPLUGGED, "-1,84000", "nan,0.00"),
    ],
)
def test_what_befalls_a_cell_shows(state: State, counts: str, grams: str) -> None:
    for style, said in ((Style.COUNTS, counts), (Style.GRAMS, grams)):
        hit = board(style, 2)
        hit.cells[0].state = state
        hit.reading([0.0, 0.0], 100)
        assert hit.reading([0.0, 0.0], 100) == said + "\r\n"


# Baykon MX08 technical manual 2.5, section 8.5; MODBUS Application Protocol 1.1b3, section 6.3.
ASKED, SAID = bytes.fromhex("01 03 03 ED 00 02 54 7A"), bytes.fromhex("01 03 04 00 00 27 10 E0 0F")
TCP_ASKED = bytes.fromhex("15 01 00 00 00 06 11 03 00 6B 00 03")
TCP_SAID = bytes.fromhex("15 01 00 00 00 09 11 03 06 02 2B 00 00 00 64")


def holds(values: dict[int, int], function: int = 3) -> Answer:
    return lambda unit, question: read(question, values.get, function, MOST_REGISTERS)


def test_the_checksum_is_the_specifications() -> None:
    assert checksum(bytes.fromhex("02 07")) == bytes.fromhex(
        "41 12"
    )  # MODBUS over Serial Line 1.02, appendix B
    assert checksum(ASKED[:-2]) == ASKED[-2:]
    assert checksum(SAID[:-2]) == SAID[-2:]


def test_questions_are_answered_with_the_manuals_bytes() -> None:
    rtu = RtuFrames(holds({1005: 0, 1006: 10_000}))
    assert [reply.frame for reply in rtu.receive(b"\x00\xff" + ASKED + b"\x01")] == [SAID]
    tcp = TcpFrames(holds({107: 555, 108: 0, 109: 100}))
    assert [reply.frame for byte in TCP_ASKED for reply in tcp.receive(bytes([byte]))] == [TCP_SAID]


@pytest.mark.parametrize(
    "question, answer",
    [
        ("06 00 01 00 02", "86 01"),  # to write is no function of theirs
        ("04 00 00 00 01", "84 01"),
        ("03 00 00 00 21", "83 03"),  # 33 registers
        ("03 00 05 00 02", "83 02"),
    ],
)
def test_a_wrong_question_is_refused(question: str, answer: str) -> None:
    assert holds({5: 1})(1, bytes.fromhex(question)) == bytes.fromhex(answer)


@pytest.mark.parametrize("kind", KINDS)
def test_a_transmitter_has_registers_whatever_befalls_its_cells(kind: str) -> None:
    device = Transmitter(kind, 1, [Channel(lambda: -123.4) for _ in range(CHANNELS.get(kind, 1))])
    fine = device.registers()
    for state in ChannelState:
        device.channels[0].state = state
        now = device.registers()
        assert now.keys() == fine.keys()
        assert all(0 <= value <= 0xFFFF for value in now.values())


def test_laumas_has_the_sign_in_its_status_and_baykon_in_the_weight() -> None:
    laumas = Transmitter("laumas", 1, [Channel(lambda: -123.4)]).registers()
    assert (laumas[6] >> 7 & 1, laumas[7], laumas[8]) == (1, 0, 1234)
    baykon = Transmitter("baykon", 1, [Channel(lambda: -123.4)]).registers()
    assert (baykon[5], baykon[6]) == (0xFFFF, 0x10000 - 1234)
