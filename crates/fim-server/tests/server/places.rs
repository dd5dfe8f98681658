//! How many bodies the server holds at a time.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use crate::machine::{added, batch_bytes, cbor, joined, send};
use crate::running::{PATIENCE, Running};

#[test]
fn a_batch_takes_its_place_before_its_body_is_read() {
    let running = Running::start_with(|config| config.limits.batches_at_once = 1);
    let (slow_client, slow) = joined(&running, "slow");
    let (mut quick_client, quick) = joined(&running, "quick");
    let bytes = batch_bytes(slow.id, &added(1, &["/etc/a"]), running.clock.now());
    let (go_on, told) = channel();
    let body = Held { first: bytes[..1].to_vec(), rest: bytes[1..].to_vec(), told };
    let length = bytes.len() as u64;
    let sending = std::thread::spawn(move || slow_client.send_slowly("/agent/v1/batches", length, body));

    // Until the slow body's first byte is there, the other machine finds a place.
    let deadline = Instant::now() + PATIENCE;
    let refused = (1..).find_map(|sequence| {
        assert!(Instant::now() < deadline, "a body is read without a place");
        let bytes = batch_bytes(quick.id, &added(sequence, &["/etc/b"]), running.clock.now());
        let answer = quick_client.call("POST", "/agent/v1/batches", &cbor(), Some(bytes)).unwrap();
        (answer.status != 200).then_some(answer)
    });
    let refused = refused.unwrap();
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert_eq!(refused.headers["retry-after"], "2");

    go_on.send(()).unwrap();
    assert_eq!(sending.join().unwrap(), 200);
    send(&running, &mut quick_client, &quick, &added(1_000_000, &["/etc/c"]));
}

/// A body whose first byte comes at once and whose rest waits until somebody says so.
struct Held {
    first: Vec<u8>,
    rest: Vec<u8>,
    told: Receiver<()>,
}

impl Read for Held {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.first.is_empty() && !self.rest.is_empty() {
            self.told.recv_timeout(PATIENCE).map_err(io::Error::other)?;
            self.first = std::mem::take(&mut self.rest);
        }
        let length = self.first.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.first[..length]);
        self.first.drain(..length);
        Ok(length)
    }
}
