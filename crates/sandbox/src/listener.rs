//! A listener that lets `>` through.
//!
//! The vendor's aggregates begin with `>` (`/token/session/>whoAmI`), which is
//! no legal character of a path; the HTTP server refuses it before any handler
//! sees it, while the vendor takes it. So it is replaced by a legal character
//! in request lines on their way in, and read back by the handler.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Stands for `>` behind a slash: legal in a path, used in none of the vendor's.
const STAND_IN: u8 = b'|';

/// Only reads have aggregates, and reads have no bodies that could be hit.
const READ_REQUEST: &[u8] = b"GET /";

/// The path as it was sent.
pub(crate) fn as_sent(path: &str) -> String {
    path.replace("/|", "/>")
}

/// A listener whose connections let `>` through.
pub(crate) struct BracketListener(pub(crate) TcpListener);

impl Listener for BracketListener {
    type Io = BracketStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (BracketStream(stream), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection that lets `>` through.
pub(crate) struct BracketStream(TcpStream);

/// Replaces `>` behind a slash in the request line that these bytes begin with,
/// if they begin with one. (A caller that sends a request line in several
/// pieces is not helped: it can send `%3E`.)
fn replace_brackets(bytes: &mut [u8]) {
    if !bytes.starts_with(READ_REQUEST) {
        return;
    }
    let mut before = b' ';
    for byte in bytes {
        match *byte {
            b'\r' | b'\n' => return,
            b'>' if before == b'/' => *byte = STAND_IN,
            _ => {}
        }
        before = *byte;
    }
}

impl AsyncRead for BracketStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.0).poll_read(context, buffer);
        if let Some(new) = buffer.filled_mut().get_mut(before..) {
            replace_brackets(new);
        }
        outcome
    }
}

impl AsyncWrite for BracketStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
