//! How fast inputs are sent at most, where somebody says so.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A turn for each input, one after the other however many servers there are.
#[derive(Debug)]
pub(super) struct Pace {
    rate: NonZeroU32,
    next: Mutex<Instant>,
}

impl Pace {
    /// So many inputs a second.
    pub(super) fn new(rate: NonZeroU32) -> Pace {
        Pace { rate, next: Mutex::new(Instant::now()) }
    }

    /// How many inputs a second.
    pub(super) fn rate(&self) -> usize {
        usize::try_from(self.rate.get()).unwrap_or(usize::MAX)
    }

    /// Waits for the next turn.
    pub(super) async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            // What was not used is not made up for.
            let at = (*next).max(Instant::now());
            *next = at + Duration::from_secs(1) / self.rate.get();
            at
        };
        sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_come_one_after_the_other() {
        let pace = Pace::new(NonZeroU32::new(10).unwrap());
        let begun = Instant::now();
        for turn in 0..5 {
            pace.turn().await;
            assert_eq!(begun.elapsed().as_millis(), turn * 100);
        }
        tokio::time::advance(Duration::from_secs(60)).await;
        let later = Instant::now();
        pace.turn().await;
        pace.turn().await;
        assert_eq!(later.elapsed().as_millis(), 100);
    }
}
