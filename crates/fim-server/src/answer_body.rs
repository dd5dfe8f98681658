//! Long answers: written on a worker, handed on in pieces, in bounded memory.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

/// A body that `write` writes. It waits while the reader is slow, and fails once the reader has gone.
pub fn written_by(write: impl FnOnce(&mut ChunkWriter) -> io::Result<()> + Send + 'static) -> Body {
    let (sender, receiver) = mpsc::channel::<Bytes>(CHUNKS);
    tokio::task::spawn_blocking(move || {
        let mut writer = ChunkWriter { sender, chunk: Vec::with_capacity(CHUNK_BYTES) };
        // A reader that goes away ends the writing; there is nobody left to tell.
        let _ = write(&mut writer).and_then(|()| writer.flush());
    });
    Body::from_stream(ReceiverStream::new(receiver).map(Ok::<_, io::Error>))
}

/// Hands what is written on in pieces, and waits while the reader is slow.
pub struct ChunkWriter {
    sender: mpsc::Sender<Bytes>,
    chunk: Vec<u8>,
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK_BYTES));
        self.sender.blocking_send(chunk.into()).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

const CHUNK_BYTES: usize = 64 << 10;
const CHUNKS: usize = 4;
