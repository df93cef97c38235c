"""LLRP 1.0.1 and 1.1 without I/O and without a clock: bytes in, values out; values in, bytes out.

Source: EPCglobal LLRP 1.1 (2010). Section 17 has every encoding; sections cited elsewhere are of that document.
"""
