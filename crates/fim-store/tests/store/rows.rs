//! Rows by column name.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use fim_core::Timestamp;
use fim_store::schema::{self, ColumnType, KQL_TYPE_KEY, SchemaMismatch};
use fim_store::{BuildError, TableBuilder};

use crate::support::{CHANGES, DAY, WORKSPACE, changes, gaps};

#[test]
fn every_published_column_is_there_with_its_type() {
    let published: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(include_str!("published-schemas.json")).unwrap();
    for (name, columns) in published {
        let table = schema::table(&name).unwrap();
        for (column, kql_type) in columns {
            let index = table.column_index(&column).unwrap_or_else(|| panic!("{name} lacks {column}"));
            assert_eq!(table.columns[index].column_type.kql_name(), kql_type, "{name}.{column}");
        }
    }
}

#[test]
fn every_table_has_the_standard_columns_and_no_column_twice() {
    for table in schema::tables() {
        for column in ["TenantId", "TimeGenerated", "Type", "_ResourceId", "_SubscriptionId", "_IsBillable"] {
            assert!(table.column_index(column).is_some(), "{} lacks {column}", table.name);
        }
        let mut names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), table.columns.len(), "{}", table.name);
        for name in table.sort_by.iter().chain(table.bloom_filters).chain(table.plain) {
            assert!(table.column_index(name).is_some(), "{} lacks {name}", table.name);
        }
    }
}

#[test]
fn a_field_says_its_type_in_kql() {
    let schema = schema::table("Heartbeat").unwrap().arrow_schema();
    let field = schema.field_with_name("ComputerPrivateIPs").unwrap();
    assert_eq!((field.data_type(), &*field.metadata()[KQL_TYPE_KEY]), (&DataType::Utf8, "dynamic"));
    let field = schema.field_with_name("TimeGenerated").unwrap();
    assert_eq!(field.data_type(), &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
}

#[test]
fn unset_strings_are_empty_and_everything_else_unset_is_null() {
    let rows = changes(7, 1);
    let text = rows.column_by_name("PreviousAcls").unwrap().as_string::<i32>();
    assert_eq!((text.is_null(0), text.value(0)), (false, ""));
    assert!(rows.column_by_name("PreviousSize").unwrap().is_null(0));
    assert!(rows.column_by_name("EventTime").unwrap().is_null(0));
}

#[test]
fn the_standard_columns_are_filled() {
    let rows = changes(7, 1);
    let text = |column: &str| rows.column_by_name(column).unwrap().as_string::<i32>().value(0).to_owned();
    assert_eq!(text("TenantId"), WORKSPACE.to_string());
    assert_eq!(text("Type"), CHANGES);
    assert_eq!(text("_IsBillable"), "True");
    let gap = gaps(7, 1);
    assert_eq!(gap.column_by_name("_IsBillable").unwrap().as_string::<i32>().value(0), "False");
    // Time 28, "web2" 4, "7/0" 3, "/etc/passwd" 11, "42" 2.
    assert_eq!(rows.column_by_name("_BilledSize").unwrap().as_primitive::<Float64Type>().value(0), 48.0);
}

#[test]
fn times_are_kept_in_microseconds_also_before_1970() {
    let mut builder = TableBuilder::new(CHANGES, WORKSPACE).unwrap();
    let mut row = builder.row();
    row.set("TimeGenerated", DAY).unwrap();
    row.set("DateModified", Timestamp(-1)).unwrap();
    row.set("Size", Some(3)).unwrap();
    row.set("PreviousSize", None::<i64>).unwrap();
    row.push().unwrap();
    let rows = builder.finish().unwrap();
    let time = rows.column_by_name("DateModified").unwrap().as_primitive::<TimestampMicrosecondType>();
    assert_eq!(time.value(0), -1);
    assert_eq!(rows.column_by_name("Size").unwrap().as_primitive::<Int64Type>().value(0), 3);
    assert!(rows.column_by_name("PreviousSize").unwrap().is_null(0));
}

#[test]
fn a_wrong_name_is_an_error() {
    assert_eq!(
        TableBuilder::new("Nope", WORKSPACE).unwrap_err(),
        BuildError::UnknownTable { name: "Nope".to_owned() }
    );
    let mut builder = TableBuilder::new(CHANGES, WORKSPACE).unwrap();
    let mut row = builder.row();
    assert_eq!(
        row.set("computer", "web1").unwrap_err(),
        BuildError::UnknownColumn { table: CHANGES, column: "computer".to_owned() }
    );
}

#[test]
fn a_value_of_another_type_is_an_error() {
    let mut builder = TableBuilder::new(CHANGES, WORKSPACE).unwrap();
    let mut row = builder.row();
    let error = row.set("Size", "many").unwrap_err();
    assert_eq!(
        error,
        BuildError::WrongType {
            table: CHANGES,
            column: "Size",
            expected: ColumnType::Long,
            found: "Text(\"many\")".to_owned()
        }
    );
    assert_eq!(error.to_string(), "the column ConfigurationChange.Size is long, and Text(\"many\") is not");
}

#[test]
fn a_row_without_a_time_is_not_taken_and_leaves_nothing_behind() {
    let mut builder = TableBuilder::new(CHANGES, WORKSPACE).unwrap();
    let mut row = builder.row();
    row.set("Computer", "lost").unwrap();
    assert_eq!(row.push().unwrap_err(), BuildError::MissingTime { table: CHANGES });
    let mut row = builder.row();
    row.set("TimeGenerated", DAY).unwrap();
    row.push().unwrap();
    assert_eq!(builder.len(), 1);
    let rows = builder.finish().unwrap();
    assert_eq!(rows.column_by_name("Computer").unwrap().as_string::<i32>().value(0), "");
}

#[test]
fn rows_of_another_table_are_not_adopted() {
    let table = schema::table(CHANGES).unwrap();
    assert!(matches!(table.adopt(gaps(1, 1)), Err(SchemaMismatch::ColumnCount { .. })));
    let rows = changes(1, 1);
    let mut fields: Vec<_> = rows.schema().fields().to_vec();
    fields.swap(1, 2);
    let renamed = arrow::array::RecordBatch::try_new(
        std::sync::Arc::new(arrow::datatypes::Schema::new(fields)),
        rows.columns().to_vec(),
    );
    assert!(matches!(table.adopt(renamed.unwrap()), Err(SchemaMismatch::Column { index: 1, .. })));
}
