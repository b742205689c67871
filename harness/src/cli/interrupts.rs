//! Ctrl-C and SIGTERM, as a run hears of them.

use mcp_conform::run::Stop;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::exit::Code;

/// What interrupts a run.
pub(crate) struct Interrupts {
    /// Becomes [`Stop::Interrupted`].
    pub(crate) stopped: watch::Receiver<Stop>,
    /// Whether it was by SIGTERM.
    pub(crate) was_terminated: watch::Receiver<bool>,
}

impl Interrupts {
    /// How a program ends that was interrupted.
    pub(crate) fn code(&self) -> Code {
        if *self.was_terminated.borrow() { Code::Terminated } else { Code::Interrupted }
    }
}

/// Listens to both from now on. Must be called within a runtime.
pub(crate) fn interrupts() -> Interrupts {
    let (stop, stopped) = watch::channel(Stop::No);
    let (terminated, was_terminated) = watch::channel(false);
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => { let _ = terminated.send(true); }
        }
        let _ = stop.send(Stop::Interrupted);
        // Keeps the channel open until the run has seen it.
        std::future::pending::<()>().await;
    });
    Interrupts { stopped, was_terminated }
}
