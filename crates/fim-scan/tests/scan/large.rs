//! Files with holes, and files that are too large for a scan to wait for.

use std::sync::Arc;
use std::time::Duration;

use fim_core::EntityPath;
use fim_scan::{LargeFiles, LargeProgress, LargeTurn, Scan, ScanOptions};
use fim_testkit::MemoryTree;

use crate::{Everything, lines, observe, short};

#[test]
fn holes_are_hashed_and_not_read() {
    let hole = 3 << 20;
    let tree = MemoryTree::new();
    tree.sparse("/all-hole", "", hole).sparse("/both", vec![7; 100_000], hole + 11).sparse(
        "/short",
        "x",
        1 << 10,
    );
    let tree = Arc::new(tree);
    let zeros = |content: &[u8], zeros: u64| short(&[content, &vec![0; zeros as usize]].concat());
    let expected = [
        "/ Directory".to_owned(),
        format!("/all-hole File {}", zeros(b"", hole)),
        format!("/both File {}", zeros(&[7; 100_000], hole + 11)),
        format!("/short File {}", zeros(b"x", 1 << 10)),
    ];
    for threads in [1, 3] {
        let before = tree.bytes_read();
        assert_eq!(lines(&observe(&tree, Everything::below(&["/"]), threads)), expected);
        let read = tree.bytes_read() - before;
        assert!(read < (2 << 20), "{read} bytes were read of {}", 2 * hole);
    }
}

#[test]
fn what_is_too_large_for_a_scan_is_read_beside_it_and_known_to_the_next() {
    let scanned = 3 << 20;
    let size = scanned + 12_345;
    let tree = MemoryTree::new();
    tree.sparse("/large", "start", size - 5).file("/small", "x").link("/link", "/large");
    let tree = Arc::new(tree);
    let large = Arc::new(LargeFiles::beyond(scanned));
    let options = ScanOptions { most_file_bytes: Some(scanned), ..ScanOptions::default() };
    let scan = || {
        let plan = Arc::new(Everything { roots: vec!["/"], exclude: vec![], follows: true });
        let scan = Scan::start_beside(Arc::clone(&tree), plan, options, Arc::default(), Arc::clone(&large));
        lines(&scan.unwrap().collect::<Vec<_>>())
    };
    let small = format!("/small File {}", short(b"x"));
    let too_large = |name| format!("{name} unreadable, its attributes known: TooLarge");
    assert_eq!(scan(), ["/ Directory", &too_large("/large"), &too_large("/link"), &small]);
    assert_eq!(large.progress(), LargeProgress { waiting: 2, bytes_left: 2 * size });
    let read = |stretch| {
        let mut news = Vec::new();
        loop {
            match large.turn(|| Arc::clone(&tree), stretch) {
                LargeTurn::Idle(_) => return news,
                LargeTurn::Worked => {}
                LargeTurn::News(path) => news.push(path.to_string()),
            }
        }
    };
    assert_eq!(read(Duration::ZERO), ["/large", "/link"], "in turns");
    let digest = short(&[&b"start"[..], &vec![0; size as usize - 5]].concat());
    let known = [
        "/ Directory",
        &format!("/large File {digest}"),
        &format!("/link Symlink -> /large {digest}"),
        &small,
    ];
    assert_eq!(scan(), known);
    assert_eq!(read(Duration::ZERO), [] as [&str; 0], "it is known already");
    tree.mode("/large", 0o600);
    assert_eq!(scan()[1], too_large("/large"), "what it was when it was read is not what it is");
    tree.remove("/large");
    assert_eq!(read(Duration::ZERO), [] as [&str; 0]);
    assert_eq!(large.progress(), LargeProgress::default());
}

#[test]
fn the_thread_beside_stops_when_it_is_told_to_and_tells_what_it_read() {
    let tree = MemoryTree::new();
    tree.sparse("/large", "", 1 << 20);
    let tree = Arc::new(tree);
    let large = Arc::new(LargeFiles::beyond(5));
    let (told, news) = std::sync::mpsc::channel();
    let thread = {
        let (large, tree) = (Arc::clone(&large), Arc::clone(&tree));
        std::thread::spawn(move || large.run(|| Arc::clone(&tree), |path| told.send(path).unwrap()))
    };
    let options = ScanOptions { most_file_bytes: Some(5), ..ScanOptions::default() };
    let plan = Arc::new(Everything::below(&["/"]));
    let scan = Scan::start_beside(tree, plan, options, Arc::default(), Arc::clone(&large)).unwrap();
    assert_eq!(scan.count(), 2);
    assert_eq!(news.recv().unwrap(), EntityPath::unix("/large"));
    large.stop();
    thread.join().unwrap();
}
