//! Connections: no more of them than we can bear.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::faults::Faults;

/// Connections at a time; more of them wait until one ends.
const MOST_CONNECTIONS: usize = 1024;

/// Accepts connections as long as there are not too many.
pub(super) struct Gate {
    listener: TcpListener,
    places: Arc<Semaphore>,
    /// Only if one of them looks at bytes.
    faults: Option<Arc<Faults>>,
}

impl Gate {
    pub(super) fn new(listener: TcpListener, faults: &Arc<Faults>) -> Self {
        let faults = faults.look_at_bytes().then(|| Arc::clone(faults));
        Self { listener, places: Arc::new(Semaphore::new(MOST_CONNECTIONS)), faults }
    }
}

impl Listener for Gate {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // Fails only for a semaphore that is closed, which this one never is.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Events are small and must not wait for one another.
        let _ = stream.set_nodelay(true);
        (Connection { stream, faults: self.faults.clone(), _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection, which holds its place until it is dropped.
pub(super) struct Connection {
    stream: TcpStream,
    faults: Option<Arc<Faults>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if let Some(faults) = &self.faults
            && let Some((_, new)) = buffer.filled_mut().split_at_mut_checked(before)
        {
            faults.distort_head(new);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
