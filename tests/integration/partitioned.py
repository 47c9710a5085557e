"""A partitioned table with rows in both of its leaves; the columns of the second do not stand as the root's do."""

EVENTS = (
    "CREATE TABLE events (id integer, day integer, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
    "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10)",
    "CREATE TABLE events_2 (note text, gone integer, day integer NOT NULL, id integer NOT NULL, PRIMARY KEY (id, day))",
    "ALTER TABLE events_2 DROP gone",
    "ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (10) TO (20)",
    "INSERT INTO events VALUES (1, 5, 'a'), (2, 15, 'b'), (3, 6, 'c')",
)
