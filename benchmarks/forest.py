"""A reference: what a general classifier makes of each tag of a run of gates-a by itself, by hand-made features.

It knows where a run begins and ends, which no gate does, and nothing of the other tags. scikit-learn's random forest,
as it comes, of 400 trees; cross-validated with all tags of a run in the same fold.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, cross_val_predict

from benchmarks import gates_a
from benchmarks.said import Said
from edge.reads import TagRead

TREES, FOLDS, SEED = 400, 10, 0
NOTHING = -100.0  # dBm of an antenna that did not read it


def features(reads: Sequence[TagRead], zero_us: int, lasts_s: float) -> list[float]:
    """26 of one tag: per antenna how often, how strong and when; both together; the differences between them."""
    found: list[float] = []
    middles, peaks = [], []
    for antenna in (1, 2):
        mine = [read for read in reads if read.antenna == antenna]
        at = np.array([(read.at_us - zero_us) / 1e6 for read in mine])
        dbm = np.array([read.rssi_dbm for read in mine])
        if not mine:
            found += [0.0, NOTHING, NOTHING, 0.0, -1.0, -1.0, -1.0, -1.0, 0.0]
            middles.append(-1.0)
            peaks.append(-1.0)
            continue
        weight = 10 ** (dbm / 10)
        middles.append(float(np.sum(at * weight) / np.sum(weight)))
        peaks.append(float(at[np.argmax(dbm)]))
        found += [
            len(mine),
            dbm.mean(),
            dbm.max(),
            dbm.std(),
            at.min(),
            at.max(),
            middles[-1],
            peaks[-1],
            at.std(),
        ]
    both = all(m >= 0.0 for m in middles)
    first, last = reads[0].at_us, reads[-1].at_us
    found += [
        (last - first) / 1e6, lasts_s, middles[1] - middles[0] if both else 0.0, peaks[1] - peaks[0] if both else 0.0,
        float(reads[0].antenna), float(reads[-1].antenna), found[2] - found[11], found[0] / (found[0] + found[9]),
    ]  # fmt: skip
    return found


def score(runs: Sequence[gates_a.Run]) -> gates_a.Score:
    rows, truths, groups, tags = [], [], [], []
    for number, run in enumerate(runs):
        zero_us, lasts_s = run.reads[0].at_us, (run.reads[-1].at_us - run.reads[0].at_us) / 1e6
        for epc in sorted(run.tags):
            rows.append(features([read for read in run.reads if read.epc == epc], zero_us, lasts_s))
            truths.append(run.truth)
            groups.append(number)
            tags.append(epc)
    forest = RandomForestClassifier(n_estimators=TREES, random_state=SEED, n_jobs=-1)
    folds = GroupKFold(n_splits=min(FOLDS, len(runs)))
    answers: NDArray[np.str_] = cross_val_predict(
        forest, np.array(rows), np.array(truths), groups=groups, cv=folds
    )
    result = gates_a.Score()
    for number, run in enumerate(runs):
        said = [
            Said(run.reads[-1].at_us, epc, str(answer), 1.0)
            for epc, answer, group in zip(tags, answers, groups, strict=True)
            if group == number and answer != "none"
        ]
        result.add(run, said)
    return result
