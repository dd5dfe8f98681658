//! Ending a connection so that its last answer arrives.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

/// A stream that, once it is shut down, reads and discards what still comes until the other end closes, too.
///
/// A caller may be sending a body that was refused unread. If the connection were closed with bytes unread, the system would
/// answer the next ones with a reset, which overtakes the answer: the caller would see a broken connection in its place.
/// See RFC 9112, section 9.6.
pub struct Lingering<S> {
    stream: S,
    stop: watch::Receiver<bool>,
    /// Set when the writing half is shut down: reading ends at this moment at the latest.
    until: Option<Pin<Box<Sleep>>>,
}

impl<S> Lingering<S> {
    /// The stream; a server that is told to stop waits for nobody.
    pub fn new(stream: S, stop: watch::Receiver<bool>) -> Self {
        Self { stream, stop, until: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.until.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            if *self.stop.borrow() {
                return Poll::Ready(Ok(()));
            }
            self.until = Some(Box::pin(sleep(LINGER)));
        }
        let Self { stream, until, .. } = &mut *self;
        let is_over = |until: &mut Pin<Box<Sleep>>| until.as_mut().poll(context).is_ready();
        if until.as_mut().is_none_or(is_over) {
            return Poll::Ready(Ok(()));
        }
        // Whoever sends without end does not keep the thread: a socket gives way to others after so many reads.
        let mut bytes = [0; 16 << 10];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            let is_open = ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer)).is_ok();
            if !is_open || buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

/// Enough for what is under way to arrive; a caller that sends more than goes through in that time may miss the answer.
const LINGER: Duration = Duration::from_secs(5);
