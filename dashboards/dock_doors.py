"""What goes through the dock doors, what could not be decided, and how the devices do."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards.influxql import as_table, over_time
from dashboards.parts import bars, graph, number, rows, steps, variable

HERE = '"site" =~ /^$site$/ AND $timeFilter'
AT_GATES = f'"gate" =~ /^$gate$/ AND {HERE}'
EACH = "GROUP BY time($__interval)"


def dock_doors() -> Dashboard:
    board = (
        Dashboard("Dock doors")
        .uid("stockbeat-dock-doors")
        .tags(["stockbeat"])
        .time("now-6h", "now")
        .refresh("10s")
        .timezone("browser")
        .with_variable(variable("site", "Site", 'SHOW TAG VALUES WITH KEY = "site"', many=False))
        .with_variable(
            variable(
                "gate",
                "Door",
                'SHOW TAG VALUES FROM "passage" WITH KEY = "gate" WHERE "site" =~ /^$site$/',
                many=True,
            )
        )
    )
    _figures(board)
    _doors(board)
    _ledger(board)
    _devices(board)
    return board


def _figures(board: Dashboard) -> None:
    for title, field, says in (
        ("In", "ins", "Tags that went in."),
        ("Out", "outs", "Tags that went out."),
        (
            "Undecided",
            "undecided",
            "Tags that the door could not tell: nothing was booked, and each load has a task.",
        ),
        ("Strays", "strays", "Tags that only stood in view: never booked."),
    ):
        query = f'SELECT sum("{field}") FROM "passage" WHERE {AT_GATES} {EACH} fill(0)'
        board.with_panel(number(title, says, over_time(query, title), width=6))


def _doors(board: Dashboard) -> None:
    board.with_panel(
        bars(
            "Movements by door and direction",
            "Tags decided in or out in each stretch of time.",
            over_time(
                'SELECT sum("ins") AS "in", sum("outs") AS "out" '
                f'FROM "passage" WHERE {AT_GATES} {EACH}, "gate" fill(0)',
                "$tag_gate $col",
            ),
        )
    )
    board.with_panel(
        bars(
            "Not booked",
            "Undecided, turned back, and strays that stood in view.",
            over_time(
                'SELECT sum("undecided") AS "undecided", sum("turned_back") AS "turned back", '
                f'sum("strays") AS "strays" FROM "passage" WHERE {AT_GATES} {EACH}, "gate" fill(0)',
                "$tag_gate $col",
            ),
        )
    )
    board.with_panel(
        graph(
            "Confidence",
            "The least and the mean confidence of decided tags. A door that gets worse shows here first.",
            over_time(
                f'SELECT min("confidence") AS "least", mean("confidence") AS "mean" FROM "crossing" '
                f'WHERE ("outcome" = \'in\' OR "outcome" = \'out\') AND {AT_GATES} {EACH}, "gate" fill(none)',
                "$tag_gate $col",
            ),
        )
        .min(0)
        .max(1)
    )
    board.with_panel(
        rows(
            "Undecided tags",
            "The newest tags that the doors could not tell.",
            as_table(
                'SELECT "gate", "epc", "confidence", "reads" FROM "crossing" '
                f"WHERE \"outcome\" = 'undecided' AND {AT_GATES} ORDER BY time DESC LIMIT 50"
            ),
        )
    )


def _ledger(board: Dashboard) -> None:
    board.with_row(Row("In the ledger"))
    board.with_panel(
        bars(
            "Booked by route",
            "Units booked from one place to another.",
            over_time(
                f'SELECT sum("quantity") FROM "movement" WHERE {HERE} {EACH}, "src", "dst" fill(0)',
                "$tag_src → $tag_dst",
            ),
        ).unit("short")
    )
    board.with_panel(
        rows(
            "Newest movements",
            "As the ledger has them, with their position in the site's sequence.",
            as_table(
                'SELECT "position", "kind", "src", "dst", "item", "quantity" FROM "movement" '
                f"WHERE {HERE} ORDER BY time DESC LIMIT 50"
            ),
        )
    )


def _devices(board: Dashboard) -> None:
    board.with_row(Row("Devices"))
    board.with_panel(
        steps(
            graph(
                "Up",
                "1 while a reader or scale is there, 0 while it is not.",
                over_time(
                    f'SELECT min("up") FROM "device" WHERE {HERE} {EACH}, "edge", "device" fill(previous)',
                    "$tag_edge $tag_device",
                ),
                width=8,
            )
        )
        .min(0)
        .max(1)
    )
    board.with_panel(
        graph(
            "Reads",
            "What each device delivers.",
            over_time(
                f'SELECT mean("reads_per_s") FROM "device" WHERE {HERE} {EACH}, "edge", "device" fill(none)',
                "$tag_edge $tag_device",
            ),
            width=8,
        ).unit("cps")
    )
    board.with_panel(
        graph(
            "Events held back",
            "What each edge still holds, not acknowledged by the ledger: it grows while the cloud is out of reach.",
            over_time(
                f'SELECT max("events_held") FROM "agent" WHERE {HERE} {EACH}, "edge" fill(none)',
                "$tag_edge",
            ),
            width=8,
        ).min(0)
    )
    board.with_panel(
        graph(
            "Clock offset",
            "How far a device's own clock is from its edge's. It is corrected; a jump means the device restarted.",
            over_time(
                f'SELECT mean("clock_offset_ms") FROM "device" WHERE {HERE} {EACH}, "edge", "device" fill(none)',
                "$tag_edge $tag_device",
            ),
        ).unit("ms")
    )
    board.with_panel(
        rows(
            "What happened to devices",
            "Came, went, or could not see, and why.",
            as_table(
                'SELECT "edge", "device", "what", "detail" FROM "device_event" '
                f"WHERE {HERE} ORDER BY time DESC LIMIT 50"
            ),
        )
    )
