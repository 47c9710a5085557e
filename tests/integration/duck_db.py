"""DuckDB, where there is one."""

import ctypes
import os

DUCKDB = os.environ.get("WALCAT_TEST_DUCKDB", "")


class DuckDb:
    """DuckDB in this process, through its C interface."""

    class Result(ctypes.Structure):
        _fields_ = [(name, ctypes.c_uint64) for name in ("columns", "rows", "changed")] + [
            (name, ctypes.c_void_p) for name in ("column_data", "error", "internal")
        ]

    def __init__(self, library: str):
        self._duckdb = ctypes.CDLL(library)
        self._database, self._connection = ctypes.c_void_p(), ctypes.c_void_p()
        self._duckdb.duckdb_value_varchar.restype = ctypes.c_char_p
        self._duckdb.duckdb_result_error.restype = ctypes.c_char_p
        self._duckdb.duckdb_row_count.restype = self._duckdb.duckdb_column_count.restype = ctypes.c_uint64

    def __enter__(self) -> "DuckDb":
        assert self._duckdb.duckdb_open(None, ctypes.byref(self._database)) == 0
        assert self._duckdb.duckdb_connect(self._database, ctypes.byref(self._connection)) == 0
        return self

    def __exit__(self, *_: object) -> None:
        self._duckdb.duckdb_disconnect(ctypes.byref(self._connection))
        self._duckdb.duckdb_close(ctypes.byref(self._database))

    def rows(self, query: str) -> list[tuple[str | None, ...]]:
        """Every value as a text, null as None."""
        result = self.Result()
        state = self._duckdb.duckdb_query(self._connection, query.encode(), ctypes.byref(result))
        assert state == 0, self._duckdb.duckdb_result_error(ctypes.byref(result)).decode()
        columns, rows = (
            count(ctypes.byref(result)) for count in (self._duckdb.duckdb_column_count, self._duckdb.duckdb_row_count)
        )
        found = [tuple(self._value(result, column, row) for column in range(columns)) for row in range(rows)]
        self._duckdb.duckdb_destroy_result(ctypes.byref(result))
        return found

    def _value(self, result: "DuckDb.Result", column: int, row: int) -> str | None:
        value = self._duckdb.duckdb_value_varchar(ctypes.byref(result), ctypes.c_uint64(column), ctypes.c_uint64(row))
        return None if value is None else value.decode()
