"""`python -m dashboards` writes grafana/*.json anew from the code beside it."""

import sys

from dashboards.render import write

for path in write():
    sys.stdout.write(f"{path}\n")
