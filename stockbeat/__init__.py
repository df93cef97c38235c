"""The program: its command line, and the demo that runs a whole site."""

import os

# A gate's matrices are small. OpenBLAS would wake a thread a core for each, and these spin: half the speed for twice the
# processor time, measured by `python -m benchmarks.gate_speed` with and without. Read when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
