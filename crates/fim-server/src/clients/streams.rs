//! Records that programs send directly, as rows of the tables that take them; pure.
//!
//! A stream is a table with the prefix that published streams have. Its schema is the table's: a field that the table
//! does not have and a value of another type are refused with the record's place, since what is dropped in silence is
//! missed by nobody until it is needed.

use std::fmt;

use arrow::array::RecordBatch;
use fim_core::Timestamp;
use fim_store::schema::{self, Column, ColumnType, Table};
use fim_store::{BuildError, TableBuilder, Value};
use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::api::model::{Change, ChangeActor, ChangeCategory, ChangeType, OtherActor};
use crate::clock::Moment;
use crate::ingest::columns::OLDEST_NANOS;
use crate::ingest::rows::{CHANGES, EVENTS, INVENTORY};
use crate::ingest::who::tell_why_unknown;
use crate::nearest::nearest;
use crate::report::changes::file_kind;

/// A record as it was sent.
type Record = Map<String, Json>;

/// A table that takes records from programs.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    table: &'static Table,
}

/// Records that were read.
#[derive(Debug)]
pub struct Records {
    /// The table.
    pub table: &'static str,
    /// Its rows.
    pub rows: RecordBatch,
    /// What whoever watches changes is shown of them.
    pub changes: Vec<Change>,
}

/// Where and when records were received.
pub struct Receipt<'a> {
    /// The workspace.
    pub workspace: Uuid,
    /// When.
    pub at: Timestamp,
    /// Makes a change's id.
    pub new_id: &'a mut dyn FnMut() -> String,
}

/// No table takes records under that name.
#[derive(Debug, thiserror::Error)]
#[error("there is no stream \"{name}\" here; the streams are {}", stream_names().join(", "))]
pub struct UnknownStream {
    /// The name.
    pub name: String,
}

/// Why records were refused; none of them was stored.
#[derive(Debug, thiserror::Error)]
pub enum ReadRecordsError {
    /// The body is no array of objects.
    #[error("the body is not a JSON array of records")]
    NotRecords(#[source] serde_json::Error),
    /// A record is not one of the stream's.
    #[error("record {number}: {fault}")]
    Record {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        fault: Fault,
    },
    /// More than are taken at a time.
    #[error("there are more than {MOST_RECORDS} records; send fewer at a time")]
    TooMany,
    /// The rows cannot be made.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// What is wrong with a record.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A field that the table does not have.
    #[error("{table} has no column \"{field}\"{hint}")]
    UnknownField {
        /// The table.
        table: &'static str,
        /// The field.
        field: String,
        /// What was probably meant.
        hint: String,
    },
    /// A value of another type.
    #[error("{column} is {expected}, and {found} is not")]
    WrongType {
        /// The column.
        column: &'static str,
        /// Its type.
        expected: ColumnType,
        /// The value, or its beginning.
        found: String,
    },
    /// No list of processes.
    #[error("{column} is a list of processes, each with its processId: {error}")]
    Processes {
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// Without it nobody knows what the record is about.
    #[error("{column} is missing")]
    Missing {
        /// The column.
        column: &'static str,
    },
    /// Not one of the values that there are.
    #[error("{column} is \"{found}\"; it is one of {known}")]
    UnknownWord {
        /// The column.
        column: &'static str,
        /// The value.
        found: String,
        /// Those that there are.
        known: &'static str,
    },
    /// Records are kept by the day of their time, and older days are closed.
    #[error(
        "TimeGenerated is {found}, which is {side}; records are taken of the last 30 days. Without it a record has the \
         time at which it arrives"
    )]
    Time {
        /// The time.
        found: Moment,
        /// On which side of the days that are open.
        side: &'static str,
    },
    /// The row cannot be made.
    #[error(transparent)]
    Build(#[from] BuildError),
}

impl Stream {
    /// The stream of that name.
    pub fn named(name: &str) -> Result<Self, UnknownStream> {
        let table = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix));
        let table = table.filter(|table| TABLES.contains(table)).and_then(schema::table);
        table.map(|table| Self { table }).ok_or_else(|| UnknownStream { name: name.to_owned() })
    }

    /// Reads a JSON array of records, one after the other: no more than one is in memory besides the rows.
    pub fn read(self, body: &[u8], receipt: Receipt<'_>) -> Result<Records, ReadRecordsError> {
        let mut reading = Reading {
            table: self.table,
            builder: TableBuilder::new(self.table.name, receipt.workspace)?,
            receipt,
            changes: Vec::new(),
            read: 0,
            failure: None,
        };
        let mut json = serde_json::Deserializer::from_slice(body);
        let outcome = reading.deserialize(&mut json).and_then(|()| json.end());
        if let Some(failure) = reading.failure {
            return Err(failure);
        }
        outcome.map_err(ReadRecordsError::NotRecords)?;
        Ok(Records { table: self.table.name, rows: reading.builder.finish()?, changes: reading.changes })
    }
}

/// The reading of one body.
struct Reading<'a> {
    table: &'static Table,
    builder: TableBuilder,
    receipt: Receipt<'a>,
    changes: Vec<Change>,
    read: usize,
    /// Why the reading was ended, where that is not the JSON.
    failure: Option<ReadRecordsError>,
}

impl<'de> DeserializeSeed<'de> for &mut Reading<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Reading<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<(), A::Error> {
        while let Some(record) = records.next_element::<Record>()? {
            self.read += 1;
            let taken = if self.read > MOST_RECORDS {
                Err(ReadRecordsError::TooMany)
            } else {
                let number = self.read;
                self.take(&record).map_err(|fault| ReadRecordsError::Record { number, fault })
            };
            if let Err(failure) = taken {
                self.failure = Some(failure);
                return Err(A::Error::custom("a record is refused"));
            }
        }
        Ok(())
    }
}

impl Reading<'_> {
    fn take(&mut self, record: &Record) -> Result<(), Fault> {
        let received = self.receipt.at;
        let time = row_time(record, received)?;
        check_words(self.table, record)?;
        let mut row = self.builder.row();
        for (name, json) in record {
            if OURS.contains(&name.as_str()) {
                continue;
            }
            let column = column(self.table, name)?;
            row.set(column.name, value(column, json)?)?;
        }
        row.set(schema::TIME_GENERATED, time)?;
        if self.table.name == CHANGES {
            let id = (self.receipt.new_id)();
            row.set("ChangeId", &id)?;
            row.set("ChangeSource", SOURCE)?;
            row.set("_TimeReceived", received)?;
            self.changes.extend(live_change(record, id, time));
        }
        row.push()?;
        Ok(())
    }
}

/// The time of the record's row. A clock that is a little ahead does not write into the future.
fn row_time(record: &Record, received: Timestamp) -> Result<Timestamp, Fault> {
    let Some(time) = moment(record, schema::TIME_GENERATED)? else { return Ok(received) };
    if time.nanos_since(received) > FUTURE_NANOS {
        return Err(Fault::Time { found: Moment(time), side: "in the future" });
    }
    if received.nanos_since(time) > OLDEST_NANOS {
        return Err(Fault::Time { found: Moment(time), side: "too long ago" });
    }
    Ok(time.min(received))
}

/// What every record must say, in the words that there are.
fn check_words(table: &Table, record: &Record) -> Result<(), Fault> {
    if text(record, "Computer").is_empty() {
        return Err(Fault::Missing { column: "Computer" });
    }
    if table.name != CHANGES {
        return Ok(());
    }
    for (column, known, is_known) in [
        ("ConfigChangeType", CHANGE_TYPES, text(record, "ConfigChangeType").parse::<ChangeType>().is_ok()),
        ("ChangeCategory", CATEGORIES, text(record, "ChangeCategory").parse::<ChangeCategory>().is_ok()),
    ] {
        if !is_known {
            return Err(Fault::UnknownWord { column, found: text(record, column).to_owned(), known });
        }
    }
    // Every process has a number, none a negative one, and there are no fewer than none: lists of changes rely on it.
    for column in ["InitiatingProcessId", "MoreInitiatingProcesses"] {
        if let Some(number) = record.get(column).and_then(whole).filter(|number| *number < 0) {
            return Err(Fault::WrongType { column, expected: ColumnType::Long, found: number.to_string() });
        }
    }
    others(record).map(drop)
}

/// The other processes that had a part in a change.
fn others(record: &Record) -> Result<Vec<OtherActor>, Fault> {
    let column = "OtherInitiatingProcesses";
    let read = match record.get(column) {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::String(text)) => serde_json::from_str(text),
        Some(json) => Vec::deserialize(json),
    };
    read.map_err(|error| Fault::Processes { column, error })
}

fn column(table: &'static Table, name: &str) -> Result<&'static Column, Fault> {
    if let Some(index) = table.column_index(name) {
        return Ok(&table.columns[index]);
    }
    let known = table.columns.iter().map(|column| column.name).filter(|known| !OURS.contains(known));
    let hint = nearest(name, known).map_or_else(String::new, |known| format!("; did you mean \"{known}\"?"));
    Err(Fault::UnknownField { table: table.name, field: name.chars().take(100).collect(), hint })
}

/// The value as the column has it. Numbers and truths may come as text, as some exporters write them.
fn value<'j>(column: &Column, json: &'j Json) -> Result<Value<'j>, Fault> {
    let wrong = || Fault::WrongType { column: column.name, expected: column.column_type, found: shown(json) };
    if json.is_null() {
        return Ok(Value::Null);
    }
    let value = match column.column_type {
        ColumnType::String => Some(match json {
            Json::String(text) => Value::Text(text),
            other => Value::Owned(other.to_string()),
        }),
        // Answers of published interfaces have lists and bags as texts, and so does what was exported from them.
        ColumnType::Dynamic => Some(match json {
            Json::String(text) if is_structure(text) => Value::Text(text),
            other => Value::Owned(other.to_string()),
        }),
        ColumnType::DateTime => json.as_str().and_then(parse_moment).map(Value::Time),
        ColumnType::Long => whole(json).map(Value::Number),
        ColumnType::Int => whole(json).filter(|number| i32::try_from(*number).is_ok()).map(Value::Number),
        ColumnType::Real => match json {
            Json::String(text) => text.trim().parse().ok().map(Value::Real),
            other => other.as_f64().map(Value::Real),
        },
        ColumnType::Bool => match json {
            Json::Bool(truth) => Some(Value::Bool(*truth)),
            Json::String(text) => text.trim().to_ascii_lowercase().parse().ok().map(Value::Bool),
            _ => None,
        },
        ColumnType::Guid => {
            json.as_str().and_then(|text| Uuid::try_parse(text).ok()).map(|id| Value::Owned(id.to_string()))
        }
        ColumnType::TimeSpan => None,
    };
    value.ok_or_else(wrong)
}

fn moment(record: &Record, column: &'static str) -> Result<Option<Timestamp>, Fault> {
    match record.get(column) {
        None | Some(Json::Null) => Ok(None),
        Some(json) => {
            let wrong = || Fault::WrongType { column, expected: ColumnType::DateTime, found: shown(json) };
            json.as_str().and_then(parse_moment).map(Some).ok_or_else(wrong)
        }
    }
}

/// A whole number, which may come as text.
fn whole(json: &Json) -> Option<i64> {
    match json {
        Json::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    }
}

/// True if the text is a list or a bag in JSON.
fn is_structure(text: &str) -> bool {
    matches!(serde_json::from_str(text), Ok(Json::Array(_) | Json::Object(_)))
}

/// Reads a moment; without a zone it is UTC.
fn parse_moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    Moment::parse(text).or_else(|| Moment::parse(&format!("{text}Z"))).map(|moment| moment.0)
}

fn text<'r>(record: &'r Record, column: &str) -> &'r str {
    record.get(column).and_then(Json::as_str).unwrap_or_default()
}

/// The value as a message shows it.
fn shown(json: &Json) -> String {
    json.to_string().chars().take(60).collect()
}

/// The change as whoever watches is shown it, and as lists show it later.
fn live_change(record: &Record, id: String, time: Timestamp) -> Option<Change> {
    let some = |column| Some(text(record, column).to_owned()).filter(|text| !text.is_empty());
    let entity = ["FileSystemPath", "SvcName", "SoftwareName"].into_iter().find_map(some);
    let fields = text(record, "FieldsChanged").split(", ").filter(|field| !field.is_empty());
    let moved_from = some("PreviousFileSystemPath").filter(|from| Some(from) != entity.as_ref());
    let change_type = text(record, "ConfigChangeType").parse().ok()?;
    Some(tell_why_unknown(Change {
        id,
        // As the tables keep it, in microseconds.
        time: Moment(Timestamp(time.0.div_euclid(1000).saturating_mul(1000))),
        event_time: moment(record, "EventTime").ok()?.map(Moment),
        machine: text(record, "Computer").to_owned(),
        change_type,
        category: text(record, "ChangeCategory").parse().ok()?,
        entity: entity.unwrap_or_default(),
        kind: file_kind(change_type, text(record, "Attributes"), text(record, "PreviousAttributes")),
        moved_from,
        fields: fields.map(str::to_owned).collect(),
        rule: text(record, "RuleName").to_owned(),
        source: SOURCE.to_owned(),
        who: some("InitiatingProcessAccountName"),
        actor: actor(record),
        others: others(record).ok()?,
        more_others: record.get("MoreInitiatingProcesses").and_then(whole).unwrap_or(0).try_into().ok()?,
        who_unknown: None,
        explanation: some("Explanation"),
        version_before: some("Previous"),
        version_after: some("Current"),
    }))
}

/// The process that a change is put down to; every process has an id.
fn actor(record: &Record) -> Option<ChangeActor> {
    let process_id = record.get("InitiatingProcessId").and_then(whole)?.try_into().ok()?;
    let some = |column| Some(text(record, column).to_owned()).filter(|text| !text.is_empty());
    Some(ChangeActor {
        executable: some("InitiatingProcessName"),
        process_id,
        command_line: some("InitiatingProcessCommandLine"),
        user: some("InitiatingProcessAccountName"),
        login_user: some("LoginAccountName"),
        parents: some("InitiatingProcessParentName"),
        container: some("ContainerId"),
    })
}

fn stream_names() -> Vec<String> {
    PREFIXES.iter().flat_map(|prefix| TABLES.iter().map(move |table| format!("{prefix}{table}"))).collect()
}

/// The tables that take records. What only the server notices is not among them: gaps, heartbeats, usage, its own log.
const TABLES: [&str; 3] = [CHANGES, INVENTORY, EVENTS];
/// What the names of published streams begin with: of tables that come with the service, and of a user's own.
const PREFIXES: [&str; 2] = ["Microsoft-", "Custom-"];
/// Columns that are the server's to fill. A record that was exported has them, so they are passed over.
const OURS: [&str; 7] =
    ["TenantId", "Type", "_IsBillable", "_BilledSize", "_TimeReceived", "ChangeId", "ChangeSource"];
/// What `ChangeSource` says of records that no agent of ours saw.
const SOURCE: &str = "Ingestion";
const CHANGE_TYPES: &str = "Files, Registry, WindowsServices, Daemons, Software";
const CATEGORIES: &str = "Added, Modified, Removed";
/// A row of many columns takes memory even where nothing is in it.
const MOST_RECORDS: usize = 20_000;
/// How far a clock may be ahead: five minutes.
const FUTURE_NANOS: i64 = 300 * 1_000_000_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000_000);

    fn read(stream: &str, body: &str) -> Result<Records, String> {
        let stream = Stream::named(stream).map_err(|error| error.to_string())?;
        let mut number = 0;
        let mut new_id = || {
            number += 1;
            format!("id{number}")
        };
        let receipt = Receipt { workspace: Uuid::from_u128(1), at: NOW, new_id: &mut new_id };
        stream.read(body.as_bytes(), receipt).map_err(|error| fim_core::error_chain(&error))
    }

    fn change(more: Json) -> String {
        let mut record = json!({
            "Computer": "web01", "ConfigChangeType": "Files", "ChangeCategory": "Added", "FileSystemPath": "/etc/a",
        });
        if let (Json::Object(record), Json::Object(more)) = (&mut record, more) {
            record.extend(more);
        }
        json!([record]).to_string()
    }

    fn cell(records: &Records, column: &str) -> String {
        let array = records.rows.column_by_name(column).unwrap();
        arrow::util::display::array_value_to_string(array, 0).unwrap()
    }

    #[test]
    fn a_record_becomes_a_row_and_the_server_s_columns_are_its_own() {
        let body = change(json!({
            "Size": "12", "TenantId": "x", "ChangeId": "theirs", "ChangeSource": "RealTime", "_BilledSize": 1e9,
            "TimeGenerated": "2027-01-15T07:00:00.0000000Z", "FieldsChanged": "Size, Acls",
        }));
        let records = read("Custom-ConfigurationChange", &body).unwrap();
        assert_eq!(records.rows.num_rows(), 1);
        for (column, expected) in [
            ("Size", "12"),
            ("ChangeId", "id1"),
            ("ChangeSource", "Ingestion"),
            ("TenantId", "00000000-0000-0000-0000-000000000001"),
            ("TimeGenerated", "2027-01-15T07:00:00Z"),
            ("_TimeReceived", "2027-01-15T08:00:00Z"),
        ] {
            assert_eq!(cell(&records, column), expected, "{column}");
        }
        let live = &records.changes[0];
        assert_eq!(
            (live.entity.as_str(), live.fields.as_slice()),
            ("/etc/a", &["Size", "Acls"].map(str::to_owned)[..])
        );
    }

    #[test]
    fn who_made_a_change_is_told_live_as_the_tables_keep_it() {
        let others = json!([{ "executable": "/bin/dd", "processId": 6, "hasOwnView": true }]);
        for list in [others.clone(), json!(others.to_string())] {
            let records = read(
                "Custom-ConfigurationChange",
                &change(json!({
                    "InitiatingProcessId": 7, "InitiatingProcessName": "/bin/vi", "OtherInitiatingProcesses": list,
                    "MoreInitiatingProcesses": 2,
                })),
            )
            .unwrap();
            let kept: Json = serde_json::from_str(&cell(&records, "OtherInitiatingProcesses")).unwrap();
            assert_eq!(kept, others);
            let live = json!(records.changes[0]);
            assert_eq!((&live["others"], &live["moreOthers"]), (&others, &json!(2)));
            assert_eq!(live["actor"], json!({ "executable": "/bin/vi", "processId": 7 }));
        }
    }

    #[test]
    fn a_record_without_a_time_has_that_of_its_arrival_and_none_is_in_the_future() {
        let records = read("Microsoft-ConfigurationChange", &change(json!({}))).unwrap();
        assert_eq!(cell(&records, "TimeGenerated"), "2027-01-15T08:00:00Z");
        let ahead = change(json!({ "TimeGenerated": "2027-01-15T08:04:00" }));
        let records = read("Microsoft-ConfigurationChange", &ahead).unwrap();
        assert_eq!(cell(&records, "TimeGenerated"), "2027-01-15T08:00:00Z");
    }

    #[test]
    fn what_is_not_one_of_the_stream_s_records_is_refused_with_its_place() {
        for (body, said) in [
            ("{}".to_owned(), "not a JSON array of records"),
            ("[1]".to_owned(), "not a JSON array of records"),
            ("[] x".to_owned(), "not a JSON array of records"),
            ("[".to_owned(), "not a JSON array of records"),
            (change(json!({ "Computer": "" })), "record 1: Computer is missing"),
            (change(json!({ "FileSystemPat": "/x" })), "did you mean \"FileSystemPath\"?"),
            (change(json!({ "Size": "many" })), "record 1: Size is long, and \"many\" is not"),
            (change(json!({ "Size": 1.5 })), "Size is long, and 1.5 is not"),
            (change(json!({ "InitiatingProcessId": -1 })), "InitiatingProcessId is long, and -1 is not"),
            (change(json!({ "InitiatingProcessId": "-1" })), "InitiatingProcessId is long, and -1 is not"),
            (change(json!({ "MoreInitiatingProcesses": -1 })), "MoreInitiatingProcesses is long"),
            (change(json!({ "OtherInitiatingProcesses": 7 })), "is a list of processes"),
            (change(json!({ "OtherInitiatingProcesses": "vim" })), "is a list of processes"),
            (
                change(json!({ "OtherInitiatingProcesses": [{ "user": "root" }] })),
                "missing field `processId`",
            ),
            (change(json!({ "ChangeCategory": "Moved" })), "it is one of Added, Modified, Removed"),
            (change(json!({ "TimeGenerated": "yesterday" })), "TimeGenerated is datetime"),
            (change(json!({ "TimeGenerated": "2027-01-15T08:06:00Z" })), "in the future"),
            (change(json!({ "TimeGenerated": "2026-12-15T07:00:00Z" })), "too long ago"),
        ] {
            let error = read("Custom-ConfigurationChange", &body).unwrap_err();
            assert!(error.contains(said), "{body}: {error}");
        }
        let many = format!("[{}]", vec![r#"{"Computer":"x"}"#; MOST_RECORDS + 1].join(","));
        assert!(read("Custom-ConfigurationData", &many).unwrap_err().contains("more than 20000"));
    }

    #[test]
    fn only_what_a_machine_can_tell_has_a_stream() {
        for stream in
            ["Coverage", "Custom-Coverage", "Microsoft-Heartbeat", "Custom-LAQueryLogs", "Custom-", ""]
        {
            let error = read(stream, "[]").unwrap_err();
            assert!(error.contains("Custom-ConfigurationChange"), "{stream}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_the_reader_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = read("Custom-ConfigurationChange", &String::from_utf8_lossy(&body));
        }

        #[test]
        fn no_value_makes_the_reader_panic(name in "(Size|EventTime|Computer|TimeGenerated|ValueData|InitiatingProcessId|(Other|More)InitiatingProcesses|[A-Za-z]{1,9})", text in ".{0,30}", number in proptest::num::f64::ANY) {
            for json in [json!(text), json!(number), json!([text]), json!({ "a": number }), json!(null)] {
                let _ = read("Custom-ConfigurationChange", &change(json!({ name.clone(): json })));
            }
        }
    }
}
