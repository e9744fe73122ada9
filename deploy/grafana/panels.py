"""The few kinds of panels that our dashboards have, over Grafana's own builders."""

import json
from urllib.parse import quote

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    tempo,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import heatmap as heat
from grafana_foundation_sdk.models import prometheus as query

# The uids of provisioning/datasources/datasources.yaml.
METRICS = model.DataSourceRef(type_val="prometheus", uid="prometheus")
TRACES = model.DataSourceRef(type_val="tempo", uid="tempo")
TAG = "triptych"

# (from which value on, colour)
Steps = list[tuple[float, str]]
# (PromQL, legend)
Lines = list[tuple[str, str]]


def board(uid: str, title: str, description: str, variables: list[Builder]) -> dashboard.Dashboard:
    """An empty dashboard. It links to its sisters, with the same time and the same variables."""
    sisters = dashboard.DashboardLink("Triptych").type(model.DashboardLinkType.DASHBOARDS).tags([TAG])
    made = dashboard.Dashboard(title).uid(uid).description(description).tags([TAG]).readonly()
    made = made.time("now-1h", "now").refresh("30s").timezone("browser").tooltip(model.DashboardCursorSync.CROSSHAIR)
    return made.link(sisters.include_vars(True).keep_time(True)).variables(variables)


def variable(name: str, label: str, values: str, several: bool = False) -> dashboard.QueryVariable:
    """A choice among the values that `label_values(…)` finds; with `several`, more than one and first of all every one."""
    made = dashboard.QueryVariable(name).label(label).datasource(METRICS).query(f"label_values({values})")
    made = made.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(model.VariableSort.ALPHABETICAL_ASC)
    if several:
        everything = model.VariableOption(text="All", value="$__all", selected=True)
        made = made.multi(True).include_all(True).all_value(".*").current(everything)
    return made


def row(title: str) -> dashboard.Row:
    return dashboard.Row(title)


def graph(
    title: str, unit: str, description: str, lines: Lines, *, width: int = 8, limit: float | None = None, top: float | None = None
) -> Builder:
    """Lines over time; `limit` is drawn as a red one, `top` is where the axis ends."""
    panel = timeseries.Panel().title(title).description(description).datasource(METRICS).unit(unit).min(0).span(width).height(8)
    panel = panel.line_width(1).fill_opacity(8).show_points(look.VisibilityMode.NEVER)
    panel = panel.legend(
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(look.LegendDisplayMode.LIST)
        .placement(look.LegendPlacement.BOTTOM)
    )
    panel = panel.tooltip(common.VizTooltipOptions().mode(look.TooltipDisplayMode.MULTI).sort(look.SortOrder.DESCENDING))
    if top is not None:
        panel = panel.max(top)
    if limit is not None:
        panel = panel.thresholds(steps([(limit, "red")]))
        panel = panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(look.GraphThresholdsStyleMode.LINE))
    return targets(panel, lines)


def number(
    title: str, unit: str, description: str, lines: Lines, colours: Steps, *, width: int = 4, none: str = "none"
) -> Builder:
    """What is now, large, in the colour of its range."""
    panel = stat.Panel().title(title).description(description).datasource(METRICS).unit(unit).span(width).height(4).no_value(none)
    panel = panel.thresholds(steps(colours)).color_mode(look.BigValueColorMode.VALUE).graph_mode(look.BigValueGraphMode.AREA)
    return targets(panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])), lines)


def ranking(title: str, unit: str, description: str, lines: Lines, colours: Steps, *, width: int = 12) -> Builder:
    """What is now, as bars."""
    panel = bargauge.Panel().title(title).description(description).datasource(METRICS).unit(unit).span(width).height(8).max(1)
    panel = (
        panel.thresholds(steps(colours)).orientation(look.VizOrientation.HORIZONTAL).display_mode(look.BarGaugeDisplayMode.BASIC)
    )
    return targets(panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])), lines, instant=True)


def heat_map(title: str, description: str, buckets: str, *, width: int = 8) -> Builder:
    """How many answers took how long, over time. `buckets` is the rate of a histogram's buckets by `le`."""
    panel = heatmap.Panel().title(title).description(description).datasource(METRICS).span(width).height(8)
    panel = panel.y_axis(heatmap.YAxisConfig().unit("s")).color(
        heatmap.HeatmapColorOptions().mode(heat.HeatmapColorMode.SCHEME).scheme("Oranges").steps(64)
    )
    target = (
        prometheus.Dataquery().expr(buckets).range().format(query.PromQueryFormat.HEATMAP).legend_format("{{le}}").ref_id("A")
    )
    return panel.with_target(target)


def timeline(title: str, description: str, lines: Lines, states: dict[int, tuple[str, str]], *, width: int = 24) -> Builder:
    """One bar for each series, coloured by its state: {value: (name, colour)}."""
    panel = statetimeline.Panel().title(title).description(description).datasource(METRICS).span(width).height(7)
    names = {
        str(value): model.ValueMappingResult(text=name, color=colour, index=value) for value, (name, colour) in states.items()
    }
    panel = panel.mappings([model.ValueMap(options=names)]).show_value(look.VisibilityMode.NEVER).merge_values(True)
    return targets(panel, lines)


def rows(title: str, description: str, expression: str, hidden: list[str], *, width: int = 12) -> Builder:
    """The series that there are now, one a row, without the labels in `hidden`."""
    panel = table.Panel().title(title).description(description).datasource(METRICS).span(width).height(8)
    tidy = model.DataTransformerConfig(id_val="organize", options={"excludeByName": dict.fromkeys(["Time", *hidden], True)})
    target = prometheus.Dataquery().expr(expression).instant().format(query.PromQueryFormat.TABLE).ref_id("A")
    return panel.with_target(target).with_transformation(tidy)


def traces(title: str, description: str, traceql: str, *, width: int = 12) -> Builder:
    """Traces that `traceql` finds; each row leads to its waterfall."""
    panel = table.Panel().title(title).description(description).datasource(TRACES).span(width).height(9)
    found = tempo.TempoQuery().query_type("traceql").query(traceql).limit(20).ref_id("A").datasource(TRACES)
    return panel.with_target(found)


def with_traces(panel: Builder, title: str, traceql: str) -> Builder:
    """The panel, whose points lead to the traces of that time."""
    pane = {
        "datasource": TRACES.uid,
        "queries": [{"refId": "A", "queryType": "traceql", "limit": 20, "query": traceql}],
        "range": {"from": "${__from}", "to": "${__to}"},
    }
    url = "/explore?schemaVersion=1&panes=" + quote(json.dumps({"traces": pane}), safe="${}")
    return panel.data_links([dashboard.DashboardLink(title).url(url).target_blank(True)])


def targets(panel: Builder, lines: Lines, instant: bool = False) -> Builder:
    for index, (expression, legend) in enumerate(lines):
        target = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(chr(ord("A") + index))
        panel = panel.with_target(target.instant() if instant else target.range())
    return panel


def steps(colours: Steps, base: str = "green") -> dashboard.ThresholdsConfig:
    found = [model.Threshold(value=None, color=base), *(model.Threshold(value=value, color=colour) for value, colour in colours)]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(found)


def render(made: dashboard.Dashboard, panels: list[Builder]) -> str:
    """The dashboard as JSON. Ids are numbers in order: Grafana needs them to be different."""
    for panel in panels:
        made = made.with_row(panel) if isinstance(panel, dashboard.Row) else made.with_panel(panel)
    built = made.build()
    for number_of_panel, panel in enumerate(built.panels, start=1):
        panel.id_val = number_of_panel
    return JSONEncoder(sort_keys=True, indent=2).encode(built) + "\n"
