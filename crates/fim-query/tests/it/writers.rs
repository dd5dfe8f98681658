//! Results as CSV, NDJSON, JSON and tables.

use std::io::Cursor;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::util::display::array_value_to_string;
use fim_query::{
    CsvOptions, QueryRows, write_arrow, write_csv, write_json_rows, write_ndjson, write_parquet, write_table,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{NoTables, engine, run};

fn rows(query: &str) -> QueryRows {
    run(&engine(), &NoTables, query).unwrap()
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

const ONE_OF_EACH: &str = "print b = true, i = int(-1), l = 2, r = 1.5, s = 'tab\\there', t = datetime(2026-11-22 01:02:03.4), \
    d = 1d + 1s, n = long(null), g = guid(01234567-89ab-cdef-0123-456789abcdef), j = dynamic({\"a\":[1,\"x\"]})";

#[test]
fn json_has_a_value_for_every_type() {
    let text = written(|to| write_json_rows(&rows(ONE_OF_EACH), to));
    assert_eq!(
        text,
        r#"[[true,-1,2,1.5,"tab\there","2026-11-22T01:02:03.4000000Z","1.00:00:01",null,"01234567-89ab-cdef-0123-456789abcdef",{"a":[1,"x"]}]]"#
    );
}

#[test]
fn ndjson_has_one_object_a_line_in_the_order_of_the_columns() {
    let text = written(|to| write_ndjson(&rows("range z from 1 to 2 step 1 | extend a = 'x\\ny'"), to));
    assert_eq!(text, "{\"z\":1,\"a\":\"x\\ny\"}\n{\"z\":2,\"a\":\"x\\ny\"}\n");
}

#[test]
fn csv_quotes_what_needs_it_and_ends_lines_with_cr_lf() {
    let text = written(|to| {
        write_csv(
            &rows("print a = 'x,\"y\"', b = 'two\\nlines', c = long(null), ['d,e'] = -1"),
            CsvOptions::default(),
            to,
        )
    });
    assert_eq!(text, "a,b,c,\"d,e\"\r\n\"x,\"\"y\"\"\",\"two\nlines\",,-1\r\n");
}

#[test]
fn csv_for_spreadsheets_disarms_formulas_and_leaves_numbers_alone() {
    let query =
        "print a = '=HYPERLINK(1)', b = '+A1', c = '-x', d = '@x', e = '\\tx', f = 'a=b', g = -5, h = -1d";
    let guarded = written(|to| write_csv(&rows(query), CsvOptions { guard_formulas: true }, to));
    assert_eq!(guarded, "a,b,c,d,e,f,g,h\r\n'=HYPERLINK(1),'+A1,'-x,'@x,'\tx,a=b,-5,-1.00:00:00\r\n");
    let query =
        "print a = '-5', b = '+1.5', c = dynamic(-5), d = '-1-1', e = '-1.2.3', f = '-', g = '-1+cmd|x!A1'";
    let guarded = written(|to| write_csv(&rows(query), CsvOptions { guard_formulas: true }, to));
    assert_eq!(
        guarded, "a,b,c,d,e,f,g\r\n-5,+1.5,-5,'-1-1,'-1.2.3,'-,'-1+cmd|x!A1\r\n",
        "numbers kept as text"
    );
}

#[test]
fn a_table_for_people_is_aligned_and_cannot_move_the_cursor() {
    let query =
        "datatable(name: string, size: long) ['a', 5, 'long name', 12345, 'evil\\u001b[2J', long(null)]";
    let text = written(|to| write_table(&rows(query), to));
    let expected = [
        "name            size",
        "-------------  -----",
        "a                  5",
        "long name      12345",
        "evil\\u{1b}[2J",
        "",
    ];
    assert_eq!(text, expected.join("\n"));
}

#[test]
fn files_of_columns_have_every_type_and_say_what_it_is_in_the_language() {
    let rows = rows(&format!("{ONE_OF_EACH} | union (print b = bool(null), s = '')"));
    let mut bytes = Vec::new();
    write_parquet(&rows, &mut bytes).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
    let schema = reader.schema().clone();
    check_columns(&schema, &reader.build().unwrap().map(Result::unwrap).collect::<Vec<_>>());

    let mut bytes = Vec::new();
    write_arrow(&rows, &mut bytes).unwrap();
    let reader = arrow::ipc::reader::FileReader::try_new(Cursor::new(bytes), None).unwrap();
    let schema = reader.schema();
    check_columns(&schema, &reader.map(Result::unwrap).collect::<Vec<_>>());
}

/// The columns of [`ONE_OF_EACH`], with a row of nothing.
fn check_columns(schema: &Schema, batches: &[RecordBatch]) {
    let expected = [
        ("b", "bool", "Boolean", "true"),
        ("i", "int", "Int32", "-1"),
        ("l", "long", "Int64", "2"),
        ("r", "real", "Float64", "1.5"),
        ("s", "string", "Utf8", "tab\there"),
        ("t", "datetime", "Timestamp(µs, \"UTC\")", "2026-11-22T01:02:03.400Z"),
        ("d", "timespan", "Int64", "864010000000"),
        ("n", "long", "Int64", ""),
        ("g", "guid", "Utf8", "01234567-89ab-cdef-0123-456789abcdef"),
        ("j", "dynamic", "Utf8", r#"{"a":[1,"x"]}"#),
    ];
    let all = arrow::compute::concat_batches(batches[0].schema_ref(), batches).unwrap();
    assert_eq!(all.num_rows(), 2);
    let whole = (0..2).find(|row| array_value_to_string(all.column(0), *row).unwrap() == "true").unwrap();
    for (index, (name, kql, arrow, value)) in expected.into_iter().enumerate() {
        let field = schema.field(index);
        assert_eq!((field.name().as_str(), field.metadata()["kql.type"].as_str()), (name, kql));
        assert_eq!(field.data_type().to_string(), arrow, "{name}");
        assert_eq!(array_value_to_string(all.column(index), whole).unwrap(), value, "{name}");
    }
}

#[test]
fn files_of_no_rows_have_their_columns() {
    let rows = rows("print a = 1 | where a == 2");
    let mut bytes = Vec::new();
    write_parquet(&rows, &mut bytes).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
    assert_eq!(reader.schema().field(0).name(), "a");
    assert_eq!(reader.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 0);
}
