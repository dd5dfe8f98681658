//! How many bodies the server holds at a time.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::machine::{added, batch_bytes, cbor, joined, send};
use crate::running::{PATIENCE, Running};

#[test]
fn a_batch_takes_its_place_before_its_body_is_read() {
    let running = Running::start_with(|config| config.limits.batches_at_once = 1);
    let (slow_client, slow) = joined(&running, "slow");
    let (mut quick_client, quick) = joined(&running, "quick");
    let bytes = batch_bytes(slow.id, &added(1, &["/etc/a"]), running.clock.now());
    let (asked, is_asked) = channel();
    let (go_on, told) = channel();
    let body = Held { first: bytes[..1].to_vec(), rest: bytes[1..].to_vec(), asked, told };
    let length = bytes.len() as u64;
    let sending = std::thread::spawn(move || slow_client.send_slowly("/agent/v1/batches", length, body));

    // Once the server asks for the slow body, the place is taken.
    is_asked.recv_timeout(PATIENCE).unwrap();
    let bytes = batch_bytes(quick.id, &added(1, &["/etc/b"]), running.clock.now());
    let refused = quick_client.call("POST", "/agent/v1/batches", &cbor(), Some(bytes)).unwrap();
    assert_eq!(refused.status, 429, "{}", refused.text);
    assert_eq!(refused.headers["retry-after"], "2");

    go_on.send(()).unwrap();
    assert_eq!(sending.join().unwrap(), 200);
    send(&running, &mut quick_client, &quick, &added(1_000_000, &["/etc/c"]));
}

/// A body that says when it is asked for, whose first byte comes at once, and whose rest waits until somebody says so.
struct Held {
    first: Vec<u8>,
    rest: Vec<u8>,
    asked: Sender<()>,
    told: Receiver<()>,
}

impl Read for Held {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Nobody listens after the first time.
        let _ = self.asked.send(());
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
