"""Whether rounds take longer than they are meant to: nobody knows beforehand what a network and its gateways need."""

import logging

log = logging.getLogger(__name__)

# Rounds in a row that must be so before it is said: two seconds of the usual ones. A retry or a lost packet is no pace.
STEADY = 20


class Pace:
    """Feed it with `took` after each round. Said once when rounds are too long, and once when they are not any more."""

    def __init__(self, name: str, round_s: float) -> None:
        self.late = False
        self._name, self._round_s = name, round_s
        self._other = 0  # rounds in a row that were not as was said
        self._least_s = 0.0

    def took(self, seconds: float) -> None:
        """A round's questions and answers took so long, without what others did meanwhile."""
        if (seconds > self._round_s) is self.late:
            self._other = 0
            return
        self._least_s = min(self._least_s, seconds) if self._other else seconds
        self._other += 1
        if self._other < STEADY:
            return
        self._other, self.late = 0, not self.late
        if not self.late:
            log.info("%s: rounds take no longer than %g s any more", self._name, self._round_s)
            return
        log.warning(
            "%s: asking every unit once takes %.2f s or more, longer than poll_s = %g: cells are weighed that seldom; "
            "write poll_s = %.2f, or put fewer units behind one address",
            self._name, self._least_s, self._round_s, 1.1 * self._least_s,
        )  # fmt: skip
