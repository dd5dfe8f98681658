//! Long answers: written on a worker, handed on in pieces, in bounded memory.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use futures::stream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

/// A body that `write` writes. It waits while the reader is slow, and fails once the reader has gone. If the writing fails
/// the body breaks off, so that nobody takes what there is of it for all.
pub fn written_by(write: impl FnOnce(&mut ChunkWriter) -> io::Result<()> + Send + 'static) -> Body {
    let (sender, receiver) = mpsc::channel::<Bytes>(CHUNKS);
    let writing = tokio::task::spawn_blocking(move || {
        let mut writer = ChunkWriter { sender, chunk: Vec::with_capacity(CHUNK_BYTES) };
        write(&mut writer).and_then(|()| writer.flush())
    });
    let end = stream::once(failure(writing)).filter_map(|failure| failure.map(Err));
    Body::from_stream(ReceiverStream::new(receiver).map(Ok).chain(end))
}

/// Why the writing ended before its end, once it has ended. A reader that has gone away asks no more.
async fn failure(writing: JoinHandle<io::Result<()>>) -> Option<io::Error> {
    let failure = writing.await.map_err(io::Error::other).flatten().err()?;
    tracing::error!(error = %fim_core::error_chain(&failure), "an answer broke off");
    Some(failure)
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(body: Body) -> Result<usize, axum::Error> {
        axum::body::to_bytes(body, usize::MAX).await.map(|bytes| bytes.len())
    }

    #[tokio::test]
    async fn what_is_written_to_the_end_is_read_to_the_end() {
        let whole = written_by(|to| to.write_all(&vec![b'x'; 10 * CHUNK_BYTES + 1]));
        assert_eq!(read(whole).await.unwrap(), 10 * CHUNK_BYTES + 1);
        assert_eq!(read(written_by(|_| Ok(()))).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn an_answer_whose_writing_fails_does_not_end_as_if_it_were_whole() {
        let fails = written_by(|to| {
            to.write_all(&vec![b'x'; 2 * CHUNK_BYTES])?;
            Err(io::Error::other("a row cannot be written"))
        });
        assert!(read(fails).await.unwrap_err().to_string().contains("a row cannot be written"));
        let panics = written_by(|to| {
            to.write_all(&vec![b'x'; 2 * CHUNK_BYTES])?;
            panic!("a fault of ours");
        });
        assert!(read(panics).await.is_err());
    }
}
