"""Opens a table with three readers that are not ours and prints, a line of JSON each, what they see of it.

usage: count.py TABLE-DIRECTORY
"""

import json
import sys

import deltalake
import duckdb
import polars

table = sys.argv[1]
log = deltalake.DeltaTable(table)


def say(reader, rows, machines, size, columns):
    print(json.dumps({"reader": reader, "rows": rows, "machines": machines, "size": size, "columns": columns}))


rows = deltalake.QueryBuilder().register("t", log).execute(
    'select count(*) as rows, count(distinct "Computer") as machines, sum("Size") as size from t'
).read_all()
rows, machines, size = (rows.column(name)[0].as_py() for name in ("rows", "machines", "size"))
say("deltalake", rows, machines, size, [field.name for field in log.schema().fields])

frame = polars.scan_delta(table)
row = frame.select(polars.len().alias("rows"), polars.col("Computer").n_unique(), polars.col("Size").sum()).collect()
say("polars", *row.row(0), frame.collect_schema().names())

files = duckdb.read_parquet(log.file_uris(), union_by_name=True, hive_partitioning=True)
[row] = files.aggregate('count(*), count(distinct "Computer"), sum("Size")::bigint').fetchall()
say("duckdb", *row, files.columns)
