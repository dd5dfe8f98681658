"""Drives the published clients against a server and prints, a line of JSON each, what they got.

usage: drive.py SERVER RULE READER-ID READER-SECRET SENDER-ID SENDER-SECRET
with REQUESTS_CA_BUNDLE in the environment
"""

import json
import sys
from datetime import datetime, timedelta, timezone

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import ClientSecretCredential
from azure.kusto.data import ClientRequestProperties, KustoClient, KustoConnectionStringBuilder
from azure.kusto.data.exceptions import KustoApiError
from azure.monitor.ingestion import LogsIngestionClient
from azure.monitor.query import LogsBatchQuery, LogsQueryClient

server, rule, reader_id, reader_secret, sender_id, sender_secret = sys.argv[1:]
STREAM = "Custom-ConfigurationChange"


def say(step, **got):
    print(json.dumps({"step": step, **got}, default=str))


def credential(client_id, secret):
    return ClientSecretCredential(
        "any", client_id, secret, authority=server, disable_instance_discovery=True
    )


class LosesAnswers(RequestsTransport):
    """Lets each call through and loses its first answer, as a proxy that restarts does."""

    def __init__(self):
        super().__init__()
        self.ids = []
        self.statuses = []

    def send(self, request, **options):
        response = super().send(request, **options)
        name = request.headers["x-ms-client-request-id"]
        self.statuses.append(response.status_code)
        if name not in self.ids:
            response._status_code = 503
        self.ids.append(name)
        return response


def change(number, **more):
    return {
        "Computer": f"db{number % 7}",
        "ConfigChangeType": "Files",
        "ChangeCategory": "Modified",
        "FileSystemPath": f"/srv/data/{number:06}",
        "Size": number,
        "TimeGenerated": datetime.now(timezone.utc).isoformat(),
        "Acls": "u" * 600,
        **more,
    }


# Delivery: in several calls of a mebibyte each, by a client that only may deliver.
sender = credential(sender_id, sender_secret)
delivery = LogsIngestionClient(server, sender)
delivery.upload(rule, STREAM, [change(number) for number in range(3000)])
say("delivered")

# A call whose answer is lost is made again, and its records are there once.
transport = LosesAnswers()
LogsIngestionClient(server, sender, transport=transport, retry_backoff_factor=0.01).upload(
    rule, STREAM, [change(number, Computer="retried") for number in range(10)]
)
say("retried", calls=len(transport.ids), ids=len(set(transport.ids)), statuses=transport.statuses)

# What is refused is told with its place, and the other calls are made.
refused = []
records = [change(1, Computer="partly")] * 2000 + [change(1, Computer="partly", Wrong=1)]
delivery.upload(rule, STREAM, records, on_error=refused.append)
say("refused", errors=[str(error.error.message) for error in refused], records=[len(error.failed_logs) for error in refused])

try:
    LogsIngestionClient(server, credential(reader_id, reader_secret)).upload(rule, STREAM, [change(1)])
except HttpResponseError as error:
    say("may not deliver", status=error.status_code, message=error.message)

# Queries.
reader = credential(reader_id, reader_secret)
logs = LogsQueryClient(reader, endpoint=f"{server}/v1")
answer = logs.query_workspace(
    "default",
    "ConfigurationChange | where FileSystemPath startswith '/srv/data/' and Computer startswith 'db' "
    "| summarize Changes=count(), Largest=max(Size), Last=max(TimeGenerated), Bag=dynamic({'a':1}) | render barchart",
    timespan=timedelta(hours=1),
    include_statistics=True,
    include_visualization=True,
    server_timeout=60,
)
[row] = answer.tables[0].rows
say(
    "asked",
    status=answer.status,
    changes=row["Changes"],
    largest=row[1],
    is_moment=isinstance(row["Last"], datetime),
    bag=row["Bag"],
    types=answer.tables[0].columns_types,
    statistics=sorted(answer.statistics["query"]),
    visualization=answer.visualization["visualization"],
)

now = datetime.now(timezone.utc)
count = "ConfigurationChange | count"
spans = [timedelta(days=1), (now - timedelta(days=3), timedelta(days=1)), (now - timedelta(hours=1), now + timedelta(hours=1)), None]
say("spans", counts=[logs.query_workspace("default", count, timespan=span).tables[0].rows[0][0] for span in spans])

try:
    logs.query_workspace("default", "ConfigurationChange | where Komputer == 'x'", timespan=None)
except HttpResponseError as error:
    say("mistaken", status=error.status_code, message=error.message, code=error.error.code)

answer = logs.query_workspace("default", "range x from 1 to 500001 step 1", timespan=None)
say("cut", status=answer.status, rows=len(answer.partial_data[0].rows), message=answer.partial_error.details[0]["message"])

[resource] = logs.query_workspace("default", "LAQueryLogs | distinct _ResourceId", timespan=None).tables[0].rows[0]
say(
    "several",
    of_resource=logs.query_resource(resource, count, timespan=None).tables[0].rows[0][0],
    beside=logs.query_workspace("default", count, timespan=None, additional_workspaces=["DEFAULT"]).tables[0].rows[0][0],
    named=logs.query_workspace("default", f"workspace('default').{count}", timespan=None).tables[0].rows[0][0],
)

answers = logs.query_batch(
    [
        LogsBatchQuery("default", count, timespan=timedelta(days=1)),
        LogsBatchQuery("default", "ConfigurationChange | wher", timespan=None),
        LogsBatchQuery("nowhere", count, timespan=None),
        LogsBatchQuery("default", "print 1", timespan=None, include_visualization=True),
    ]
)
say("batch", statuses=[answer.status for answer in answers], codes=[getattr(answer, "code", None) for answer in answers])

try:
    LogsQueryClient(sender, endpoint=f"{server}/v1").query_workspace("default", count, timespan=None)
except HttpResponseError as error:
    say("may not ask", status=error.status_code)

try:
    credential(reader_id, "stf_wrong").get_token(f"{server}/.default")
except ClientAuthenticationError as error:
    say("unknown", message=error.message)

# The same by the clients of Kusto clusters.
cluster = KustoClient(KustoConnectionStringBuilder.with_azure_token_credential(server, reader))
properties = ClientRequestProperties()
properties.set_option(ClientRequestProperties.request_timeout_option_name, timedelta(minutes=1))
answer = cluster.execute(
    "default",
    "ConfigurationChange | where Computer == 'retried' | summarize Changes=count(), Last=max(TimeGenerated), "
    "Span=1d + 1s, Bag=dynamic({'a':[1]}), Id=guid(01234567-89ab-cdef-0123-456789abcdef)",
    properties,
)
[row] = answer.primary_results[0]
say(
    "cluster",
    errors=answer.errors_count,
    changes=row["Changes"],
    is_moment=isinstance(row["Last"], datetime),
    seconds=row["Span"].total_seconds(),
    bag=row["Bag"],
    id=row["Id"],
)
streamed = cluster.execute_streaming_query("default", "range x from 1 to 1000 step 1")
say("streamed", total=sum(row["x"] for table in streamed.iter_primary_results() for row in table))
say("tables", tables=[row["TableName"] for row in cluster.execute_mgmt("default", ".show tables").primary_results[0]])
try:
    cluster.execute("default", "ConfigurationChange | where Komputer == 1")
except KustoApiError as error:
    say("cluster mistaken", is_semantic=error.is_semantic_error(), is_permanent=error.error.permanent)
