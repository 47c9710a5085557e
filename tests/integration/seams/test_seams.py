"""Each change of the table at each seam; see changes.py on how to add one."""

from collections.abc import Callable

import pytest
from changes import CHANGES, Change
from seams import SEAMS, Seam
from server_version import MAJOR, NEEDS_CHUNKS, needs
from sites import Site
from verdicts import check_positions, check_secrets

NEEDS = {
    "resumed-snapshot": [NEEDS_CHUNKS],
    "after-promotion": [needs(13, "standby that is promoted without a file")],
}


def cases() -> list[object]:
    """By seam, whose changes are all made in one run: so they stay in one process."""
    return [
        pytest.param(
            seam, change, id=f"{seam}-{change.name}",
            marks=[pytest.mark.xdist_group(seam), needs(change.since, change.name), *NEEDS.get(seam, [])],
        )
        for seam in SEAMS
        for change in CHANGES
    ]


@pytest.fixture(scope="session")
def pass_seam(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Seam]:
    """Passes each seam once, with the changes that were chosen on the command line."""
    passed: dict[str, Seam | BaseException] = {}

    def changes_at(seam: str) -> list[Change]:
        chosen = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
        names = {params["change"].name for params in chosen if params.get("seam") == seam and "change" in params}
        return [change for change in CHANGES if change.name in names and change.since <= MAJOR]

    def once(seam: str) -> Seam:
        if seam not in passed:
            try:
                passed[seam] = SEAMS[seam](seam, changes_at(seam), tmp_path_factory.mktemp(seam))
            except Exception as fault:
                passed[seam] = fault
        if isinstance(passed[seam], BaseException):
            raise passed[seam]
        return passed[seam]

    return once


@pytest.mark.parametrize(("seam", "change"), cases())
def test_seam(seam: str, change: Change, pass_seam: Callable[[str], Seam]):
    site: Site = pass_seam(seam).sites[change.name]
    check_secrets(site)
    assert site.fault is None, f"{site.fault}\n{site.log()}"
    check_positions(site)
    change.expected_at(seam).check(site)


@pytest.mark.parametrize(
    "seam", [pytest.param(seam, marks=[pytest.mark.xdist_group(seam), *NEEDS.get(seam, [])]) for seam in SEAMS]
)
def test_no_server_crashes(seam: str, pass_seam: Callable[[str], Seam]):
    assert pass_seam(seam).crashes == []
