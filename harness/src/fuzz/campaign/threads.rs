//! On which threads lanes fly.

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinSet;

use crate::detect::Access;
use crate::fuzz::ground::Place;

/// Which threads there are for so many lanes.
pub(super) struct Threads {
    lanes: usize,
    /// Whether each lane has a thread to itself: what another thread has made costs more time to let go of.
    own: bool,
}

impl Threads {
    /// A server that is reached over HTTP serves several lanes, and what goes on with it has to go on when the lane that
    /// began it is over; one that is reached over stdio belongs to one lane.
    pub(super) fn of(places: &[Place], lanes: usize) -> Threads {
        Threads { lanes, own: places.iter().all(|place| matches!(place.opener.access, Access::Stdio { .. })) }
    }

    /// Whether there is a processor that lanes leave alone; the more there are of them, the more share one.
    pub(super) fn leave_one_idle(&self) -> bool {
        let shared = Handle::current().metrics().num_workers();
        let taken = if self.own { self.lanes } else { self.lanes.min(shared) };
        std::thread::available_parallelism().is_ok_and(|all| all.get() > taken)
    }

    /// Has a lane fly.
    pub(super) fn spawn(&self, running: &mut JoinSet<()>, lane: impl Future<Output = ()> + Send + 'static) {
        if !self.own {
            running.spawn(lane);
            return;
        }
        running.spawn_blocking(|| match Builder::new_current_thread().enable_all().build() {
            Ok(own) => own.block_on(lane),
            // Slower, but all the same otherwise.
            Err(_) => Handle::current().block_on(lane),
        });
    }
}
