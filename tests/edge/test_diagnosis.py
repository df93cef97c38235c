"""What is said of a device from what was seen of it."""

import pytest

from edge.diagnosis import Seen, band, by_antenna, exit_code, findings, span
from edge.errors import ProtocolError, ReaderError, ReaderLost, ReaderRefused
from edge.reads import Antenna, Lost, Read, Scale, TagRead, Trigger, WeightFault, WeightSample
from edge.remedies import Finding, Grade
from edge.scale_diagnosis import Pace, Weighed, fine, table

CASE = "3074257BF7194E4000001A85"
FOREIGN = "E2801170000002081A8A1234"


def seen(
    *reads: Read, expected: tuple[int, ...] = (), references: dict[int, tuple[str, ...]] | None = None,
    offset_ms: float | None = None, yields: str = "tags", error: ReaderError | None = None,
    cells: tuple[int, ...] = (), pace: Pace = Pace.LINE,
) -> Seen:  # fmt: skip
    found = Seen(
        "tcp://192.0.2.10:5084", yields, 10.0, expected=expected, references=references or {}, connected=True,
        clock_offset_ms=offset_ms, error=error,
    )  # fmt: skip
    found.weighed.expected = cells
    found.weighed.pace = pace
    found.take(reads)
    return found


def tag(antenna: int, rssi: float = -55.0, epc: str = CASE) -> TagRead:
    return TagRead(at_us=0, gate="dock-1", antenna=antenna, epc=epc, rssi_dbm=rssi)


def weight(grams: float, stable: bool = True, *, at_us: int = 0) -> WeightSample:
    return WeightSample(at_us=at_us, shelf="aisle-1", cell=0, grams=grams, stable=stable)


def fault(what: str) -> WeightFault:
    return WeightFault(at_us=0, shelf="aisle-1", cell=0, fault=what)


def off(antenna: int, connected: bool = False) -> Antenna:
    return Antenna(at_us=0, gate="dock-1", antenna=antenna, connected=connected)


def lost(reason: str) -> Lost:
    return Lost(at_us=0, device="dock-1", from_us=0, to_us=0, reason=reason)


def test_a_reader_that_reads_on_all_antennas_is_fine() -> None:
    found = findings(seen(tag(1), tag(2), tag(2), expected=(1, 2), references={2: (CASE,)}, offset_ms=900))
    assert found == [Finding(Grade.FINE, "3 reads of 1 tags by antenna 1, 2")]
    assert exit_code(found) == 0


@pytest.mark.parametrize(
    "watched, what",
    [
        (seen(), "no tags at all in 10 s"),
        (seen(off(1), off(2), expected=(1, 2)), "no antenna is connected: the reader says so of 1, 2"),
        (seen(off(1), off(1, True)), "no tags at all"),
        (seen(tag(1), off(2), expected=(1, 2)), "antenna 2: the reader says that it is not connected"),
        (seen(tag(1), expected=(1, 2)), "antenna 2 reads nothing while others do"),
        (seen(tag(1), tag(7), expected=(1,)), "antenna 7 reads, and is not in the configuration"),
        (seen(tag(1, -70), tag(2, -75)), "only weak tags: none above -68 dBm"),
        (seen(tag(1, epc=FOREIGN)), f"none of the 1 EPCs is of a GS1 scheme, as {FOREIGN}"),
        (seen(tag(1), tag(1, epc=FOREIGN)), "1 of 2 EPCs are of no GS1 scheme"),
        (seen(tag(1), expected=(1,), references={1: (FOREIGN,)}), "antenna 1 does not see its reference tag"),
        (seen(tag(2), tag(1, epc=FOREIGN), references={1: (CASE,)}), "antenna 1 does not see its reference"),
        (seen(tag(1), offset_ms=-3 * 3_600_000.0), "the device's clock is 3 h behind"),
        (seen(tag(1), offset_ms=14_000.0), "the device's clock is 14.0 s ahead"),
        (seen(tag(1), lost("noise"), lost("noise")), "reads were lost 2 times: noise"),
        (seen(tag(1), error=ReaderLost("silent for 6 s")), "ended while it was watched: the link is open and"),
        (seen(yields="weights"), "no weight in 10 s"),
        (seen(weight(-3.0), yields="weights"), "the weight is below zero (-3 g)"),
        (seen(weight(100, False), weight(140, False), yields="weights"), "never at rest: it moves by 40.0 g"),
        (seen(*[weight(100, False)] * 5, yields="weights"), "never called stable, though it moves by only 0.0 g"),
        (seen(fault("overload"), yields="weights"), "cell 0 could not weigh, said 1 times: overload"),
        (seen(weight(1), fault("device_error: it shows net"), yields="weights"), "could not weigh, said 1 times: dev"),
        (seen(weight(1), weight(1, at_us=2_000_000), yields="weights"), "only 0.5 weights a second"),
        (seen(weight(1), weight(1, at_us=60_000_000), yields="weights", pace=Pace.PUBLISHED), "only every 60 s"),
        (seen(weight(1), yields="weights", cells=(0, 1)), "cell 1 says nothing while others do"),
        (seen(weight(1), yields="weights", cells=(1,)), "cell 0 weighs, and no bay stands on it"),
    ],
)  # fmt: skip
def test_what_is_to_be_seen_to_is_said(watched: Seen, what: str) -> None:
    found = findings(watched)
    assert any(what in finding.what for finding in found), found
    assert all(finding.do for finding in found)
    assert exit_code(found) == 2


def test_a_scale_that_weighs_is_fine() -> None:
    (found,) = findings(seen(weight(100.0), weight(140.0), weight(140.2, False), yields="weights"))
    assert found == Finding(Grade.FINE, "3 weights of 1 cell, 2 of them at rest, 100 to 140.2 g")


def every(period_s: float, *grams: float) -> list[WeightSample]:
    return [weight(each, at_us=round(i * period_s * 1e6)) for i, each in enumerate(grams)]


@pytest.mark.parametrize(
    "weights, said",
    [
        (every(0.1, 500, 500.2, 500.1, -199.9, 500.3, 500.2, 500.1, 7, 500, 500.1),
         "cell 0: 2 single weights are far off the rest, as -199.9 g among 500.1 g"),
        (every(0.1, -200, 500, 500, 500, 500, 5000, 500, 500, 500, 7),
         "cell 0: 1 single weight is far off the rest, as 5000.0 g among 500.0 g"),
        (every(0.1, 84000, 84027, 83991, 2, 84010, 84020, 83980, 84015), "as 2.0 g among"),
    ],
)  # fmt: skip
def test_single_weights_that_no_load_can_be_are_said(weights: list[WeightSample], said: str) -> None:
    watched = seen(*weights, yields="weights")
    (found,) = findings(watched)
    assert said in found.what
    assert "a garbled line or a loose wire" in found.do
    (line,) = table(watched.weighed)
    assert "mean -" not in line
    assert any(f"mean {mean}" in line for mean in ("500.1 g", "500.0 g", "84006.1 g")), line


@pytest.mark.parametrize(
    "weights",
    [
        every(0.1, 0, 0, 0, 0, 500, 500, 500, 500),  # put down
        every(0.1, 0, 0, 0, 700, 480, 510, 495, 503, 499, 500),  # and what holds it swings
        every(0.1, 0, 0, 0, 300, 320, 0, 0, 0),  # touched
        every(0.4, 0, 0, 0, 300, 0, 0, 0, 0),  # the same, of a slow scale
        every(0.1, 500, 490, 500, 490, 500, 490, 500),  # a division
        every(0.1, 500, 560, 470, 530, 440, 560, 500, 450),  # shaken all the time
    ],
)
def test_a_load_that_moves_is_no_garbled_line(weights: list[WeightSample]) -> None:
    assert not any("far off" in found.what for found in findings(seen(*weights, yields="weights")))


def test_a_converter_that_is_cut_off_comes_with_its_wires() -> None:
    (found,) = findings(seen(fault("device_error: the converter does not answer (-1)"), yields="weights"))
    assert "DOUT or SCK" in found.do


def test_an_empty_platform_may_say_a_little_less_than_nothing() -> None:
    (found,) = findings(seen(weight(-0.3), weight(-0.2), yields="weights"))
    assert found.grade is Grade.FINE


@pytest.mark.parametrize(
    "period_s, pace",
    [(1.0, Pace.PUBLISHED), (10.2, Pace.PUBLISHED), (60.0, Pace.ON_CHANGE), (0.1, Pace.LINE)],
)
def test_a_scale_is_as_fast_as_its_kind_can_be(period_s: float, pace: Pace) -> None:
    weights = every(period_s, *[500.0] * 12)
    (found,) = findings(seen(*weights, yields="weights", pace=pace))
    assert found.grade is Grade.FINE


def test_a_scale_that_publishes_has_no_baud() -> None:
    (found,) = findings(seen(*every(60.0, 1.0, 1.0), yields="weights", pace=Pace.PUBLISHED))
    assert "update_interval: 1s" in found.do
    assert "baud" not in found.do


def test_a_device_on_a_bus_that_is_away_comes_with_what_to_look_at() -> None:
    watched = seen(weight(1.0), yields="weights")
    watched.take([WeightFault(at_us=0, shelf="aisle-1", cell=1, fault="device_error: does not answer")])
    (found,) = findings(watched)
    for remedy in ("address", "A and B swapped", "speed and parity"):
        assert remedy in found.do


@pytest.mark.parametrize(
    "error, what, do",
    [
        (ReaderLost("tcp://h:1: Connection refused"), "nothing listens on this port", "check the port"),
        (ReaderLost("tcp://h:1: no answer within 10 s"), "nothing answers at this address", "ping"),
        (ReaderLost("tcp://h:1: No route to host"), "nothing answers at this address", "cable"),
        (ReaderLost("tcp://h:1: Name or service not known"), "no machine has this name", "address"),
        (ReaderRefused("dock-1: the reader is busy with another client"), "another client", "agent"),
        (ReaderLost("tcp://h:1: the other side hung up"), "another client", "wait half a minute"),
        (ReaderRefused("serial:/dev/x: another program has it open"), "has the port open", "stop it"),
        (ReaderRefused("serial:/dev/x: we may not open it; is this user in the group 'dialout'?"),
         "permission denied", "usermod -aG dialout"),
        (ReaderLost("serial:/dev/x: No such file or directory"), "no such serial port", "readers list"),
        (ReaderRefused("reader refuses ADD_ROSPEC: 100: HopTableID is invalid"), "region is wrong or unset", "region"),
        (ReaderRefused("the reader refuses AT+REG=MARS"), "refuses AT+REG", "says"),
        (ProtocolError("not a line of an MT-SICS scale: b'x'"), "speed (baud) is wrong", "?baud="),
        (ProtocolError("LLRP version 5, expected one of (1, 2)"), "speaks another protocol", "--driver"),
        (ReaderLost("silent for 5 s"), "the device says nothing", "switched on"),
        (ReaderLost("silent: no answer to us from unit 1; are speed"), "no device on the bus", "A and B swapped"),
        (ReaderLost("silent: no unit has answered for 5 s"), "no device on the bus", "speed and parity"),
        (ReaderRefused("401 Unauthorized"), "other credentials", "never in the URL"),
        (ReaderRefused("mqtt://h:1883: the broker lets nobody not read t"), "or more rights", "read the topic"),
        (ReaderLost("mqtt://h:1883: nothing on t for 60 s; the reader is off"), "nothing is published", "topic"),
        (ReaderRefused("mqtts://h: certificate verify failed; name"), "cannot be proven", "ca_file"),
        (ReaderLost("serial:/dev/x: nothing there answers as a ThingMagic module"), "says nothing", "?baud="),
        (ReaderLost("strange"), "lost: strange", "try again"),
    ],
)  # fmt: skip
def test_why_a_device_cannot_be_opened_comes_with_a_remedy(error: ReaderError, what: str, do: str) -> None:
    (found,) = findings(Seen("tcp://h:1", "tags", 10.0, error=error))
    assert found.grade is Grade.FAILED
    assert what in found.what
    assert str(error) in found.what
    assert do in found.do
    assert exit_code([found]) == 1


def test_antennas_are_shown_whether_they_read_or_not() -> None:
    watched = seen(tag(1, -60), tag(1, -50, FOREIGN), off(3), expected=(1, 2))
    watched.take([Trigger(at_us=0, gate="dock-1", input=1, on=True)])
    assert by_antenna(watched) == [
        "antenna 1\t2 reads\t2 tags\tstrongest -50 dBm",
        "antenna 2\t0 reads\t0 tags\tnothing",
        "antenna 3\t0 reads\t0 tags\tnothing",
    ]
    assert watched.inputs == {1: True}


@pytest.mark.parametrize(
    "seconds, words", [(0.5, "0.5 s"), (119, "119.0 s"), (600, "10 min"), (7200, "2 h"), (1e6, "12 days")]
)
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words


def on_channel(mhz: float) -> TagRead:
    return TagRead(at_us=0, gate="dock-1", antenna=1, epc=CASE, rssi_dbm=-50.0, channel_mhz=mhz)


def test_the_band_is_shown_and_one_that_is_no_readers_is_found() -> None:
    assert band(seen(tag(1))) is None
    europe = seen(on_channel(865.7), on_channel(867.5))
    assert "Europe" in (band(europe) or "")
    assert exit_code(findings(europe)) == 0
    (found,) = findings(seen(on_channel(433.9)))
    assert found.what == "it transmits at 433.9 MHz, where no region lets a reader"


@pytest.mark.parametrize("detail", ["model 1, region unset", "region: none", "Region not set, firmware 2"])
def test_a_region_that_is_not_set_is_found_with_and_without_reads(detail: str) -> None:
    for watched in (seen(), seen(tag(1))):
        watched.detail = detail
        assert [finding.what for finding in findings(watched)] == ["its region is not set"]
    watched = seen(tag(1))
    watched.detail = "model 1, region ETSI_LOWER"
    assert exit_code(findings(watched)) == 0


def test_a_broker_without_a_read_is_not_blamed_on_antennas() -> None:
    watched = Seen("mqtt://192.0.2.5:1883?topic=dock-1", "tags", 10.0, connected=True)
    (found,) = findings(watched)
    assert found.what == "the broker is there, and no read came in 10 s"
    assert "publish to this broker" in found.do


def test_each_cell_of_a_scale_has_its_line() -> None:
    weighed = Weighed()
    for number, grams in enumerate((100.0, 100.2, 100.1, 100.2)):
        for cell, more in ((0, 0.0), (2, 900.0)):
            weighed.take(
                WeightSample(
                    at_us=number * 500_000, shelf="aisle-1", cell=cell, grams=grams + more,
                    stable=None if cell else True,
                )
            )  # fmt: skip
    weighed.take(WeightFault(at_us=0, shelf="aisle-1", cell=1, fault="saturated"))
    weighed.take(Scale(at_us=0, shelf="aisle-1", serial="B021002593"))
    assert table(weighed) == [
        "serial number B021002593",
        "cell 0\t4 weights\t4 at rest\tmean 100.1 g\t100.0 to 100.2 g\tmostly 0.1 g from one to the next",
        "cell 1\tno weight",
        "cell 2\t4 weights\tmean 1000.1 g\t1000.0 to 1000.2 g\tmostly 0.1 g from one to the next",
    ]
    assert fine(weighed) == "8 weights of 2 cells, 2.0 a second, 4 of them at rest, 100 to 1000.2 g"
