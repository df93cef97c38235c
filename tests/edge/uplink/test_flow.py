"""The flow's rules one by one. Times are seconds; chance is 0, so that waits are exact."""

from edge.store.held import HeldRun, Trusted
from edge.uplink.flow import Flow, Lost, Outcome, Settled, Trust
from edge.uplink.run import Lane, Send
from wire.messages import Ack

OLD, NOW = "a" * 32, "b" * 32


def flow(*runs: HeldRun, trusted: Trusted | None = None, fault_s: float = 60.0) -> Flow:
    made = Flow(runs or [HeldRun(run=NOW, held_from=1, last=1)], trusted, chance=lambda: 0.0, fault_s=fault_s)
    made.begin(0.0)
    return made


def ack(
    through: int, *ranges: tuple[int, int], run: str = NOW, generation: int = 1, ledger: str = "L"
) -> Ack:
    return Ack(ledger=ledger, generation=generation, run=run, through=through, ranges=ranges)


def sends(sender: Flow, now: float) -> list[tuple[str, tuple[int, ...]]]:
    """All that goes out now: lane and events of each message."""
    out = []
    while send := sender.next(now):
        sender.sent(send, send.seqs, now)
        out.append((send.lane.value, send.seqs))
    return out


def sizes(sender: Flow, now: float) -> list[int]:
    return [len(seqs) for _, seqs in sends(sender, now)]


def seqs(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


def test_nothing_is_sent_without_a_connection() -> None:
    sender = flow()
    assert sends(sender, 0.0) == []
    sender.connected(0.0)
    assert sends(sender, 0.0) == [("main", (1,))]
    sender.disconnected()
    assert sends(sender, 1.0) == []
    assert sender.wake_at(1.0) is None


def test_four_batches_of_five_hundred_are_in_flight_at_most() -> None:
    sender = flow(HeldRun(run=NOW, held_from=1, last=5000))
    sender.connected(0.0)
    assert sizes(sender, 0.0) == [500, 500, 500, 500]
    assert sizes(sender, 1.0) == []
    sender.receive(ack(500), 1.0)
    assert sizes(sender, 1.0) == [500]
    sender.receive(ack(500, (1001, 2000)), 1.1)
    assert sizes(sender, 1.1) == [500, 500, 500]  # the one that was overtaken, and two more


def test_small_batches_are_spaced_so_that_an_acknowledgement_comes_before_the_window_is_full() -> None:
    sender = flow()
    sender.connected(0.0)
    assert sizes(sender, 0.0) == [1]
    sender.appended(3, 0.02)
    assert sizes(sender, 0.02) == []
    assert sender.wake_at(0.02) == 0.125
    sender.appended(9, 0.1)
    assert sends(sender, 0.125) == [("main", seqs(2, 9))]
    sender.receive(ack(9), 0.2)
    sender.appended(10, 0.21)
    assert sizes(sender, 0.21) == [1]  # nothing is in flight: at once


def test_earlier_runs_go_first_and_leave_one_place_for_now() -> None:
    sender = flow(HeldRun(run=OLD, held_from=1, last=9000), HeldRun(run=NOW, held_from=1, last=600))
    sender.connected(0.0)
    out = []
    while send := sender.next(0.0):
        sender.sent(send, send.seqs, 0.0)
        out.append((send.run, send.seqs[0]))
    assert out == [(OLD, 1), (OLD, 501), (OLD, 1001), (NOW, 1)]


def test_only_what_went_out_counts_as_sent() -> None:
    sender = flow(HeldRun(run=NOW, held_from=1, last=900))
    sender.connected(0.0)
    send = sender.next(0.0)
    assert send == Send(NOW, seqs(1, 500), Lane.MAIN)
    sender.sent(send, seqs(1, 120), 0.0)  # more would have been too many bytes
    assert sends(sender, 0.0)[0] == ("main", seqs(121, 620))


def test_without_progress_it_starts_again_behind_through_after_15_s_doubling_to_300() -> None:
    sender = flow(HeldRun(run=NOW, held_from=1, last=40), trusted=Trusted("L", 1))
    sender.connected(0.0)
    sends(sender, 0.0)
    sender.receive(ack(10, (20, 30)), 1.0)  # progress: the wait begins anew
    sends(sender, 1.0)  # what was overtaken
    now, waits = 1.0, []
    for _ in range(8):
        due = sender.wake_at(now + 1)  # past the spacing of small batches
        assert due is not None
        waits.append(due - now)
        assert sender.tick(due - 0.01) == []
        assert sends(sender, due - 0.01) == []
        now = due
        assert sender.tick(now) == []
        first = sends(sender, now)
        assert first[0][1][0] == 11
        assert not {seq for _, batch in first if len(batch) > 1 for seq in batch} & set(range(20, 31))
    assert waits == [15, 30, 60, 120, 240, 300, 300, 300]


def test_what_later_events_overtook_is_sent_again_at_once_and_only_once() -> None:
    sender = flow(HeldRun(run=NOW, held_from=1, last=6))
    sender.connected(0.0)
    assert sends(sender, 0.0) == [("main", seqs(1, 6))]
    sender.receive(ack(2, (5, 6)), 1.0)
    assert sends(sender, 1.0) == [("main", (3, 4))]
    sender.receive(ack(2, (5, 6)), 1.5)
    assert sends(sender, 1.5) == []
    sender.appended(7, 2.0)
    assert sends(sender, 2.0) == [("main", (7,))]
    sender.receive(ack(2, (5, 7)), 2.5)  # what was sent again was lost too, and has been overtaken
    assert sends(sender, 2.5) == [("main", (3, 4))]
    sender.receive(ack(7), 3.0)
    assert sender.waiting == 0


def test_what_an_earlier_start_sent_does_not_call_the_overtaken_back_for_ever() -> None:
    sender = flow(
        HeldRun(run=OLD, held_from=1, last=3), HeldRun(run=NOW, held_from=1, last=1, settled=((1, 1),))
    )
    sender.receive(ack(1, (3, 3), run=OLD), 0.0)  # of what was sent before the restart
    sender.connected(1.0)
    for _ in range(3):
        sends(sender, 1.0)
        sender.receive(ack(1, (3, 3), run=OLD), 1.0)
    assert sends(sender, 1.0) == []


def test_after_fruitless_tries_batches_are_smaller_and_then_the_first_event_is_alone() -> None:
    sender = flow(HeldRun(run=NOW, held_from=1, last=100))
    sender.connected(0.0)
    assert sizes(sender, 0.0) == [100]
    sender.tick(15.0)
    assert sizes(sender, 15.0) == [100]
    sender.tick(45.0)
    assert sizes(sender, 45.0) == [20, 20, 20, 20]
    sender.tick(105.0)
    assert sends(sender, 105.0) == [
        ("lone", (1,)), ("neighbour", (2,)), ("main", seqs(2, 21)), ("main", seqs(22, 41)), ("main", seqs(42, 61)),
    ]  # fmt: skip
    sender.receive(ack(61), 106.0)
    assert sizes(sender, 106.0) == [39]  # it gets through: larger again


def test_a_lone_event_is_given_up_after_five_tries_that_the_ledger_answered() -> None:
    sender = flow(HeldRun(run=NOW, held_from=1, last=10), trusted=Trusted("L", 1))
    sender.connected(0.0)
    now, lone = 0.0, 0
    outcomes: list[Outcome] = []
    while not outcomes and now < 3600:
        for lane, _ in sends(sender, now):
            lone += lane == "lone"
        assert sender.receive(ack(3, (5, 10)), now + 0.5) is not None
        lone += sum(lane == "lone" for lane, _ in sends(sender, now + 0.5))
        due = sender.wake_at(now + 0.7)  # past the spacing of small batches
        assert due is not None
        now = due
        outcomes = sender.tick(now)
    assert outcomes == [Lost(NOW, (4, 4), "made no progress when sent alone, five times", quarantine=True)]
    assert lone == 5
    assert now < 660  # eleven minutes: 15, 30, 60, then 15, 30, 60, 120, 240
    assert sender.waiting == 0
    assert sender.quarantined == 1
    assert "1 events quarantined" in sender.faults(now)[0]


def test_a_dead_cloud_quarantines_nothing() -> None:
    sender = flow(HeldRun(run=NOW, held_from=1, last=10))
    sender.connected(0.0)
    now = 0.0
    for _ in range(100):
        sends(sender, now)
        due = sender.wake_at(now)
        assert due is not None
        now = due
        assert sender.tick(now) == []
    assert sender.waiting == 10


def test_an_acknowledgement_from_before_the_lone_try_is_no_answer_to_it() -> None:
    sender = flow(HeldRun(run=NOW, held_from=1, last=2), trusted=Trusted("L", 1))
    sender.connected(0.0)
    now = 0.0
    for _ in range(100):
        sender.receive(ack(0, (2, 2)), now)  # late, of something earlier
        sends(sender, now)
        due = sender.wake_at(now)
        assert due is not None
        now = due
        assert sender.tick(now) == []


def test_the_last_event_of_a_run_is_tried_with_the_one_before_it() -> None:
    sender = flow(
        HeldRun(run=OLD, held_from=7, last=8, settled=((1, 7),)),
        HeldRun(run=NOW, held_from=1, last=1, settled=((1, 1),)),
    )
    sender.connected(0.0)
    assert sends(sender, 0.0) == [("main", (8,))]
    for due in (15.0, 45.0):
        sender.tick(due)
        sends(sender, due)
    sender.tick(105.0)
    assert sends(sender, 105.0) == [("lone", (8,)), ("neighbour", (7,))]


def test_the_first_ledger_ever_heard_is_trusted() -> None:
    sender = flow()
    assert sender.receive(ack(1), 1.0) == [Trust(Trusted("L", 1), forget=False), Settled(NOW, ((1, 1),), 1)]


def test_another_ledger_settles_nothing_and_is_named_until_a_person_trusts_it() -> None:
    sender = flow(trusted=Trusted("L", 3))
    assert sender.receive(ack(1, ledger="M", generation=9), 1.0) == []
    assert sender.waiting == 1
    assert "stockbeat edge trust CONFIG M" in sender.faults(1.0)[0]
    assert sender.trust("M", 2.0) == [Trust(Trusted("M", 0), forget=True)]
    assert sender.faults(2.0) == []
    assert sender.receive(ack(1, ledger="M", generation=9), 3.0) == [
        Trust(Trusted("M", 9), forget=True),
        Settled(NOW, ((1, 1),), 1),
    ]


def test_a_lower_generation_is_not_believed() -> None:
    sender = flow(trusted=Trusted("L", 3))
    assert sender.receive(ack(1, generation=2), 1.0) == []
    assert sender.waiting == 1


def test_a_higher_generation_is_believed_and_every_run_is_asked_about_with_its_last_event() -> None:
    sender = flow(
        HeldRun(run=OLD, held_from=5, last=20, settled=((1, 20),)),
        HeldRun(run=NOW, held_from=1, last=30, settled=((1, 30),)),
        trusted=Trusted("L", 1),
    )
    sender.connected(0.0)
    assert sends(sender, 0.0) == []
    sender.appended(31, 1.0)
    assert sends(sender, 1.0) == [("main", (31,))]
    outcomes = sender.receive(ack(12, (31, 31), generation=2), 2.0)
    assert outcomes == [Trust(Trusted("L", 2), forget=True), Settled(NOW, ((1, 12), (31, 31)), 12)]
    assert sends(sender, 2.0) == [("ask", (20,)), ("main", seqs(13, 30))]
    outcomes = sender.receive(ack(2, (20, 20), run=OLD, generation=2), 3.0)
    assert outcomes[0] == Settled(OLD, ((1, 2), (20, 20)), 2)
    assert [(o.span, o.quarantine) for o in outcomes[1:] if isinstance(o, Lost)] == [((3, 4), False)]
    assert sends(sender, 3.0) == [("main", seqs(5, 19))]
    assert sender.receive(ack(2, (20, 20), run=OLD, generation=2), 3.1) == []  # said once
    assert sender.receive(ack(20, run=OLD, generation=2), 4.0) == [Settled(OLD, ((3, 19),), 20)]


def test_a_question_that_gets_lost_is_asked_again() -> None:
    sender = flow(HeldRun(run=NOW, held_from=1, last=30, probe=True), trusted=Trusted("L", 2))
    sender.connected(0.0)
    assert sends(sender, 0.0) == [("ask", (30,))]
    sender.tick(15.0)
    assert sends(sender, 15.0) == [("ask", (30,))]


def test_no_acknowledgement_for_a_while_is_a_fault_only_while_something_waits() -> None:
    sender = flow()
    sender.connected(0.0)
    sends(sender, 0.0)
    assert sender.faults(59.0) == []
    assert "no acknowledgement for 60 s" in sender.faults(60.0)[0]
    sender.receive(ack(1), 61.0)
    assert sender.faults(10_000.0) == []
    sender.appended(2, 10_000.0)
    assert sender.faults(10_059.0) == []
    assert len(sender.faults(10_060.0)) == 1


def test_what_breaks_connections_is_left_for_last() -> None:
    sender = flow(HeldRun(run=NOW, held_from=1, last=100))
    for n in range(3):
        sender.connected(float(n))
        assert sizes(sender, float(n)) in ([100], [20, 20, 20, 20])
        sender.disconnected()
    sender.connected(3.0)
    out = sends(sender, 3.0)
    assert 1 not in {seq for _, batch in out for seq in batch}
    due = sender.wake_at(3.5)
    assert due is not None
    sender.receive(ack(0, (2, 81)), 4.0)
    assert sends(sender, 4.0) == [("main", seqs(82, 100))]
    sender.tick(due)
    assert sends(sender, due)[0] == ("lone", (1,))


def test_an_event_that_the_store_lacks_is_said_to_be_missing_and_holds_up_nothing() -> None:
    sender = flow(HeldRun(run=NOW, held_from=1, last=4), trusted=Trusted("L", 1))
    sender.connected(0.0)
    send = sender.next(0.0)
    assert send
    sender.sent(send, (1, 2, 4), 0.0, absent=(3,))
    outcomes = sender.receive(ack(2, (4, 4)), 1.0)
    assert [o.span for o in outcomes if isinstance(o, Lost)] == [(3, 3)]
    assert sender.waiting == 0
