"""What stands on the shelves, against the thresholds that alert."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards.influxql import as_table, over_time
from dashboards.parts import HEIGHT, bars, graph, number, rows, steps, threshold, variable

AT_SITE = '"site" =~ /^$site$/ AND $timeFilter'
AT_BAYS = f'"place" =~ /^$place$/ AND {AT_SITE}'
EACH = "GROUP BY time($__interval)"


def shelf_levels() -> Dashboard:
    board = (
        Dashboard("Shelf levels against their thresholds")
        .uid("stockbeat-shelf-levels")
        .tags(["stockbeat"])
        .time("now-6h", "now")
        .refresh("10s")
        .timezone("browser")
        .with_variable(variable("site", "Site", 'SHOW TAG VALUES WITH KEY = "site"', many=False))
        .with_variable(
            variable(
                "place",
                "Bay",
                'SHOW TAG VALUES FROM "stock" WITH KEY = "place" WHERE "site" =~ /^$site$/',
                many=True,
            )
        )
    )
    _alerts(board)
    _bays(board)
    _sensors(board)
    return board


def _alerts(board: Dashboard) -> None:
    for title, event, says in (
        ("Alerts fired", "fired", "In the time shown."),
        ("Alerts cleared", "cleared", "In the time shown."),
    ):
        query = f'SELECT sum("count") FROM "alert" WHERE "event" = \'{event}\' AND {AT_BAYS} {EACH} fill(0)'
        board.with_panel(number(title, says, over_time(query, title), width=4))
    board.with_panel(
        rows(
            "Alerts",
            "The newest: fired, seen by somebody, cleared.",
            as_table(
                'SELECT "place", "event", "severity", "text", "rule" FROM "alert" '
                f"WHERE {AT_BAYS} ORDER BY time DESC LIMIT 50"
            ),
            width=16,
        ).height(HEIGHT // 2)
    )


def _bays(board: Dashboard) -> None:
    board.with_panel(
        rows(
            "Now",
            "What the ledger has in each bay, the level that alerts, and what fits in.",
            as_table(
                'SELECT last("units") AS "units", last("limit") AS "threshold", last("clear") AS "clears at", '
                f'last("capacity") AS "capacity" FROM "stock" WHERE {AT_BAYS} GROUP BY "place", "item"'
            ),
        )
    )
    board.with_panel(
        bars(
            "Taken from and put on shelves",
            "Units booked, by kind of movement.",
            over_time(
                'SELECT sum("quantity") FROM "movement" '
                f'WHERE ("src" =~ /^$place$/ OR "dst" =~ /^$place$/) AND {AT_SITE} {EACH}, "kind" fill(0)',
                "$tag_kind",
            ),
        )
    )
    level = graph(
        "Bay $place",
        "What the ledger has in the bay; an alert is open from below the threshold until the clear level.",
        over_time(
            'SELECT last("units") AS "units", last("limit") AS "threshold", last("clear") AS "clears at", '
            f'last("capacity") AS "capacity" FROM "stock" WHERE {AT_BAYS} {EACH}, "item" fill(previous)',
            "$tag_item $col",
        ),
    ).min(0)
    for name, colour in (("threshold", "red"), ("clears at", "orange"), ("capacity", "blue")):
        threshold(level, name, colour)
    board.with_panel(steps(level).repeat("place"))


def _sensors(board: Dashboard) -> None:
    board.with_row(Row("What the scales say"))
    board.with_panel(
        steps(
            graph(
                "Weighed",
                "Units on each bay as its weight says. Where this differs from the ledger for long, a recount is due.",
                over_time(
                    f'SELECT last("units") FROM "level" WHERE {AT_BAYS} {EACH}, "place" fill(previous)',
                    "$tag_place",
                ),
            )
        ).min(0)
    )
    board.with_panel(
        bars(
            "Changes that could not be told",
            "Ambiguous, of unknown mass, or while nobody was weighing: these ask a person instead of booking.",
            over_time(
                f'SELECT count("grams") FROM "shelf_change" WHERE "outcome" != \'ok\' AND {AT_SITE} '
                f'{EACH}, "bay", "outcome" fill(0)',
                "$tag_bay $tag_outcome",
            ),
        )
    )
