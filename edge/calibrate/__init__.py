"""Calibrating the cells of a shelf: what is measured in each step, and what follows from it."""
