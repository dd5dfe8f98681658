"""Answers with DuckDB what the example `queries` has answered, over the same files, and prints one JSON object.

usage: with_duckdb.py QUERIES.json    (what the example has printed)
"""

import json
import sys
import time

import duckdb

MEASURED_SECONDS = 0.5
MOST_REPEATS = 200

with open(sys.argv[1]) as file:
    ours = json.load(file)

connection = duckdb.connect()
connection.execute("SET threads = 2; SET TimeZone = 'UTC'")
# Both sides hold the files' footers between queries.
connection.execute("SET parquet_metadata_cache = true")
connection.execute(
    f"CREATE VIEW t AS SELECT * FROM read_parquet({ours['files']!r}, union_by_name = true, hive_partitioning = false)"
)
now = f"make_timestamptz({ours['newestMicroseconds']})"


def since(days):
    return f"TimeGenerated > {now} - INTERVAL {days} DAY"


QUERIES = {
    "rows": "SELECT count(*) FROM t",
    "files and registry of 14 days by machine": f"""SELECT Computer, ConfigChangeType, count(*) FROM t
        WHERE {since(14)} AND ConfigChangeType IN ('Registry', 'Files') GROUP BY ALL""",
    "rows by machine": "SELECT Computer, count(*) FROM t GROUP BY ALL",
    "registry of 14 days in order": f"""SELECT TimeGenerated, Computer, RegistryKey, ValueName, ValueType, ValueData,
        PreviousValueData, ChangeCategory FROM t WHERE {since(14)} AND ConfigChangeType = 'Registry'
        ORDER BY Computer, RegistryKey LIMIT 30000""",
    "one day by type and category": f"""SELECT ConfigChangeType, ChangeCategory, count(*) FROM t
        WHERE {since(1)} GROUP BY ALL""",
    "machines by type, approximately": "SELECT ConfigChangeType, approx_count_distinct(Computer) FROM t GROUP BY ALL",
    "machines by type, exactly": "SELECT ConfigChangeType, count(DISTINCT Computer) FROM t GROUP BY ALL",
    "ten busiest machines": "SELECT Computer, count(*) AS n FROM t GROUP BY ALL ORDER BY n DESC LIMIT 10",
    "part of a path": "SELECT count(*) FROM t WHERE FileSystemPath ILIKE '%APP1%'",
    "days by type": "SELECT date_trunc('day', TimeGenerated), ConfigChangeType, count(*) FROM t GROUP BY ALL",
    "one machine, all columns": f"""SELECT * FROM t WHERE Computer = '{ours["machine"]}'
        ORDER BY TimeGenerated DESC LIMIT 100""",
    "one digest": f"SELECT Computer, FileSystemPath FROM t WHERE FileContentChecksum = '{ours['digest']}'",
    "last change of each machine": """SELECT Computer, max(TimeGenerated), arg_max(FileSystemPath, TimeGenerated),
        arg_max(ChangeCategory, TimeGenerated) FROM t GROUP BY ALL""",
}


def run(name):
    # Into a table in memory, so that no result is made into objects of Python, which is none of DuckDB's work.
    connection.execute(f"CREATE OR REPLACE TEMP TABLE result AS {QUERIES[name]}")


def measure(name):
    run(name)
    [rows] = connection.execute("SELECT count(*) FROM result").fetchone()
    cpu, started, repeats = time.process_time(), time.monotonic(), 0
    while repeats < MOST_REPEATS and (repeats < 3 or time.process_time() - cpu < MEASURED_SECONDS):
        run(name)
        repeats += 1
    return {
        "name": name,
        "rows": rows,
        "cpuMillis": (time.process_time() - cpu) * 1e3 / repeats,
        "wallMillis": (time.monotonic() - started) * 1e3 / repeats,
    }


print(json.dumps({"version": duckdb.__version__, "queries": [measure(query["name"]) for query in ours["queries"]]}))
