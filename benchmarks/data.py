"""Where the public recordings are that benchmarks measure against. They are no part of the project.

python -m benchmarks.data NAME        fails, saying what is absent, where a data set is not there
"""

import os
import sys
from pathlib import Path

from edge.errors import RecordingError


def folder(name: str) -> Path:
    """A data set's folder.

    Raises:
        RecordingError: it is not there.
    """
    root = Path(os.environ.get("STOCKBEAT_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not (root / name).is_dir():
        raise RecordingError(f"{root / name} is absent; set STOCKBEAT_DATA to the folder that holds {name}/")
    return root / name


if __name__ == "__main__":
    try:
        folder(sys.argv[1])
    except RecordingError as error:
        raise SystemExit(str(error)) from None
