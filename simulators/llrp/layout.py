"""The numbers of LLRP 1.0.1 and 1.1 that this reader speaks, and how its messages and parameters are put together.

Source: EPCglobal Low Level Reader Protocol 1.1 (2010), section 17; what is used here is laid out alike in 1.0.1.
Big-endian throughout. A message is 3 reserved bits, 3 of version, 10 of type; length with this header; id.
A TLV parameter is 6 reserved bits, 10 of type; length with these 4 bytes. A TV parameter is 1 bit set, 7 of type.
"""

import struct
from enum import IntEnum

V1_0_1, V1_1 = 1, 2  # as the header says it
HEADER = struct.Struct("!HII")
TLV = struct.Struct("!HH")
MAX_MESSAGE = 1 << 20  # the longest ADD_ROSPEC that makes sense has a few kilobytes


class Type(IntEnum):
    """Message types."""

    GET_READER_CAPABILITIES = 1
    GET_READER_CONFIG = 2
    SET_READER_CONFIG = 3
    CLOSE_CONNECTION_RESPONSE = 4
    GET_READER_CAPABILITIES_RESPONSE = 11
    GET_READER_CONFIG_RESPONSE = 12
    SET_READER_CONFIG_RESPONSE = 13
    CLOSE_CONNECTION = 14
    ADD_ROSPEC = 20
    DELETE_ROSPEC = 21
    START_ROSPEC = 22
    STOP_ROSPEC = 23
    ENABLE_ROSPEC = 24
    DISABLE_ROSPEC = 25
    GET_ROSPECS = 26
    ADD_ROSPEC_RESPONSE = 30
    DELETE_ROSPEC_RESPONSE = 31
    START_ROSPEC_RESPONSE = 32
    STOP_ROSPEC_RESPONSE = 33
    ENABLE_ROSPEC_RESPONSE = 34
    DISABLE_ROSPEC_RESPONSE = 35
    GET_ROSPECS_RESPONSE = 36
    DELETE_ACCESSSPEC = 41
    GET_ACCESSSPECS = 44
    GET_SUPPORTED_VERSION = 46
    SET_PROTOCOL_VERSION = 47
    DELETE_ACCESSSPEC_RESPONSE = 51
    GET_ACCESSSPECS_RESPONSE = 54
    GET_SUPPORTED_VERSION_RESPONSE = 56
    SET_PROTOCOL_VERSION_RESPONSE = 57
    GET_REPORT = 60
    RO_ACCESS_REPORT = 61
    KEEPALIVE = 62
    READER_EVENT_NOTIFICATION = 63
    ENABLE_EVENTS_AND_REPORTS = 64
    KEEPALIVE_ACK = 72
    ERROR_MESSAGE = 100
    CUSTOM_MESSAGE = 1023


class Param(IntEnum):
    """TLV parameter types."""

    UTC_TIMESTAMP = 128
    UPTIME = 129
    GENERAL_DEVICE_CAPABILITIES = 137
    RECEIVE_SENSITIVITY_ENTRY = 139
    PER_ANTENNA_AIR_PROTOCOL = 140
    GPIO_CAPABILITIES = 141
    LLRP_CAPABILITIES = 142
    REGULATORY_CAPABILITIES = 143
    UHF_BAND_CAPABILITIES = 144
    TRANSMIT_POWER_ENTRY = 145
    FREQUENCY_INFORMATION = 146
    FIXED_FREQUENCY_TABLE = 148
    ROSPEC = 177
    RO_BOUNDARY_SPEC = 178
    RO_START_TRIGGER = 179
    RO_STOP_TRIGGER = 182
    AISPEC = 183
    AI_STOP_TRIGGER = 184
    TAG_OBSERVATION_TRIGGER = 185
    INVENTORY_PARAMETER_SPEC = 186
    RF_SURVEY_SPEC = 187
    CONFIGURATION_STATE = 217
    IDENTIFICATION = 218
    GPO_WRITE_DATA = 219
    KEEPALIVE_SPEC = 220
    ANTENNA_PROPERTIES = 221
    ANTENNA_CONFIGURATION = 222
    RF_RECEIVER = 223
    RF_TRANSMITTER = 224
    GPI_PORT_STATE = 225
    EVENTS_AND_REPORTS = 226
    RO_REPORT_SPEC = 237
    TAG_REPORT_CONTENT_SELECTOR = 238
    ACCESS_REPORT_SPEC = 239
    TAG_REPORT_DATA = 240
    EPC_DATA = 241
    EVENT_NOTIFICATION_SPEC = 244
    EVENT_NOTIFICATION_STATE = 245
    EVENT_NOTIFICATION_DATA = 246
    GPI_EVENT = 248
    ROSPEC_EVENT = 249
    BUFFER_LEVEL_WARNING = 250
    BUFFER_OVERFLOW = 251
    ANTENNA_EVENT = 255
    CONNECTION_ATTEMPT_EVENT = 256
    CONNECTION_CLOSE_EVENT = 257
    LLRP_STATUS = 287
    FIELD_ERROR = 288
    PARAMETER_ERROR = 289
    C1G2_LLRP_CAPABILITIES = 327
    UHF_RF_MODE_TABLE = 328
    UHF_RF_MODE_ENTRY = 329
    C1G2_INVENTORY_COMMAND = 330
    C1G2_FILTER = 331
    C1G2_RF_CONTROL = 335
    C1G2_SINGULATION_CONTROL = 336
    C1G2_EPC_MEMORY_SELECTOR = 348
    CUSTOM = 1023


class Tv(IntEnum):
    """TV parameter types."""

    ANTENNA_ID = 1
    FIRST_SEEN_UTC = 2
    FIRST_SEEN_UPTIME = 3
    LAST_SEEN_UTC = 4
    LAST_SEEN_UPTIME = 5
    PEAK_RSSI = 6
    CHANNEL_INDEX = 7
    TAG_SEEN_COUNT = 8
    ROSPEC_ID = 9
    INVENTORY_PARAMETER_SPEC_ID = 10
    C1G2_CRC = 11
    C1G2_PC = 12
    EPC_96 = 13
    SPEC_INDEX = 14
    ACCESS_SPEC_ID = 16


class Status(IntEnum):
    """Status codes of LLRPStatus and of the errors within it."""

    SUCCESS = 0
    PARAMETER_ERROR = 100
    FIELD_ERROR = 101
    UNEXPECTED_PARAMETER = 102
    MISSING_PARAMETER = 103
    DUPLICATE_PARAMETER = 104
    OVERFLOW_PARAMETER = 105
    UNKNOWN_PARAMETER = 107
    UNSUPPORTED_MESSAGE = 109
    UNSUPPORTED_VERSION = 110
    UNSUPPORTED_PARAMETER = 111
    INVALID = 300
    OUT_OF_RANGE = 301


def message(kind: Type, message_id: int, body: bytes = b"", version: int = V1_0_1) -> bytes:
    return HEADER.pack(version << 10 | kind, HEADER.size + len(body), message_id) + body


def tlv(kind: Param, body: bytes = b"") -> bytes:
    return TLV.pack(kind, TLV.size + len(body)) + body


def tv(kind: Tv, form: str, *values: int | bytes) -> bytes:
    """`form` is a struct format without its byte order."""
    return bytes([0x80 | kind]) + struct.pack("!" + form, *values)


def text(words: str) -> bytes:
    """A counted UTF-8 string."""
    encoded = words.encode()
    return struct.pack("!H", len(encoded)) + encoded


def status(code: Status = Status.SUCCESS, words: str = "", detail: bytes = b"") -> bytes:
    """An LLRPStatus parameter; `detail` is a FieldError or ParameterError."""
    return tlv(Param.LLRP_STATUS, struct.pack("!H", code) + text(words) + detail)
