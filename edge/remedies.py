"""Why a device could not be opened, and what to do about it: from an error's words to a person's. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from edge.errors import ProtocolError, ReaderError, ReaderRefused


class Grade(StrEnum):
    FINE = "fine"
    FINDING = "finding"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say: what is so, and what to do about it."""

    grade: Grade
    what: str
    do: str = ""


# Of a device on a bus, or of all of them.
NOT_ANSWERING = (
    "is it switched on, is its address the one in `units`, and its own; are A and B swapped (makers name them either "
    "way, and swapping does no harm); are speed and parity those in its menu (?baud=9600&parity=even in the URL); is "
    "no other master on the bus; one that answers now and then lacks 120 ohm at an end of the line"
)

# What an error's words say, and what to do; the first that fits. The words are ours (edge.readers) or the system's.
_CAUSES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("no answer to us from unit", "no unit has answered"),
        "the link is open and no device on the bus answers",
        NOT_ANSWERING,
    ),
    (
        ("may not open it",),
        "permission denied on the serial port",
        "sudo usermod -aG dialout $USER, then log in again (a service: SupplementaryGroups=dialout)",
    ),
    (
        ("another program has it open",),
        "another program has the port open",
        "stop it: a running agent (`systemctl stop stockbeat-edge`), or the maker's tool",
    ),
    (
        ("another client", "already exists", "busy with", "one client", "hung up", "reset by peer"),
        "another client is connected, or the device has not noticed that the last one left",
        "stop the agent or the maker's tool that holds it, wait half a minute, try again",
    ),
    (
        ("region", "hoptable", "hop table", "regulatory", "frequency"),
        "the reader's region is wrong or unset, so it may not transmit",
        "set the region of your country on the reader, or with `region` in its configuration where its driver has that",
    ),
    (
        ("not authori", "unauthori", "password", "401", "403", "broker refuses us", "the broker lets"),
        "other credentials are wanted, or more rights",
        "put user and password where the driver's page says, never in the URL; a broker must let them read the topic",
    ),
    (
        ("connection refused",),
        "refused: a machine is there, and nothing listens on this port",
        "check the port, and that the protocol is switched on in the reader's own pages",
    ),
    (
        ("no such file", "no such device"),
        "there is no such serial port",
        "`stockbeat readers list` shows the ports of this machine; name one by its /dev/serial/by-id/ link",
    ),
    (
        ("name or service", "name resolution", "no address", "nodename"),
        "unreachable: no machine has this name",
        "write the address in numbers, or mend the name server",
    ),
    (
        ("no answer within", "no route", "unreachable", "timed out"),
        "unreachable: nothing answers at this address",
        "check power and cable, `ping` the address, and that no firewall stands between",
    ),
    (
        ("they are right ", "they are mt-sics"),
        "it is there, and set otherwise than the configuration says",
        "write what stands behind the last colon",
    ),
    (
        ("no line end", "no line that makes sense", "speed", "cannot be read", "not a line", "no metratec", "baud"),
        "what comes makes no sense: the speed (baud) is wrong, or it is another kind of device",
        "set the speed and framing that the device is set to, as ?baud=9600&framing=7E1 in the URL, or name another "
        "--driver (for a scale that writes lines: another dialect)",
    ),
    (
        ("certificate",),
        "the other side's certificate cannot be proven",
        "name its authority's certificate in ca_file",
    ),
    (
        ("nothing on ",),
        "the broker is there, and nothing is published on the topic",
        "is the reader switched on and set to publish to this broker, and is the topic written as on the reader?",
    ),
    (
        ("silent", "nothing answers", "answers as a", "no answer to"),
        "the link is open and the device says nothing",
        "is it switched on, is the cable right (a null modem swaps two wires), is the speed right (?baud= in the URL), "
        "is it this kind of device, and is a scale set to send by itself, or to be asked, as configured?",
    ),
)  # fmt: skip


def refused(error: ReaderError, url: str) -> Finding:
    """Why a device could not be opened, from its error."""
    words = str(error)
    for marks, what, do in _CAUSES:
        if any(mark in words.lower() for mark in marks):
            return Finding(Grade.FAILED, f"{what} ({words})", do)
    if isinstance(error, ProtocolError):
        return Finding(Grade.FAILED, f"what answers at {url} speaks another protocol: {words}",
                       "name another --driver, or another port")  # fmt: skip
    kind = "the device refuses" if isinstance(error, ReaderRefused) else "lost"
    return Finding(Grade.FAILED, f"{kind}: {words}", "do what it says, then try again")
