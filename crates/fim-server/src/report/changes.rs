//! Lists of changes, page by page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fim_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::figures::within;
use super::literal;
use super::table::{ReportError, Row, Table};
use super::timespan::Range;
use crate::api::model::{Change, ChangeActor, ChangeCategory, ChangeType, FileKind};
use crate::ingest::columns::OLDEST_NANOS;
use crate::ingest::who::tell_why_unknown;

/// Which changes, in which order.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// The period.
    pub range: Range,
    /// What path, machine or rule must contain.
    pub search: Option<String>,
    /// The kind of entity.
    pub change_type: Option<ChangeType>,
    /// What happened to it.
    pub category: Option<ChangeCategory>,
    /// The machine's name or id.
    pub machine: Option<String>,
    /// The order.
    pub sort: Sort,
}

/// The orders there are; changes that are alike in it come with the newest first.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, utoipa::ToSchema)]
pub enum Sort {
    /// The newest first.
    #[default]
    #[serde(rename = "-time")]
    NewestFirst,
    /// The oldest first.
    #[serde(rename = "time")]
    OldestFirst,
    /// By machine.
    #[serde(rename = "machine")]
    Machine,
    /// By machine, from the end of the alphabet.
    #[serde(rename = "-machine")]
    MachineDown,
    /// By path or key.
    #[serde(rename = "entity")]
    Entity,
    /// By path or key, from the end of the alphabet.
    #[serde(rename = "-entity")]
    EntityDown,
    /// By type.
    #[serde(rename = "type")]
    Type,
    /// By type, from the end of the alphabet.
    #[serde(rename = "-type")]
    TypeDown,
    /// By category.
    #[serde(rename = "category")]
    Category,
    /// By category, from the end of the alphabet.
    #[serde(rename = "-category")]
    CategoryDown,
}

/// Where a page ended.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cursor {
    /// When the last change of the page was noticed, for orders by time.
    #[serde(rename = "t")]
    pub time: i64,
    /// The last change.
    pub id: String,
    /// For orders by time, how many changes of that very moment were shown; for others, how many changes in all.
    #[serde(rename = "n")]
    pub shown: usize,
}

/// A place in the order in which changes were received: after that change of that moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// When.
    pub at: Timestamp,
    /// Of the changes that were received then, up to which; "" for none of them.
    pub id: String,
}

/// The cursor is not one that this server gave.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the cursor is not one that this server gave; start again without it")]
pub struct BadCursor;

/// A page's changes and what the next one starts with.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The changes.
    pub items: Vec<Change>,
    /// Where the page ended, unless it is the last.
    pub next: Option<Cursor>,
}

impl Cursor {
    /// The cursor as text for an address.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads [`Cursor::encode`]'s text.
    pub fn decode(text: &str) -> Result<Self, BadCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
        let cursor: Self = serde_json::from_slice(&bytes).map_err(|_| BadCursor)?;
        if cursor.shown > MOST_SHOWN { Err(BadCursor) } else { Ok(cursor) }
    }
}

/// The query for how many changes answer the filter; its one row has the column `Count`.
pub fn count_query(filter: &Filter) -> String {
    format!("{}| count\n", filtered(filter))
}

/// The query of [`read_page`].
///
/// In orders by time a page starts at the last one's moment, so that changes that arrive meanwhile do not shift it; of
/// that moment as many rows more are asked for as were shown. Other orders skip what was shown.
pub fn page_query(filter: &Filter, cursor: Option<&Cursor>, limit: usize) -> String {
    let mut query = filtered(filter);
    if let Some(cursor) = cursor {
        match filter.sort {
            Sort::NewestFirst => {
                query.push_str(&format!(
                    "| where TimeGenerated <= {}\n",
                    literal::moment(Timestamp(cursor.time))
                ));
            }
            Sort::OldestFirst => {
                query.push_str(&format!(
                    "| where TimeGenerated >= {}\n",
                    literal::moment(Timestamp(cursor.time))
                ));
            }
            Sort::Machine
            | Sort::MachineDown
            | Sort::Entity
            | Sort::EntityDown
            | Sort::Type
            | Sort::TypeDown
            | Sort::Category
            | Sort::CategoryDown => {}
        }
    }
    let take = limit.saturating_add(cursor.map_or(0, |cursor| cursor.shown)).saturating_add(1);
    query.push_str(&format!("{ENTITY}| order by {}\n| take {take}\n{PROJECT}", order(filter.sort)));
    query
}

/// The page of the query's rows.
pub fn read_page(
    table: &Table,
    sort: Sort,
    cursor: Option<&Cursor>,
    limit: usize,
) -> Result<Page, ReportError> {
    let by_time = matches!(sort, Sort::NewestFirst | Sort::OldestFirst);
    let all: Vec<Change> = table.rows().map(change).collect::<Result<_, _>>()?;
    let was_full = all.len() > limit + cursor.map_or(0, |cursor| cursor.shown);
    let mut items: Vec<Change> = match cursor {
        None => all,
        Some(cursor) if by_time => {
            all.into_iter().skip_while(|change| is_shown(change, cursor, sort)).collect()
        }
        Some(cursor) => all.into_iter().skip(cursor.shown).collect(),
    };
    let has_more = was_full || items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| has_more).map(|last| {
        let alike = items.iter().filter(|change| change.time == last.time).count();
        let shown = match cursor {
            // A whole page of one moment adds to what was shown of that moment before.
            Some(cursor) if by_time && cursor.time == last.time.0.0 => cursor.shown + alike,
            Some(_) | None if by_time => alike,
            Some(cursor) => cursor.shown + items.len(),
            None => items.len(),
        };
        Cursor { time: last.time.0.0, id: last.id.clone(), shown }
    });
    Ok(Page { items, next })
}

/// The query for the change of that id; its rows are read by [`read_page`] or the detail.
pub fn by_id_query(id: &str) -> String {
    format!("ConfigurationChange\n| where ChangeId == {}\n| take 1\n{ENTITY}", literal::text(id))
}

/// The query for other changes of the same entity as this change is of, the newest first.
pub fn related_query(machine_id: &str, change: &Change, most: usize) -> String {
    let column = match change.change_type {
        ChangeType::Files => "FileSystemPath",
        ChangeType::Registry => "Entity",
        ChangeType::Daemons | ChangeType::WindowsServices => "SvcName",
        ChangeType::Software => "SoftwareName",
    };
    format!(
        "ConfigurationChange\n| where SourceComputerId == {} and ChangeId != {}\n{ENTITY}| where {column} == {}\n\
         | order by TimeGenerated desc, ChangeId desc\n| take {most}\n{PROJECT}",
        literal::text(machine_id),
        literal::text(&change.id),
        literal::text(&change.entity)
    )
}

/// The query for when the change of that id was received; its row is read by [`received`].
pub fn receipt_query(id: &str) -> String {
    format!(
        "ConfigurationChange\n| where ChangeId == {}\n| take 1\n{RECEIVED}| project ChangeId, Received\n",
        literal::text(id)
    )
}

/// The query for what was received after that place, in the order in which it was received. A row that arrives late has
/// an earlier `TimeGenerated` than rows that were there before it, and is not passed over.
pub fn received_after_query(after: &Receipt, most: usize) -> String {
    let at = literal::moment(after.at);
    // No row is older than that when it is received, so that older files need not be looked at.
    let oldest = literal::moment(after.at.plus_nanos(-OLDEST_NANOS - SECOND_NANOS));
    format!(
        "ConfigurationChange\n| where TimeGenerated >= {oldest}\n{RECEIVED}\
         | where Received > {at} or (Received == {at} and strcmp(ChangeId, {id}) > 0)\n\
         | order by Received asc, ChangeId asc\n| take {most}\n{ENTITY}{project}, Received\n",
        id = literal::text(&after.id),
        project = PROJECT.trim_end(),
    )
}

/// Where the row stands in the order in which changes were received.
pub fn received(row: Row<'_>) -> Result<Receipt, ReportError> {
    Ok(Receipt { at: row.time("Received")?.0, id: row.text("ChangeId")?.to_owned() })
}

/// A change of a row.
pub fn change(row: Row<'_>) -> Result<Change, ReportError> {
    let fields = row.text("FieldsChanged")?;
    let entity = row.text("Entity")?;
    Ok(tell_why_unknown(Change {
        id: row.text("ChangeId")?.to_owned(),
        time: row.time("TimeGenerated")?,
        event_time: row.moment("EventTime")?,
        machine: row.text("Computer")?.to_owned(),
        change_type: row.word("ConfigChangeType")?,
        category: row.word("ChangeCategory")?,
        entity: entity.to_owned(),
        kind: file_kind(
            row.word("ConfigChangeType")?,
            row.text("Attributes")?,
            row.text("PreviousAttributes")?,
        ),
        // Programs of others may fill it for what was not moved, too.
        moved_from: some(row.text("PreviousFileSystemPath")?).filter(|from| from != entity),
        fields: fields.split(", ").filter(|field| !field.is_empty()).map(str::to_owned).collect(),
        rule: row.text("RuleName")?.to_owned(),
        source: row.text("ChangeSource")?.to_owned(),
        who: some(row.text("InitiatingProcessAccountName")?),
        actor: actor(row)?,
        others: row.json("OtherInitiatingProcesses")?,
        more_others: row.count("MoreInitiatingProcesses")?,
        who_unknown: None,
        explanation: some(row.text("Explanation")?),
        version_before: some(row.text("Previous")?),
        version_after: some(row.text("Current")?),
    }))
}

/// What a row of a file says that it is, or was: the first part of its attributes. Records of others may say nothing, or
/// what is not known here.
pub fn file_kind(change_type: ChangeType, now: &str, before: &str) -> Option<FileKind> {
    let attributes = if now.is_empty() { before } else { now };
    let kind = attributes.split("; ").next()?.strip_prefix("Type=")?;
    kind.parse().ok().filter(|_| change_type == ChangeType::Files)
}

/// The process that a row names; every process has an id.
fn actor(row: Row<'_>) -> Result<Option<ChangeActor>, ReportError> {
    let Some(process_id) = row.number("InitiatingProcessId")? else { return Ok(None) };
    Ok(Some(ChangeActor {
        executable: some(row.text("InitiatingProcessName")?),
        process_id,
        command_line: some(row.text("InitiatingProcessCommandLine")?),
        user: some(row.text("InitiatingProcessAccountName")?),
        login_user: some(row.text("LoginAccountName")?),
        parents: some(row.text("InitiatingProcessParentName")?),
        container: some(row.text("ContainerId")?),
    }))
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// True if the change was on an earlier page; only changes of the cursor's moment can be.
fn is_shown(change: &Change, cursor: &Cursor, sort: Sort) -> bool {
    if change.time.0.0 != cursor.time {
        return false;
    }
    match sort {
        Sort::OldestFirst => change.id <= cursor.id,
        Sort::NewestFirst
        | Sort::Machine
        | Sort::MachineDown
        | Sort::Entity
        | Sort::EntityDown
        | Sort::Type
        | Sort::TypeDown
        | Sort::Category
        | Sort::CategoryDown => change.id >= cursor.id,
    }
}

fn filtered(filter: &Filter) -> String {
    let mut query = format!("ConfigurationChange\n{}", within(filter.range));
    if let Some(search) = filter.search.as_deref().map(str::trim).filter(|search| !search.is_empty()) {
        let search = literal::text(search);
        query.push_str(&format!(
            "| where FileSystemPath contains {search} or RegistryKey contains {search} or ValueName contains {search} \
             or SvcName contains {search} or SoftwareName contains {search} \
             or Computer contains {search} or RuleName contains {search}\n"
        ));
    }
    if let Some(change_type) = filter.change_type {
        query.push_str(&format!(
            "| where ConfigChangeType == {}\n",
            literal::text(&format!("{change_type:?}"))
        ));
    }
    if let Some(category) = filter.category {
        query.push_str(&format!("| where ChangeCategory == {}\n", literal::text(&format!("{category:?}"))));
    }
    if let Some(machine) = &filter.machine {
        let machine = literal::text(machine);
        query.push_str(&format!("| where Computer == {machine} or SourceComputerId == {machine}\n"));
    }
    query
}

fn order(sort: Sort) -> &'static str {
    match sort {
        Sort::NewestFirst => "TimeGenerated desc, ChangeId desc",
        Sort::OldestFirst => "TimeGenerated asc, ChangeId asc",
        Sort::Machine => "Computer asc, TimeGenerated desc, ChangeId desc",
        Sort::MachineDown => "Computer desc, TimeGenerated desc, ChangeId desc",
        Sort::Entity => "Entity asc, TimeGenerated desc, ChangeId desc",
        Sort::EntityDown => "Entity desc, TimeGenerated desc, ChangeId desc",
        Sort::Type => "ConfigChangeType asc, TimeGenerated desc, ChangeId desc",
        Sort::TypeDown => "ConfigChangeType desc, TimeGenerated desc, ChangeId desc",
        Sort::Category => "ChangeCategory asc, TimeGenerated desc, ChangeId desc",
        Sort::CategoryDown => "ChangeCategory desc, TimeGenerated desc, ChangeId desc",
    }
}

const PROJECT: &str = "| project ChangeId, TimeGenerated, EventTime, Computer, ConfigChangeType, ChangeCategory, \
     Entity, Attributes, PreviousAttributes, PreviousFileSystemPath, FieldsChanged, RuleName, ChangeSource, InitiatingProcessName, InitiatingProcessId, \
     InitiatingProcessCommandLine, InitiatingProcessAccountName, InitiatingProcessParentName, LoginAccountName, \
     ContainerId, OtherInitiatingProcesses, MoreInitiatingProcesses, Explanation, Previous, Current\n";

/// What a change is of: a path, or the name in a list.
const ENTITY: &str = "| extend Entity = case(isnotempty(FileSystemPath), FileSystemPath, isnotempty(RegistryKey), \
     iff(isempty(ValueType) and isempty(PreviousValueType), RegistryKey, \
     strcat(RegistryKey, '\\\\', iff(isempty(ValueName), '(Default)', ValueName))), \
     isnotempty(SvcName), SvcName, SoftwareName)\n";

/// When a row was received; rows of an older version do not say.
const RECEIVED: &str = "| extend Received = coalesce(_TimeReceived, TimeGenerated)\n";

const SECOND_NANOS: i64 = 1_000_000_000;

/// As many rows as a query may have in an order that skips.
const MOST_SHOWN: usize = 400_000;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::model::{Column, OtherActor};
    use crate::clock::Moment;

    /// Pages through `rows` as the store would answer, with rows arriving between pages.
    fn read_all(rows: &mut Vec<(i64, &str)>, limit: usize, arriving: &[(i64, &'static str)]) -> Vec<String> {
        let mut seen = Vec::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            rows.sort_by(|left, right| right.cmp(left));
            let take = limit + cursor.as_ref().map_or(0, |cursor| cursor.shown) + 1;
            let from = cursor.as_ref().map_or(i64::MAX, |cursor| cursor.time);
            let answer = rows.iter().filter(|row| row.0 * 1000 <= from).take(take);
            let page = read_page(&table(answer), Sort::NewestFirst, cursor.as_ref(), limit).unwrap();
            seen.extend(page.items.iter().map(|change| change.id.clone()));
            match page.next {
                Some(next) => cursor = Some(Cursor::decode(&next.encode()).unwrap()),
                None => return seen,
            }
            rows.extend(arriving);
        }
    }

    #[test]
    fn pages_neither_repeat_nor_lose_changes_of_one_moment() {
        let mut rows = vec![(5, "a"), (5, "b"), (5, "c"), (5, "d"), (5, "e"), (4, "f"), (4, "g"), (1, "h")];
        assert_eq!(read_all(&mut rows, 2, &[]), ["e", "d", "c", "b", "a", "g", "f", "h"]);
    }

    #[test]
    fn newer_changes_do_not_shift_later_pages() {
        let mut rows = vec![(5, "a"), (4, "b"), (3, "c"), (2, "d")];
        assert_eq!(read_all(&mut rows, 1, &[(9, "new")]), ["a", "b", "c", "d"]);
    }

    #[test]
    fn who_made_the_change_is_told_with_all_that_the_row_has_of_it() {
        let page = read_page(&table([(5, "a")].iter()), Sort::NewestFirst, None, 1).unwrap();
        let actor = ChangeActor {
            executable: Some("/usr/bin/dpkg".to_owned()),
            process_id: 7,
            command_line: Some("dpkg -i x".to_owned()),
            user: Some("root".to_owned()),
            login_user: Some("amira".to_owned()),
            parents: Some("apt-get < bash".to_owned()),
            container: None,
        };
        assert_eq!(page.items[0].actor, Some(actor));
        assert_eq!(page.items[0].explanation, None);
    }

    #[test]
    fn who_else_had_a_part_is_a_list_that_rows_of_older_versions_do_not_have() {
        let rows = [(5, "several"), (4, "alone")];
        let page = read_page(&table(rows.iter()), Sort::NewestFirst, None, 2).unwrap();
        let actor = ChangeActor {
            executable: None,
            process_id: 8,
            command_line: None,
            user: None,
            login_user: None,
            parents: None,
            container: None,
        };
        assert_eq!(page.items[0].others, [OtherActor { actor, has_own_view: true }]);
        let more: Vec<u64> = page.items.iter().map(|change| change.more_others).collect();
        assert_eq!((more, page.items[1].others.len()), (vec![2, 0], 0));
    }

    #[test]
    fn what_was_moved_is_told_with_the_name_that_it_had() {
        let page = read_page(&table([(5, "moved"), (4, "b")].iter()), Sort::NewestFirst, None, 2).unwrap();
        let from: Vec<Option<&str>> = page.items.iter().map(|change| change.moved_from.as_deref()).collect();
        assert_eq!(from, [Some("/y"), None]);
    }

    #[test]
    fn what_is_or_was_at_a_path_is_told_as_far_as_it_is_known() {
        let rows = [(5, "a"), (4, "link"), (3, "gone"), (2, "strange")];
        let page = read_page(&table(rows.iter()), Sort::NewestFirst, None, 4).unwrap();
        let kinds: Vec<Option<FileKind>> = page.items.iter().map(|change| change.kind).collect();
        let (file, link, folder) = (FileKind::File, FileKind::Symlink, FileKind::Directory);
        assert_eq!(kinds, [Some(file), Some(link), Some(folder), None]);
    }

    #[test]
    fn a_version_is_told_as_it_was_and_as_it_is() {
        let page = read_page(&table([(5, "a")].iter()), Sort::NewestFirst, None, 1).unwrap();
        let change = &page.items[0];
        let versions = [&change.version_before, &change.version_after].map(|version| version.as_deref());
        assert_eq!(versions, [Some("1.0"), Some("1.1")]);
    }

    #[test]
    fn a_made_up_cursor_is_refused() {
        assert_eq!(Cursor::decode("nonsense!"), Err(BadCursor));
        let huge = Cursor { time: 0, id: String::new(), shown: usize::MAX };
        assert_eq!(Cursor::decode(&huge.encode()), Err(BadCursor));
    }

    #[test]
    fn what_a_user_types_is_a_literal() {
        let filter = Filter {
            range: Range { from: Timestamp(0), to: Timestamp(1) },
            search: Some("x\" or true //".to_owned()),
            change_type: Some(ChangeType::Files),
            category: Some(ChangeCategory::Added),
            machine: None,
            sort: Sort::NewestFirst,
        };
        let query = page_query(&filter, None, 10);
        assert!(query.contains(r#"FileSystemPath contains "x\" or true //""#), "{query}");
        assert!(query.contains(r#"ConfigChangeType == "Files""#), "{query}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_cursor_s_reader_panic(text in "[A-Za-z0-9_-]{0,80}") {
            let _ = Cursor::decode(&text);
        }
    }

    fn attributes(id: &str) -> &'static str {
        match id {
            "link" => "Type=Symlink; Target=/x; Type=File",
            "gone" => "",
            "strange" => "Type=Portal; Mode=0644",
            _ => "Type=File; Mode=0644",
        }
    }

    fn table<'a>(rows: impl Iterator<Item = &'a (i64, &'a str)>) -> Table {
        let names = [
            "ChangeId",
            "TimeGenerated",
            "EventTime",
            "Computer",
            "ConfigChangeType",
            "ChangeCategory",
            "Entity",
            "Attributes",
            "PreviousAttributes",
            "PreviousFileSystemPath",
            "FieldsChanged",
            "RuleName",
            "ChangeSource",
            "InitiatingProcessName",
            "InitiatingProcessId",
            "InitiatingProcessCommandLine",
            "InitiatingProcessAccountName",
            "InitiatingProcessParentName",
            "LoginAccountName",
            "ContainerId",
            "OtherInitiatingProcesses",
            "MoreInitiatingProcesses",
            "Explanation",
            "Previous",
            "Current",
        ];
        let columns = names.map(|name| Column { name: name.to_owned(), scalar_type: String::new() });
        let row = |(time, id): &(i64, &str)| {
            vec![
                json!(id),
                json!(Moment(Timestamp(time * 1000))),
                Value::Null,
                json!("m"),
                json!("Files"),
                json!("Modified"),
                json!("/x"),
                json!(attributes(id)),
                json!("Type=Directory; Mode=0755"),
                json!(if id == &"moved" { "/y" } else { "/x" }),
                json!("Size, Mode"),
                json!("r"),
                json!("Scan"),
                json!("/usr/bin/dpkg"),
                json!(7),
                json!("dpkg -i x"),
                json!("root"),
                json!("apt-get < bash"),
                json!("amira"),
                json!(""),
                if id == &"several" { json!([{ "processId": 8, "hasOwnView": true }]) } else { Value::Null },
                if id == &"several" { json!(2) } else { Value::Null },
                Value::Null,
                json!("1.0"),
                json!("1.1"),
            ]
        };
        Table::new(&columns, rows.map(row).collect())
    }
}
