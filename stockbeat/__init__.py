"""Stockbeat's command line, and the demonstration: the only place that knows edge and cloud together."""

import os

VERSION = "0.1.0"

# A gate's matrices are small. OpenBLAS would wake a thread a core for each, and these spin: less done for more
# processor time (`python -m benchmarks.gate_speed` with and without). Read when numpy is imported, which is later.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
