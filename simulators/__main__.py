"""`python -m simulators`."""

from simulators.cli import simulate

simulate(prog_name="simulate")
