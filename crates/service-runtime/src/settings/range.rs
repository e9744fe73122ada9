use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::fmt::friendly::SpanPrinter;

use super::error::Invalid;

/// Checks that a number is within its range.
pub fn number_in<N: PartialOrd + Display>(
    key: &'static str,
    value: &N,
    range: &RangeInclusive<N>,
) -> Result<(), Invalid> {
    if range.contains(value) {
        return Ok(());
    }
    let (least, most) = (range.start(), range.end());
    Err(Invalid::new(key, format!("{value} is out of range: {least} to {most} are possible")))
}

/// Checks that a duration is within its range.
pub fn duration_in(
    key: &'static str,
    value: Duration,
    range: &RangeInclusive<Duration>,
) -> Result<(), Invalid> {
    if range.contains(&value) {
        return Ok(());
    }
    let (value, least, most) = (friendly(value), friendly(*range.start()), friendly(*range.end()));
    Err(Invalid::new(key, format!("{value} is out of range: {least} to {most} are possible")))
}

fn friendly(duration: Duration) -> String {
    SpanPrinter::new().unsigned_duration_to_string(&duration)
}
