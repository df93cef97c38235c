"""`python -m edge`: the agent's commands alone, with plain logs."""

import logging

from edge.cli import edge, replay

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    edge.add_command(replay)
    edge()
