"""Which tags are stock, and that one tag is one EPC however a reader writes it, on SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud.errors import MasterDataError
from cloud.ledger.database import Database
from cloud.ledger.tables import crossings, tags, tasks
from cloud.masterdata.load import load
from tests.support.ledger import (
    CASE,
    CASE_TAG,
    ITEMS,
    PALLET,
    PALLET_TAG,
    SITES,
    Cloud,
    at,
    crossing,
    new_ledger,
    passage,
    write_master,
)
from wire.epc import decode
from wire.events import Direction

# EPC Tag Data Standard 1.13, annex E.3, filled up to whole words.
GRAI_96 = "3374257BF40C0E400000162E"
GRAI_170 = "3774257BF40C0E59B2C2BF1000000000000000000000"
GIAI_96 = "3474257BF40000000000162E"
GIAI_202 = "3874257BF59B2C2BF10000000000000000000000000000000000"
SGLN_96 = "3274257BF46072000000162E"
SGLN_195 = "3974257BF46072CD9615F8800000000000000000000000000000"
GID_96 = "350007AB70425D4000000586"
GRAI_PLUS = "F100000000000000"
GIAI_PLUS_PLUS = "EE00000000000000"
# The worked example's item in 198 bits: header, filter 3, partition 5, company prefix, item reference, serial 32a/b.
_HEAD = f"{0x36:08b}{3:03b}{5:03b}{614141:024b}{812345:020b}"
_SERIAL = "".join(f"{ord(character):07b}" for character in "32a/b").ljust(140, "0")
CASE_198 = f"{int(_HEAD + _SERIAL + '0' * 10, 2):052X}"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    database: Database = new_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield Cloud(database, write_master(tmp_path / "master"))
    database.close()


def _verdicts(cloud: Cloud) -> dict[str, str]:
    with cloud.database.read() as connection:
        return dict(connection.execute(select(crossings.c.epc, crossings.c.verdict)).all())


def _open_tasks(cloud: Cloud) -> list[str]:
    with cloud.database.read() as connection:
        return list(connection.scalars(select(tasks.c.kind).where(tasks.c.closed_at.is_(None))))


@pytest.mark.parametrize(
    "epc", [GRAI_96, GRAI_170, GIAI_96, GIAI_202, SGLN_96, SGLN_195, GID_96, GRAI_PLUS, GIAI_PLUS_PLUS]
)
@pytest.mark.parametrize("outcome", [Direction.IN, Direction.OUT, Direction.UNDECIDED])
def test_assets_places_and_general_identifiers_are_never_stock(
    cloud: Cloud, epc: str, outcome: Direction
) -> None:
    cloud.book(crossing(epc, outcome), passage("dock-1-2.7"))
    assert _verdicts(cloud) == {epc: "ignored"}
    assert _open_tasks(cloud) == []


def test_a_general_identifier_that_an_item_claims_is_its_stock(cloud: Cloud, tmp_path: Path) -> None:
    claimed = ITEMS + "09506000522135,Honey,each,490,C,350007AB7\n"
    load(cloud.database, write_master(tmp_path / "more", items=claimed), at(1))
    cloud.book(crossing(GID_96))
    assert cloud.stock("09506000522135") == {"supplier": -1, "backroom": 1}


def test_an_asset_that_an_item_claims_stays_an_asset(cloud: Cloud, tmp_path: Path) -> None:
    claimed = ITEMS + "09506000522135,Crate,each,490,C,3374\n"
    load(cloud.database, write_master(tmp_path / "more", items=claimed), at(1))
    cloud.book(crossing(GRAI_96))
    assert cloud.stock("09506000522135") == {}


@pytest.mark.parametrize("prefix", ["3154257B", "3154257b", "urn:epc:id:sscc:0614141."])
def test_a_sites_ignored_tags_are_never_stock_there(cloud: Cloud, tmp_path: Path, prefix: str) -> None:
    sites = SITES.replace("places =", f'ignored = ["{prefix}", "AD02"]\nplaces =', 1)
    contents = f"sscc,gtin,quantity\n{PALLET},{CASE},10\n"
    load(cloud.database, write_master(tmp_path / "more", sites=sites, contents=contents), at(1))
    cloud.book(crossing(PALLET_TAG), crossing("AD0200000000000000000001"), passage("dock-1-2.7"))
    cloud.book(crossing(PALLET_TAG), passage("dock-1-2.7"), edge="store-007")
    assert cloud.stock(CASE) == {}
    assert cloud.stock(CASE, "store-007") == {"supplier": -10, "backroom": 10}  # nobody said so there
    assert _open_tasks(cloud) == []


def test_what_cannot_begin_an_epc_is_refused(cloud: Cloud, tmp_path: Path) -> None:
    sites = SITES.replace("places =", 'ignored = ["badge-*"]\nplaces =', 1)
    with pytest.raises(MasterDataError, match=r"ignored.*AD02 or urn:epc:id:sscc:0614141\., not 'badge-\*'"):
        load(cloud.database, write_master(tmp_path / "more", sites=sites), at(1))


def test_a_198_bit_tag_is_stock_of_the_same_item_and_a_tag_of_its_own(cloud: Cloud) -> None:
    assert decode(CASE_198).gtin == decode(CASE_TAG).gtin == CASE
    cloud.book(crossing(CASE_TAG), crossing(CASE_198))
    assert cloud.stock(CASE) == {"supplier": -2, "backroom": 2}


def test_one_tag_is_booked_once_however_many_words_a_reader_makes_of_it(cloud: Cloud) -> None:
    cloud.book(crossing(CASE_198, passage="p"), crossing(CASE_198 + "0000", passage="p"))
    cloud.book(crossing(CASE_TAG, passage="p"), crossing(CASE_TAG + "00000000", passage="p"))
    assert cloud.stock(CASE) == {"supplier": -2, "backroom": 2}
    cloud.book(crossing(CASE_TAG + "0000", Direction.OUT, seconds=50))
    assert cloud.stock(CASE) == {"supplier": -2, "backroom": 1, "transit": 1}
    with cloud.database.read() as connection:
        assert sorted(connection.scalars(select(tags.c.epc))) == [CASE_TAG, CASE_198]
