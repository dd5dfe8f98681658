//! A query's text: nothing panics, every message points into the text, and there is a plan or a message.

#![no_main]

use fim_kql::{BindOptions, Catalog, Column, DateTime, ScalarType, Schema, bind, compile, parse};
use libfuzzer_sys::fuzz_target;

struct OneTable;

impl Catalog for OneTable {
    fn table(&self, name: &str) -> Option<Schema> {
        let types = [
            ("b", ScalarType::Bool),
            ("d", ScalarType::DateTime),
            ("i", ScalarType::Int),
            ("l", ScalarType::Long),
            ("r", ScalarType::Real),
            ("s", ScalarType::String),
            ("t", ScalarType::TimeSpan),
            ("x", ScalarType::Dynamic),
        ];
        (name == "T")
            .then(|| Schema::new(types.into_iter().map(|(name, ty)| Column::new(name, ty)).collect()))
    }

    fn table_names(&self) -> Vec<String> {
        vec!["T".to_owned()]
    }
}

fuzz_target!(|text: &str| {
    let (ast, mut found) = parse(text);
    let options = BindOptions { now: DateTime(0) };
    found.extend(bind(&ast, &OneTable, &options).1);
    for diagnostic in &found {
        assert!(diagnostic.line >= 1 && diagnostic.column >= 1);
        assert!(text.get(diagnostic.span.start..diagnostic.span.end).is_some(), "{diagnostic:?}");
    }
    // A plan, or something to say: never neither.
    assert_eq!(compile(text, &OneTable, &options).is_ok(), found.is_empty());
});
