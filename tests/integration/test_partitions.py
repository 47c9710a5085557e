"""Partitioned tables, under the leaves' names or the root's."""

import pytest
from configuration import configuration, entry
from server_version import NEEDS_PARTITIONS, needs

pytestmark = needs(11, "keys of partitioned tables")


@pytest.fixture(autouse=True)
def tables(database):
    database.execute(
        "CREATE TABLE events (id integer, day integer, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
        "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10)",
        # Attached later and with its columns in another order: the layout of the leaf is not the root's.
        "CREATE TABLE events_2 (note text, day integer NOT NULL, id integer NOT NULL, PRIMARY KEY (id, day))",
        "ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (10) TO (20)",
    )


CHANGES = (
    "INSERT INTO events VALUES (1, 5, 'a')",
    "INSERT INTO events VALUES (2, 15, 'b')",
    "UPDATE events SET note = 'c' WHERE id = 2",
    "UPDATE events SET day = 16 WHERE id = 1",
    "DELETE FROM events WHERE id = 2",
)


def changes_of(database, walcat, *tables):
    config = configuration(entry(database, *tables))
    walcat.catch_up(config)
    database.execute(*CHANGES)
    return [(line.source["table"], line.op, line.before, line.after) for line in walcat.catch_up(config).lines()]


@pytest.mark.parametrize("listed", [
    pytest.param(["public.events"], marks=NEEDS_PARTITIONS, id="the root"),
    pytest.param(["public.events_1", "public.events_2"], id="the leaves"),
    pytest.param([], id="all tables"),
])  # fmt: skip
def test_leaves_are_printed_under_their_own_names(listed, database, walcat):
    assert changes_of(database, walcat, *listed) == [
        ("events_1", "c", None, {"id": 1, "day": 5, "note": "a"}),
        ("events_2", "c", None, {"note": "b", "day": 15, "id": 2}),
        ("events_2", "u", None, {"note": "c", "day": 15, "id": 2}),
        ("events_1", "d", {"id": 1, "day": 5}, None),
        ("events_2", "c", None, {"note": "a", "day": 16, "id": 1}),
        ("events_2", "d", {"day": 15, "id": 2}, None),
    ]


@NEEDS_PARTITIONS
def test_the_root_is_printed_when_the_publication_says_so(database, walcat):
    database.execute(
        f"CREATE PUBLICATION pub_{database.name} FOR TABLE events WITH (publish_via_partition_root = true)"
    )
    assert changes_of(database, walcat, "public.events") == [
        ("events", "c", None, {"id": 1, "day": 5, "note": "a"}),
        ("events", "c", None, {"id": 2, "day": 15, "note": "b"}),
        ("events", "u", None, {"id": 2, "day": 15, "note": "c"}),
        ("events", "d", {"id": 1, "day": 5}, None),
        ("events", "c", None, {"id": 1, "day": 16, "note": "a"}),
        ("events", "d", {"id": 2, "day": 15}, None),
    ]
