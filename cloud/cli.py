"""`stockbeat cloud`: words -> one call -> exit code."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import click
from sqlalchemy import Connection, select

from cloud import app
from cloud.config import load as load_config
from cloud.epcis import outbox
from cloud.epcis.export import document_text, export, lines
from cloud.epcis.ledger import sites_named
from cloud.epcis.manner import Manner
from cloud.errors import CloudError
from cloud.ingest.retry import Retried
from cloud.ingest.retry import retry as retry_parked
from cloud.ledger import identity
from cloud.ledger import verify as checks
from cloud.ledger.database import Database
from cloud.ledger.exclusive import exclusive
from cloud.ledger.tables import balances, items, locations, sites
from cloud.masterdata.load import load as load_folder
from cloud.migrations.upgrade import check, upgrade
from cloud.planogram import files as planogram_files
from cloud.planogram import store as planogram_store


class _Cloud(click.Group):
    """What the cloud raises on purpose becomes its message and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CloudError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Cloud)
def cloud() -> None:
    """The ledger, rules, alerts and the console."""


_config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("cloud.toml"),
    show_default=True,
    help="Where the ledger, broker, series, web and mail are.",
)


def _moment(ctx: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"write 2026-11-22 or 2026-11-22T09:00+01:00, not {text!r}") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@contextmanager
def _to_write(config: Path) -> Iterator[Database]:
    database = Database(load_config(config).ledger.url)
    try:
        with exclusive(database):
            upgrade(database)
            yield database
    finally:
        database.close()


@contextmanager
def _to_read(config: Path) -> Iterator[Database]:
    database = Database(load_config(config).ledger.url)
    try:
        check(database)
        yield database
    finally:
        database.close()


@cloud.command()
@_config
def run(config: Path) -> None:
    """Run ingest, rules, series, mail and the console until told to stop."""
    app.run(load_config(config))


@cloud.command()
@_config
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def load(config: Path, folder: Path) -> None:
    """Load master data from FOLDER: items, sites, opening stock, contents, rules. Doing it again changes nothing."""
    with _to_write(config) as database:
        loaded = load_folder(database, folder, app.utc_now())
        click.echo(
            f"{folder}: {loaded.items} items, {loaded.sites} sites, {loaded.opened} opening quantities booked now,"
            f" {loaded.contents} contents of logistic units, {loaded.rules or 0} rules,"
            f" {loaded.planned} bays planned anew"
        )
        _say(retry_parked(database, app.utc_now()))


@cloud.command()
@_config
def retry(config: Path) -> None:
    """Book parked events and unidentified tags again, after what was wrong has been put right."""
    with _to_write(config) as database:
        _say(retry_parked(database, app.utc_now()))


def _say(retried: Retried) -> None:
    if retried.booked or retried.parked or retried.identified:
        click.echo(f"{retried.booked} parked events booked, {retried.identified} tags identified")
    for reason, count in retried.parked.items():
        click.echo(f"still parked, {count}: {reason}")


@cloud.command()
@_config
def verify(config: Path) -> None:
    """Check that balances are what the movements say, that every item sums to zero, and that no position is missing."""
    with _to_read(config) as database, database.read() as connection:
        problems = checks.verify(connection)
    for problem in problems:
        click.echo(problem)
    if problems:
        raise click.ClickException(f"{len(problems)} problems; 'stockbeat cloud rebuild' makes balances anew")
    click.echo("the ledger is sound")


@cloud.command()
@_config
def rebuild(config: Path) -> None:
    """Make all balances anew from the movements."""
    with _to_write(config) as database, database.write() as connection:
        click.echo(f"{checks.rebuild(connection)} balances made anew")


@cloud.command()
@_config
def restored(config: Path) -> None:
    """Say that this ledger came back from a backup: the edges then refill what it lost."""
    with _to_write(config) as database, database.write() as connection:
        who = identity.restored(connection)
    click.echo(f"ledger {who.ledger} is now of generation {who.generation}")


@cloud.group()
def planogram() -> None:
    """What each bay is meant to hold: capacity, facings, from where it is low."""


@planogram.command("import")
@_config
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--by", default="command line", show_default=True, help="Whose change it is, for the history.")
def planogram_import(config: Path, file: Path, by: str) -> None:
    """Make FILE, .csv or .toml, the plan of the bays that it names; others stay as they are."""
    written = planogram_files.read(file)
    with _to_write(config) as database, database.write() as connection:
        wanted = planogram_store.resolve(connection, written)
        author = planogram_store.Author(by=by[:80], source=file.name[:200], at=app.utc_now())
        changed = planogram_store.change(connection, wanted, author)
    click.echo(f"{file}: {len(wanted)} bays, {len(changed)} of them changed")


@planogram.command("export")
@_config
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--site", help="Only this site.")
@click.option("--format", "form", type=click.Choice(["csv", "toml"]), help="For -; a file's name says it.")
def planogram_export(config: Path, file: Path, site: str | None, form: str | None) -> None:
    """Write the plan of every bay to FILE, or to standard output for -. `import` takes it as it is."""
    kind = form or file.suffix.lower().removeprefix(".") or "csv"
    if kind not in ("csv", "toml"):
        raise click.BadParameter(f"{file}: the name ends in .csv or .toml", param_hint="FILE")
    with _to_read(config) as database, database.read() as connection:
        site_id = _site_id(connection, site) if site else None
        bays = [(bay.name, bay.plan) for bay in planogram_store.known(connection, site_id)]
    text = planogram_files.to_toml(bays) if kind == "toml" else planogram_files.to_csv(bays)
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    file.write_text(text, "utf-8", newline="")
    click.echo(f"{file}: {len(bays)} bays")


@click.group(cls=_Cloud)
def epcis() -> None:
    """What crossed the gates, told to others as EPCIS 2.0 events."""


@epcis.command("export")
@_config
@click.option("--site", help="Only this site.")
@click.option(
    "--since", callback=_moment, help="From this time on: 2026-11-22 or 2026-11-22T09:00+01:00 (else UTC)."
)
@click.option("--until", callback=_moment, help="Up to this time.")
@click.option(
    "--out",
    type=click.File("w", encoding="utf-8", atomic=True),
    default="-",
    help="[default: standard output]",
)
@click.option("--format", "form", type=click.Choice(["document", "lines"]), default="document", show_default=True,
              help="One EPCISDocument, or one event a line.")  # fmt: skip
def export_events(
    config: Path, site: str | None, since: datetime | None, until: datetime | None, out: TextIO, form: str
) -> None:
    """Write the events of what is booked so far."""
    settings = load_config(config).epcis
    with _to_read(config) as database, database.read() as connection:
        ids = [_site_id(connection, site)] if site else list(sites_named(connection).values())
        manner = Manner(settings.base, settings.ids, settings.aggregate)
        told = export(connection, ids, manner, since=since, until=until, now=app.utc_now())
        out.writelines(lines(told) if form == "lines" else document_text(told, app.utc_now()))


@epcis.command("status")
@_config
def epcis_status(config: Path) -> None:
    """How many events wait, were taken and were refused, and why."""
    with _to_read(config) as database, database.read() as connection:
        for state, count in outbox.counts(connection).items():
            click.echo(f"{state:8} {count}")
        for event_id, why in outbox.refused(connection):
            click.echo(f"refused: {event_id}: {why}")


@epcis.command("retry")
@_config
def epcis_retry(config: Path) -> None:
    """Tell again what was refused, after what was wrong has been put right."""
    with _to_write(config) as database, database.write() as connection:
        click.echo(f"{outbox.again(connection, app.utc_now())} events are due again")


def _site_id(connection: Connection, site: str) -> int:
    known = sites_named(connection)
    if site not in known:
        raise click.ClickException(f"there is no site {site!r}; there is {', '.join(known) or 'none'}")
    return known[site]


@cloud.command()
@_config
@click.option("--site", help="Only this site.")
def stock(config: Path, site: str | None) -> None:
    """What is on hand, place by place."""
    query = (
        select(sites.c.name, locations.c.name, items.c.gtin, items.c.name, balances.c.quantity, items.c.scale)
        .select_from(balances)
        .join(locations, locations.c.id == balances.c.location_id)
        .join(sites, sites.c.id == locations.c.site_id)
        .join(items, items.c.id == balances.c.item_id)
        .where(balances.c.quantity != 0)
        .order_by(sites.c.name, locations.c.name, items.c.gtin)
    )
    if site is not None:
        query = query.where(sites.c.name == site)
    with _to_read(config) as database, database.read() as connection:
        names = connection.scalars(select(sites.c.name).order_by(sites.c.name)).all()
        if site is not None and site not in names:
            raise click.ClickException(f"there is no site {site!r}; there is {', '.join(names) or 'none'}")
        rows = [
            (at, place, gtin, what, f"{Decimal(quantity).scaleb(-scale):f}")
            for at, place, gtin, what, quantity, scale in connection.execute(query)
        ]
    _table(("site", "place", "item", "name", "quantity"), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
        click.echo("  ".join([*cells, row[-1].rjust(widths[-1])]))
