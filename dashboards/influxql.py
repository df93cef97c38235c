"""An InfluxQL target: the foundation SDK has builders for many databases, but none for InfluxDB.

Source: Grafana's data model of the InfluxDB data source (pkg/tsdb/influxdb/models, `Query`), raw queries only.
"""

from dataclasses import dataclass

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

# The provisioned data source's uid: provisioning/datasources/influxdb.yml.
DATASOURCE = DataSourceRef(type_val="influxdb", uid="stockbeat")


@dataclass(kw_only=True)
class InfluxqlQuery(Dataquery):
    query: str
    ref_id: str
    result_format: str
    alias: str = ""

    def to_json(self) -> dict[str, object]:
        return {
            "datasource": DATASOURCE.to_json(),
            "refId": self.ref_id,
            "query": self.query,
            "rawQuery": True,
            "resultFormat": self.result_format,
            "alias": self.alias,
        }


class _Built(Builder[Dataquery]):
    def __init__(self, query: InfluxqlQuery) -> None:
        self._query = query

    def build(self) -> Dataquery:
        return self._query


def over_time(query: str, alias: str, ref_id: str = "A") -> Builder[Dataquery]:
    """A query that groups by time; `alias` names its lines, with $tag_x for a tag and $col for a field."""
    return _Built(
        InfluxqlQuery(query=_one_line(query), ref_id=ref_id, result_format="time_series", alias=alias)
    )


def as_table(query: str, ref_id: str = "A") -> Builder[Dataquery]:
    """A query whose rows are shown as they are."""
    return _Built(InfluxqlQuery(query=_one_line(query), ref_id=ref_id, result_format="table"))


def _one_line(query: str) -> str:
    return " ".join(query.split())
