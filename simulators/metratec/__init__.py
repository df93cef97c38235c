"""Simulated metraTec readers of both generations. Share no code with what reads them."""
