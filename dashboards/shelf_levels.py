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
                "Units on each bay as its weight says, of each item where there are several. Where this differs from "
                "the ledger for long, a recount is due.",
                over_time(
                    f'SELECT last("units") FROM "level" WHERE {AT_BAYS} {EACH}, "place" fill(previous)',
                    "$tag_place",
                ),
                over_time(
                    f'SELECT last("units") FROM "item_level" WHERE {AT_BAYS} {EACH}, "place", "item" fill(previous)',
                    "$tag_place $tag_item",
                    "B",
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
    _fills(board)
    _conditions(board)


def _fills(board: Dashboard) -> None:
    board.with_row(Row("How full the shelves are"))
    for title, field, says in (
        ("Out of stock now", "out", "Items of which the scale says that none is left."),
        ("Low now", "low", "Items of which the scale says that few are left."),
    ):
        newest = f'SELECT last("{field}") AS "n" FROM "fill" WHERE {AT_BAYS} GROUP BY "place", "item"'
        panel = number(
            title, says, over_time(f'SELECT sum("n") FROM ({newest})', title), width=4, calc="last"
        )
        board.with_panel(panel)
    board.with_panel(
        bars(
            "Ran out, got low, filled",
            "How often bays came to be so, as their scales say.",
            over_time(
                'SELECT sum("count") FROM "bay_fill" '
                f'WHERE "state" != \'unknown\' AND {AT_BAYS} {EACH}, "state" fill(0)',
                "$tag_state",
            ),
            width=16,
        ).height(HEIGHT // 2)
    )
    board.with_panel(
        steps(
            graph(
                "Fullness",
                "Units by weight over what fits.",
                over_time(
                    f'SELECT last("fraction") FROM "fill" WHERE {AT_BAYS} {EACH}, "place", "item" fill(previous)',
                    "$tag_place $tag_item",
                ),
            )
        )
        .min(0)
        .unit("percentunit")
    )
    board.with_panel(
        steps(
            graph(
                "Share of items out of stock",
                "Of all items that are meant to stand in a bay which weighs them.",
                over_time(
                    f'SELECT mean("out") FROM "fill" WHERE {AT_BAYS} {EACH} fill(previous)', "out of stock"
                ),
            )
        )
        .min(0)
        .unit("percentunit")
    )


def _conditions(board: Dashboard) -> None:
    board.with_row(Row("Whether the shelves count"))
    newest = f'SELECT last("counting") AS "counting", "state", "reason" FROM "bay" WHERE {AT_BAYS} GROUP BY "place"'
    board.with_panel(
        rows(
            "Bays that do not count now",
            "In service, uncertain, to be checked, or not weighing, and why.",
            as_table(f'SELECT "state", "reason" FROM ({newest}) WHERE "counting" = 0 GROUP BY "place"'),
        )
    )
    board.with_panel(
        bars(
            "Came to count, and ceased to",
            "How often bays came to be so, as their agents say.",
            over_time(
                f'SELECT sum("count") FROM "bay_state" WHERE {AT_BAYS} {EACH}, "state" fill(0)', "$tag_state"
            ),
        )
    )
