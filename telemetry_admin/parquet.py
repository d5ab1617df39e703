"""Items of the API as a Parquet file, a row group at a time: memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from telemetry_admin.columns import Column, Type

ROWS_PER_GROUP = 50_000


class NoPyarrow(Exception):
    """It is an extra that is not installed here."""

    def __init__(self) -> None:
        super().__init__(
            "Parquet files need pyarrow: .venv/bin/python -m pip install -r telemetry_admin/requirements.txt"
        )


class ParquetFile:
    """``add`` items as they come; pages become columns at once, and a row group when there are enough of them.

    Each field's metadata says ``path`` (its place in the API's JSON), ``unit`` and ``description``, where there are
    such. Raises ``NoPyarrow``, or OSError when the file cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise NoPyarrow from error
        self._arrow: Any = pyarrow
        self._columns = columns
        self._schema = pyarrow.schema([self._field(column) for column in columns])
        self._waiting: list[Any] = []
        self.rows = 0
        self._rows_waiting = 0
        self._writer = pyarrow.parquet.ParquetWriter(path, self._schema, compression="zstd")

    def add(self, items: Sequence[Any]) -> None:
        arrays = [self._array(column, items) for column in self._columns]
        self._waiting.append(self._arrow.RecordBatch.from_arrays(arrays, schema=self._schema))
        self.rows += len(items)
        self._rows_waiting += len(items)
        if self._rows_waiting >= ROWS_PER_GROUP:
            self._write()

    def __enter__(self) -> ParquetFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._waiting:
            self._write()
        self._writer.close()

    def _write(self) -> None:
        self._writer.write_table(
            self._arrow.Table.from_batches(self._waiting, self._schema), row_group_size=self._rows_waiting
        )
        self._waiting, self._rows_waiting = [], 0
        # What a row group needed goes back to the system: the next one would take it from there anyway.
        self._arrow.default_memory_pool().release_unused()

    def _array(self, column: Column, items: Sequence[Any]) -> Any:
        values = self._arrow.array(
            column.values(items), self._type("integer" if column.type == "time" else column.type)
        )
        return values.cast(self._type("time")) if column.type == "time" else values

    def _field(self, column: Column) -> Any:
        said = {"path": column.path, "unit": column.unit, "description": column.says}
        return self._arrow.field(
            column.name, self._type(column.type), metadata={name: text for name, text in said.items() if text}
        )

    def _type(self, name: Type) -> Any:
        arrow = self._arrow
        types = {
            "text": arrow.string,
            "number": arrow.float64,
            "integer": arrow.int64,
            "boolean": arrow.bool_,
            "time": lambda: arrow.timestamp("us", tz="UTC"),
            "texts": lambda: arrow.list_(arrow.string()),
        }
        return types[name]()
