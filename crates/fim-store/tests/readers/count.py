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


def say(reader, rows, machines, size, last, columns):
    figures = {"rows": rows, "machines": machines, "size": size, "last": last}
    print(json.dumps({"reader": reader, **figures, "columns": columns}))


rows = deltalake.QueryBuilder().register("t", log).execute(
    'select count(*) as rows, count(distinct "Computer") as machines, sum("Size") as size, max("ChangeId") as last from t'
).read_all()
figures = [rows.column(name)[0].as_py() for name in ("rows", "machines", "size", "last")]
say("deltalake", *figures, [field.name for field in log.schema().fields])

frame = polars.scan_delta(table)
columns = (polars.len().alias("rows"), polars.col("Computer").n_unique(), polars.col("Size").sum(), polars.col("ChangeId").max())
row = frame.select(*columns).collect()
say("polars", *row.row(0), frame.collect_schema().names())

files = duckdb.read_parquet(log.file_uris(), union_by_name=True, hive_partitioning=True)
[row] = files.aggregate('count(*), count(distinct "Computer"), sum("Size")::bigint, max("ChangeId")').fetchall()
say("duckdb", *row, files.columns)
