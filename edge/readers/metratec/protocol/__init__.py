"""Both generations of metraTec's line protocol without I/O and without a clock: bytes in, rounds of tags out.

Source: metraTec's own libraries rfid-sdk-python 1.4, rfid-sdk-dotnet and rfid-sdk-c-uhf (2023 to 2026), for the
commands, the shapes of lines and the examples in their comments; what they leave open is marked as assumed.
"""
