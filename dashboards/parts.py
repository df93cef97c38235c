"""Panels and variables as all our dashboards have them, so that each dashboard says only what is its own."""

from grafana_foundation_sdk.builders import common, dashboard, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    ReduceDataOptions,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards.influxql import DATASOURCE

WIDTH = 24  # columns of Grafana's grid
HEIGHT = 8
SHORTEST_INTERVAL = "10s"  # stock is sampled each 5 s at most: shorter groups would be mostly empty


def variable(name: str, label: str, query: str, *, many: bool) -> dashboard.QueryVariable:
    """Values of a tag, to choose from. Asked anew at each load, which old versions need to be told."""
    built = (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )
    if many:
        built.multi(True).include_all(True).all_value(".*")
        built.current(VariableOption(selected=True, text="All", value="$__all"))
    return built


def graph(title: str, says: str, *targets: Builder[Dataquery], width: int = WIDTH // 2) -> timeseries.Panel:
    """Lines over time."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(says)
        .datasource(DATASOURCE)
        .span(width)
        .height(HEIGHT)
        .interval(SHORTEST_INTERVAL)
        .fill_opacity(10)
        .show_points(VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )
    for target in targets:
        panel.with_target(target)
    return panel


def bars(title: str, says: str, *targets: Builder[Dataquery], width: int = WIDTH // 2) -> timeseries.Panel:
    """Counts in each stretch of time, one kind on another."""
    panel = graph(title, says, *targets, width=width)
    stacking = common.StackingConfig().mode(StackingMode.NORMAL).group("A")
    return panel.draw_style(GraphDrawStyle.BARS).fill_opacity(70).stacking(stacking).min(0)


def steps(panel: timeseries.Panel) -> timeseries.Panel:
    """For values that hold until they change: no slopes between them."""
    return panel.override_by_regexp("/.*/", [DynamicConfigValue("custom.lineInterpolation", "stepAfter")])


def threshold(panel: timeseries.Panel, name: str, colour: str) -> timeseries.Panel:
    """Draw the lines whose name ends in `name` dashed, unfilled and in one colour."""
    return panel.override_by_regexp(
        f"/{name}$/",
        [
            DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour}),
            DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [10, 10]}),
            DynamicConfigValue("custom.fillOpacity", 0),
        ],
    )


def number(title: str, says: str, target: Builder[Dataquery], *, width: int, calc: str = "sum") -> stat.Panel:
    """One figure for the time shown."""
    return (
        stat.Panel()
        .title(title)
        .description(says)
        .datasource(DATASOURCE)
        .span(width)
        .height(HEIGHT // 2)
        .no_value("0")
        .reduce_options(_reduce(calc))
        .with_target(target)
    )


def rows(title: str, says: str, target: Builder[Dataquery], *, width: int = WIDTH // 2) -> table.Panel:
    return (
        table.Panel()
        .title(title)
        .description(says)
        .datasource(DATASOURCE)
        .span(width)
        .height(HEIGHT)
        .show_header(True)
        .with_target(target)
    )


class _Reduce(Builder[ReduceDataOptions]):
    def __init__(self, calc: str) -> None:
        self._calc = calc

    def build(self) -> ReduceDataOptions:
        return ReduceDataOptions(values=False, calcs=[self._calc], fields="")


def _reduce(calc: str) -> Builder[ReduceDataOptions]:
    return _Reduce(calc)
