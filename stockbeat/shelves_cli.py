"""`stockbeat shelves`: calibrate one at its site; all else is asked of the cloud, over its API."""

import importlib
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
LOOK_S = 0.3
ANSWER_S = 10.0  # of the cloud itself

_cloud = click.option(
    "--cloud", "address", default="http://127.0.0.1:8000", show_default=True, envvar="STOCKBEAT_CLOUD",
    help="Where its console is.",
)  # fmt: skip
_site = click.option("--site", help="Where there are several.")
_by = click.option("--by", default="command line", show_default=True, help="Who asks, for the record.")


class _Shelves(click.Group):
    """`calibrate` talks to the scale and needs what an edge needs; the others need nothing but the address."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "calibrate"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "calibrate":
            return super().get_command(ctx, cmd_name)
        try:
            found: click.Command = importlib.import_module("edge.shelves_cli").calibrate
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"'stockbeat shelves calibrate' needs {error.name}: pip install 'stockbeat[edge]'"
            ) from error
        return found


@click.group(cls=_Shelves)
def shelves() -> None:
    """Weighing shelves: calibrate, service mode, zero, what stands where."""


class Api:
    """Raises ClickException with the cloud's own words."""

    def __init__(self, address: str, site: str | None = None) -> None:
        if urllib.parse.urlsplit(address).scheme not in ("http", "https"):
            raise click.ClickException(f"{address!r} is no address; write http://127.0.0.1:8000")
        self._address = address.rstrip("/")
        self._site = site

    def get(self, path: str) -> Any:
        return self._call(urllib.request.Request(f"{self._address}/api/v1/{path}"))

    def shelves(self) -> list[dict[str, Any]]:
        query = f"?site={urllib.parse.quote(self._site)}" if self._site else ""
        found: list[dict[str, Any]] = self.get(f"shelves{query}")["shelves"]
        return found

    def ask(self, path: str, body: dict[str, Any]) -> None:
        """Ask, wait for the edge's answer, and say it; exit code 1 where it was not done."""
        asked = self._call(
            urllib.request.Request(
                f"{self._address}/api/v1/{path}",
                json.dumps(body).encode(),
                {"Content-Type": "application/json"},
            )
        )
        while asked["state"] == "asked":
            time.sleep(LOOK_S)
            asked = self.get(f"commands/{asked['id']}")
        if asked["state"] != "done":
            raise click.ClickException(f"{asked['state']}: {asked['words']}")
        click.echo(asked["words"])
        for level in asked["levels"]:
            click.echo(_level(level))

    def _call(self, request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise click.ClickException(_refusal(error)) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise click.ClickException(
                f"{self._address}: {reason}; is 'stockbeat cloud run' up, and is this its address?"
            ) from None


def _refusal(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{error.url}: {error.code} {error.reason}"


def _level(level: dict[str, Any]) -> str:
    units = "?" if level["units"] is None else level["units"]
    moving = "" if level["stable"] else ", moving"
    return f"{level['shelf']}/{level['bay']}\t{level['grams']:.0f} g\t{units} units{moving}"


def _bay(api: Api, named: str) -> dict[str, Any]:
    """By its place's name, or as SHELF/BAY. Raises ClickException."""
    found = [
        bay | {"shelf": shelf["shelf"], "edge": shelf["edge"], "down": shelf["down"]}
        for shelf in api.shelves()
        for bay in shelf["bays"]
        if named in (bay["place"], f"{shelf['shelf']}/{bay['bay']}")
    ]
    if len(found) != 1:
        there = ", ".join(
            f"{shelf['shelf']}/{bay['bay']}" for shelf in api.shelves() for bay in shelf["bays"]
        )
        raise click.ClickException(
            f"there are several bays {named!r}; write SHELF/BAY"
            if found
            else f"there is no bay {named!r}; there is {there}"
        )
    only: dict[str, Any] = found[0]
    return only


@shelves.command(name="list")
@_cloud
@_site
def list_(address: str, site: str | None) -> None:
    """List bays, how they count, what the ledger has there, and where the scale says otherwise."""
    for shelf in Api(address, site).shelves():
        for bay in shelf["bays"]:
            told = "; ".join([_stands(bay), *_differs(bay)])
            click.echo(f"{shelf['shelf']}/{bay['bay']}\t{_condition(bay, shelf['down'])}\t{told}")


def _condition(bay: dict[str, Any], down: str | None) -> str:
    if down is not None:
        return "scale down"
    if bay["condition"] is None:
        return "not heard yet"
    state = bay["condition"]["state"]
    if state == "ok":
        return "uncertain" if bay["uncertain"] else "counting"
    return {"service": "in service", "needs_check": "needs a check"}.get(state, str(state))


def _units(stand: dict[str, Any]) -> float:
    """What the ledger has there."""
    return float(stand["on_hand"] / 10 ** stand["scale"])


def _stands(bay: dict[str, Any]) -> str:
    stands = [f"{_units(each):g} of {each['capacity']} {each['item']}" for each in bay["stands"]]
    return "; ".join(stands) or "nothing assigned"


def _weighed(bay: dict[str, Any]) -> list[tuple[dict[str, Any], int]]:
    """What the scale says at rest of each item, as far as it can tell."""
    weight, stands = bay["weight"], bay["stands"]
    if weight is None or not weight["stable"]:
        return []
    each = [(stand, weight["units"] if len(stands) == 1 else stand["weighed"]) for stand in stands]
    return [(stand, units) for stand, units in each if units is not None]


def _differs(bay: dict[str, Any]) -> list[str]:
    """Where the ledger cannot be right: it is below zero, or the scale says otherwise."""
    found = [
        f"the ledger is below zero, at {_units(stand):g} {stand['item']}: more was taken than it knew of"
        for stand in bay["stands"]
        if _units(stand) < 0
    ]
    return found + [
        f"the scale says {units} {stand['item']}, the ledger {_units(stand):g}"
        for stand, units in _weighed(bay)
        if units != _units(stand)
    ]


@shelves.command()
@click.argument("bay")
@_cloud
@_site
def show(bay: str, address: str, site: str | None) -> None:
    """Show BAY: what stands there, what the scale says, how it counts."""
    found = _bay(Api(address, site), bay)
    click.echo(f"bay\t{found['shelf']}/{found['bay']}, place {found['place']}, edge {found['edge']}")
    click.echo(f"counts\t{_condition(found, found['down'])}")
    condition = found["condition"] or {}
    for words in (found["down"], condition.get("reason"), found["uncertain"]):
        if words:
            click.echo(f"why\t{words}")
    if condition.get("until"):
        click.echo(f"until\t{condition['until']}")
    click.echo(f"ledger\t{_stands(found)}")
    if weight := found["weight"]:
        each = "".join(f", {units} {stand['item']}" for stand, units in _weighed(found))
        click.echo(f"scale\t{weight['grams']:.0f} g{each}{'' if weight['stable'] else ', moving'}")
    differs = _differs(found)
    for words in differs:
        click.echo(f"differs\t{words}")
    if differs:
        counts = " ".join(f"{stand['gtin']}=UNITS" for stand in found["stands"])
        click.echo(f"do\tcount, and say it: stockbeat shelves confirm {found['place']} {counts}")


def _bay_options(command: F) -> F:
    """Of every command that asks an edge for something at a bay."""
    for option in (_by, _site, _cloud, click.argument("bay")):
        command = option(command)
    return command


def _ask(bay: str, address: str, site: str | None, path: str, **body: Any) -> None:
    api = Api(address, site)
    given = {name: value for name, value in body.items() if value is not None}
    api.ask(f"bays/{_bay(api, bay)['location_id']}/{path}", given)


@shelves.command()
@click.option("--end", is_flag=True, help="The work is done.")
@click.option(
    "--minutes", type=click.FloatRange(1, 720), default=30.0, show_default=True, help="At the most."
)
@click.option("--reason", default="", help="For those who wonder.")
@_bay_options
def service(
    bay: str, address: str, site: str | None, by: str, end: bool, minutes: float, reason: str
) -> None:
    """Somebody works at BAY: nothing is booked until --end, or until the time is over."""
    if end:
        _ask(bay, address, site, "service/end", by=by)
    else:
        _ask(bay, address, site, "service", by=by, minutes=minutes, reason=reason)


@shelves.command()
@_bay_options
def zero(bay: str, address: str, site: str | None, by: str) -> None:
    """BAY is empty now but for its trays and fixtures: what it weighs is its tare."""
    _ask(bay, address, site, "zero", by=by)


@shelves.command()
@_bay_options
def weigh(bay: str, address: str, site: str | None, by: str) -> None:
    """Say what the scale of BAY's shelf shows now."""
    _ask(bay, address, site, "levels", by=by)


@shelves.command()
@_bay_options
@click.argument("items", nargs=-1)
@click.option("--capacity", type=click.IntRange(1), help="Units that fit.")
@click.option("--facings", type=click.IntRange(1), help="Units side by side at the front.")
@click.option("--low", type=click.IntRange(0), help="Fewer units than this are few.")
@click.option("--tare", type=click.FloatRange(0), help="Grams of trays and fixtures.")
def assign(
    bay: str, items: tuple[str, ...], address: str, site: str | None, by: str, capacity: int | None,
    facings: int | None, low: int | None, tare: float | None,
) -> None:  # fmt: skip
    """ITEMS, each GTIN or GTIN:GRAMS, stand in BAY from now on; none: nothing does."""
    _ask(
        bay, address, site, "assign", by=by, items=[_item(item) for item in items], capacity=capacity,
        facings=facings, low=low, tare_grams=tare,
    )  # fmt: skip


@shelves.command()
@_bay_options
@click.argument("counts", nargs=-1, required=True)
def confirm(bay: str, counts: tuple[str, ...], address: str, site: str | None, by: str) -> None:
    """A person has counted BAY: COUNTS are GTIN=UNITS. The difference is booked."""
    _ask(bay, address, site, "confirm", by=by, counts=[_count(count) for count in counts])


def _item(written: str) -> dict[str, Any]:
    gtin, colon, grams = written.partition(":")
    if not gtin.isdecimal() or len(gtin) > 14:
        raise click.ClickException(f"write an item as GTIN, or GTIN:GRAMS, not {written!r}")
    if not colon:
        return {"gtin": gtin.zfill(14)}
    try:
        return {"gtin": gtin.zfill(14), "unit_grams": float(grams)}
    except ValueError:
        raise click.ClickException(
            f"{written!r}: after the colon comes what one unit weighs, in grams"
        ) from None


def _count(written: str) -> dict[str, Any]:
    gtin, _, units = written.partition("=")
    if not (gtin.isdecimal() and len(gtin) <= 14 and units.isdecimal()):
        raise click.ClickException(f"write a count as GTIN=UNITS, not {written!r}")
    return {"gtin": gtin.zfill(14), "units": int(units)}
