//! The signals that tell a server to end.

use std::io;
use std::pin::Pin;

/// Completes when the process is told to end: by SIGTERM, and where `interrupts` says so by SIGINT (Ctrl-C).
#[cfg(unix)]
pub(super) fn requested(interrupts: bool) -> io::Result<Pin<Box<dyn Future<Output = ()> + Send>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    if !interrupts {
        return Ok(Box::pin(async move {
            terminate.recv().await;
        }));
    }
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }))
}

/// Completes on Ctrl-C, where there are no signals.
#[cfg(not(unix))]
pub(super) fn requested(_interrupts: bool) -> io::Result<Pin<Box<dyn Future<Output = ()> + Send>>> {
    Ok(Box::pin(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }))
}
