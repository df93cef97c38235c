import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.render import FOLDER, all_dashboards

PROVISIONING = FOLDER.parent / "provisioning"
BOARDS = {name: json.loads(text) for name, text in all_dashboards().items()}


def test_the_files_are_what_the_code_says() -> None:
    """Run `make dashboards` after changing the code."""
    kept = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    assert kept == all_dashboards()


def targets(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [target for panel in board["panels"] for target in panel.get("targets", ())]


@pytest.mark.parametrize("name", BOARDS)
def test_what_old_versions_of_grafana_need(name: str) -> None:
    board = BOARDS[name]
    ids = [panel["id"] for panel in board["panels"]]
    assert sorted(set(ids)) == ids, "each panel has an id of its own"
    for variable in board["templating"]["list"]:
        assert "id" not in variable
        assert variable["refresh"] == 1
    assert all(target["refId"] for target in targets(board))


@pytest.mark.parametrize("name", BOARDS)
def test_panels_keep_to_the_grid_and_do_not_cover_each_other(name: str) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in BOARDS[name]["panels"]:
        where = panel["gridPos"]
        assert where["x"] + where["w"] <= 24
        for x in range(where["x"], where["x"] + where["w"]):
            for y in range(where["y"], where["y"] + where["h"]):
                assert (x, y) not in taken, f"{panel['title']} covers {taken.get((x, y))}"
                taken[x, y] = panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_says_what_it_shows(name: str) -> None:
    for panel in BOARDS[name]["panels"]:
        assert panel["type"] == "row" or panel["description"].endswith(".")


@pytest.mark.parametrize("name", BOARDS)
def test_every_query_is_bounded_in_time_and_uses_known_variables(name: str) -> None:
    board = BOARDS[name]
    known = {variable["name"] for variable in board["templating"]["list"]} | {"timeFilter", "__interval"}
    for target in targets(board):
        used = {word.split("$")[1] for word in target["query"].replace("/^", " ").split() if "$" in word}
        used = {word.strip("/()$,") for word in used}
        assert "timeFilter" in used
        assert used <= known, target["query"]


def test_the_data_source_is_the_one_the_dashboards_name() -> None:
    (source,) = _yaml("datasources/influxdb.yml")["datasources"]
    named = {
        (target["datasource"]["type"], target["datasource"]["uid"])
        for board in BOARDS.values()
        for target in targets(board)
    }
    assert named == {(source["type"], source["uid"])}


def test_the_data_source_speaks_influxql_with_the_token_in_a_header_and_holds_no_secret() -> None:
    (source,) = _yaml("datasources/influxdb.yml")["datasources"]
    assert source["jsonData"]["version"] == "InfluxQL"
    assert source["jsonData"]["dbName"] == "${INFLUXDB_BUCKET}"
    assert source["jsonData"]["httpHeaderName1"] == "Authorization"
    assert source["secureJsonData"] == {"httpHeaderValue1": "Token ${INFLUXDB_TOKEN}"}


def test_the_provider_reads_the_folder_that_compose_mounts() -> None:
    (provider,) = _yaml("dashboards/stockbeat.yml")["providers"]
    compose = yaml.safe_load((FOLDER.parent.parent / "docker-compose.yml").read_text("utf-8"))
    mounts = [volume.split(":")[1] for volume in compose["services"]["grafana"]["volumes"]]
    assert provider["options"]["path"] in mounts


def _yaml(name: str) -> Any:
    return yaml.safe_load((Path(PROVISIONING) / name).read_text("utf-8"))
