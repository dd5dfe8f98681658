//! Whose a directory is, and what it can be.

use std::fs;

use fim_store::{OpenDirectoryError, OpenStoreError, Store};
use tempfile::tempdir;

use crate::support::{change_ids, expected_changes, ingest, open, quiet};

#[test]
fn a_second_store_is_kept_out_and_told_by_whom() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    let refused = Store::open(directory.path(), quiet()).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains(&format!("in use by process {}", std::process::id())), "{text}");
    drop(store);
    open(directory.path());
}

#[test]
fn a_directory_of_a_newer_version_is_refused_untouched() {
    let directory = tempdir().unwrap();
    drop(open(directory.path()));
    let path = directory.path().join("format.json");
    fs::write(&path, r#"{"format":3,"something":"else"}"#).unwrap();
    let refused = Store::open(directory.path(), quiet()).unwrap_err();
    assert!(
        matches!(refused, OpenStoreError::Directory(OpenDirectoryError::Newer { found: 3, known: 2, .. })),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(path).unwrap(), r#"{"format":3,"something":"else"}"#);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = Store::open(&file.join("data"), quiet()).unwrap_err();
    assert!(refused.to_string().contains("file/data"), "{refused}");
    assert!(matches!(refused, OpenStoreError::Directory(OpenDirectoryError::Unusable { .. })));
}

#[test]
fn a_damaged_record_of_what_was_flushed_is_named_and_not_overwritten() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    ingest(&store, 1).unwrap();
    store.close().unwrap();
    drop(store);
    let path = directory.path().join("flushed.json");
    fs::write(&path, "{").unwrap();
    let refused = Store::open(directory.path(), quiet()).unwrap_err();
    assert!(refused.to_string().contains("flushed.json is damaged"), "{refused}");
    assert_eq!(fs::read_to_string(path).unwrap(), "{");
}

#[test]
fn a_store_whose_format_file_is_gone_is_not_taken_for_an_empty_directory() {
    let directory = tempdir().unwrap();
    drop(open(directory.path()));
    fs::remove_file(directory.path().join("format.json")).unwrap();
    let refused = Store::open(directory.path(), quiet()).unwrap_err();
    assert!(matches!(refused, OpenStoreError::Directory(OpenDirectoryError::Damaged { .. })), "{refused}");
}

#[test]
fn a_directory_whose_name_the_table_format_would_misread_is_refused() {
    let directory = tempdir().unwrap();
    let refused = Store::open(&directory.path().join("100%20"), quiet()).unwrap_err();
    assert!(refused.to_string().contains("percent sign"), "{refused}");
}

#[test]
fn a_directory_may_have_spaces_and_letters_of_all_kinds_in_its_name() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("my data #1? Größe&+=[x]{y}~");
    for batch in 1..=2 {
        let store = open(&path);
        ingest(&store, batch).unwrap();
        store.close().unwrap();
    }
    assert_eq!(change_ids(&open(&path)), expected_changes([1, 2]));
}
