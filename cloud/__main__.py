"""`python -m cloud`: the same as `stockbeat cloud`."""

import logging

from cloud.cli import cloud

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
cloud(prog_name="python -m cloud")
