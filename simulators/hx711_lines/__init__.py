"""Simulated microcontrollers that send load cells as lines of text."""
