"""Which site a request is about."""

from typing import Annotated

from fastapi import HTTPException, Query
from sqlalchemy import Connection

from cloud.web.questions.sites import Site, list_sites, site_named

SiteName = Annotated[
    str | None,
    Query(pattern=r"^[A-Za-z0-9._-]{1,40}$", description="a site's name; needed where there are several"),
]
NAMED = 20  # how many sites an answer lists as possible


def choose(connection: Connection, name: str | None) -> Site:
    """The site of that name; without a name the only one there is.

    Raises:
        HTTPException: 404 when there is no such site, 422 when it must be said which; both name the choice.
    """
    if name is not None and (site := site_named(connection, name)) is not None:
        return site
    known = list_sites(connection, NAMED + 1)
    if not known:
        raise HTTPException(404, "there is no site yet: load master data with 'stockbeat cloud load DIR'")
    if name is not None:
        raise HTTPException(404, f"there is no site {name!r}; there is {_listed(known)}")
    if len(known) > 1:
        raise HTTPException(422, f"there are several sites: say ?site=, which is one of {_listed(known)}")
    return known[0]


def _listed(known: list[Site]) -> str:
    names = [site.name for site in known[:NAMED]]
    return ", ".join(names) + (", …" if len(known) > NAMED else "")
