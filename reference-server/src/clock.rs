//! Timestamps in ISO 8601, as tasks and annotations carry them.

use std::time::{SystemTime, UNIX_EPOCH};

/// The present moment in UTC with milliseconds, such as `2026-07-28T12:00:00.000Z`.
#[must_use]
pub fn now_iso8601() -> String {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format_iso8601(since_epoch.as_secs(), since_epoch.subsec_millis())
}

fn format_iso8601(seconds: u64, millis: u32) -> String {
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Gregorian date of a day counted from 1970-01-01, with years that begin in March so that the leap day comes last.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_moments() {
        assert_eq!(super::format_iso8601(0, 0), "1970-01-01T00:00:00.000Z");
        assert_eq!(super::format_iso8601(951_782_400, 7), "2000-02-29T00:00:00.007Z");
        assert_eq!(super::format_iso8601(1_785_240_000, 0), "2026-07-28T12:00:00.000Z");
    }
}
