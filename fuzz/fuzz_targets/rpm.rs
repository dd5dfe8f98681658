//! The database of rpm: any bytes are one, with or without a log, or are refused; and all that is read is read again.

#![no_main]

use fim_core::ListPart;
use fim_scan::lists::collect;
use fim_testkit::MemoryTree;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((length, bytes)) = bytes.split_first_chunk() else { return };
    let (database, log) = bytes.split_at(usize::from(u16::from_le_bytes(*length)).min(bytes.len()));
    let tree = MemoryTree::new();
    tree.file("/var/lib/rpm/rpmdb.sqlite", database);
    if !log.is_empty() {
        tree.file("/var/lib/rpm/rpmdb.sqlite-wal", log);
    }
    let software = collect(&tree, ListPart::Rpm, &|_| ());
    assert_eq!(software, collect(&tree, ListPart::Rpm, &|_| ()));
});
