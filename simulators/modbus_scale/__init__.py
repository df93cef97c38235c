"""Simulated weight transmitters on a Modbus."""
