//! Numbers within bounds: small and positive if possible, then those at the bounds.

use serde_json::{Number, Value};

use super::choose::{Choice, Recorder};
use super::facts::Facts;

/// Where nothing else is said, whole numbers stay where every JSON implementation can represent them.
const SAFE: i128 = 9_007_199_254_740_991;

/// One end of a range of numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    float: f64,
    /// The same as a whole number, if it is one.
    whole: Option<i128>,
    exclusive: bool,
}

impl Bound {
    pub(super) fn new(number: &Number, exclusive: bool) -> Self {
        Self { float: float(number), whole: whole(number), exclusive }
    }

    /// The narrower of two bounds at the lower (or upper) end.
    pub(super) fn tighter(known: Option<Self>, new: Self, lower: bool) -> Option<Self> {
        let Some(known) = known else { return Some(new) };
        let replaces = if known.float == new.float {
            new.exclusive
        } else if lower {
            new.float > known.float
        } else {
            new.float < known.float
        };
        Some(if replaces { new } else { known })
    }

    pub(super) fn admits(&self, number: &Number, lower: bool) -> bool {
        let order = match (whole(number), self.whole) {
            (Some(value), Some(bound)) => value.partial_cmp(&bound),
            _ => float(number).partial_cmp(&self.float),
        };
        match order {
            Some(std::cmp::Ordering::Equal) => !self.exclusive,
            Some(std::cmp::Ordering::Greater) => lower,
            Some(std::cmp::Ordering::Less) => !lower,
            None => false,
        }
    }

    /// The first whole number inside of this end.
    fn inner(&self, lower: bool) -> i128 {
        let inward: i128 = if lower { 1 } else { -1 };
        let (edge, is_edge) = match self.whole {
            Some(whole) => (whole, true),
            None if lower => (from_float(self.float.ceil()), false),
            None => (from_float(self.float.floor()), false),
        };
        if is_edge && self.exclusive { edge.saturating_add(inward) } else { edge }
    }

    /// The bound itself, for those who want to step over it.
    pub(super) fn edge(&self) -> f64 {
        self.float
    }

    pub(super) fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    /// A whole number beyond this end.
    pub(super) fn beyond(&self, upward: bool) -> i128 {
        if upward {
            from_float(self.float.floor()).saturating_add(1)
        } else {
            from_float(self.float.ceil()).saturating_sub(1)
        }
    }

    pub(super) fn whole_edge(&self) -> Option<i128> {
        self.whole
    }
}

/// What a number must be a multiple of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    float: f64,
    /// The step is `mantissa / 10^scale`, as people write it.
    mantissa: i128,
    scale: i32,
}

impl Step {
    pub(super) fn new(number: &Number) -> Option<Self> {
        let float = float(number);
        if !float.is_finite() || float <= 0.0 {
            return None;
        }
        if let Some(mantissa) = whole(number) {
            return Some(Self { float, mantissa, scale: 0 });
        }
        let scale = (1..=15).find(|scale| (float * 10_f64.powi(*scale)).fract() == 0.0)?;
        Some(Self { float, mantissa: from_float(float * 10_f64.powi(scale)), scale })
    }

    pub(super) fn divides(&self, number: &Number) -> bool {
        match whole(number) {
            Some(whole) if self.scale == 0 => whole.checked_rem(self.mantissa) == Some(0),
            _ => {
                let quotient = float(number) / self.float;
                (quotient - quotient.round()).abs() < 1e-9
            }
        }
    }

    /// A whole number that is a multiple, to move on by.
    pub(super) fn stride(&self) -> i128 {
        if self.scale == 0 { self.mantissa.max(1) } else { 1 }
    }

    pub(super) fn size(&self) -> f64 {
        self.float
    }

    /// The `index`th multiple at or after `start`, going up or down.
    fn multiple(&self, start: f64, index: i128, up: bool) -> Option<Number> {
        let first = if up { (start / self.float).ceil() } else { (start / self.float).floor() };
        let first = from_float(first);
        let factor = if up { first.checked_add(index)? } else { first.checked_sub(index)? };
        let mantissa = factor.checked_mul(self.mantissa)?;
        if self.scale == 0 {
            return to_number(mantissa);
        }
        to_number(mantissa)?.as_f64().and_then(|float| Number::from_f64(float / 10_f64.powi(self.scale)))
    }
}

pub(super) fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}

/// A number as a whole number, if it is one, `1.0` and `1e3` included.
pub(super) fn whole(number: &Number) -> Option<i128> {
    if let Some(whole) = number.as_i64() {
        return Some(i128::from(whole));
    }
    if let Some(whole) = number.as_u64() {
        return Some(i128::from(whole));
    }
    let float = float(number);
    (float.fract() == 0.0 && float.abs() < 1e30).then(|| from_float(float))
}

/// A float cut to a whole number; `as` saturates, and that is what is wanted here.
fn from_float(float: f64) -> i128 {
    float.clamp(-1e30, 1e30) as i128
}

/// A whole number as JSON, exactly where JSON implementations can, else as the nearest float.
pub(super) fn to_number(whole: i128) -> Option<Number> {
    i64::try_from(whole)
        .map(Number::from)
        .or_else(|_| u64::try_from(whole).map(Number::from))
        .ok()
        .or_else(|| Number::from_f64(whole as f64))
}

/// Makes a number: `likely` values first, small ones next, then those at the bounds, at last any.
pub(super) fn make(
    facts: &Facts<'_>,
    whole_only: bool,
    likely: &[Value],
    recorder: &mut Recorder<'_>,
) -> Option<Value> {
    let (low, high) = whole_range(facts);
    let mut ready: Vec<Number> = Vec::new();
    let mut offer = |number: Option<Number>| {
        let Some(number) = number else { return };
        if (!whole_only || whole(&number).is_some())
            && facts.admits_number(&number)
            && !ready.contains(&number)
        {
            ready.push(number);
        }
    };
    for value in likely {
        if let Value::Number(number) = value {
            offer(Some(number.clone()));
        }
    }
    for small in [1, 2, 3, 5, 10, 20, 50, 100, 1000] {
        offer(to_number(small));
    }
    let anchor =
        facts.low.map_or_else(|| facts.high.map_or(0.0, |bound| bound.edge().min(0.0)), |bound| bound.edge());
    for step in &facts.steps {
        for index in 0..3 {
            offer(step.multiple(anchor.max(1.0), index, true));
            offer(step.multiple(anchor, index, true));
        }
        offer(facts.high.and_then(|bound| step.multiple(bound.edge(), 0, false)));
        offer(facts.high.and_then(|bound| step.multiple(bound.edge(), 1, false)));
    }
    offer(to_number(0));
    if facts.low.is_some() {
        offer(to_number(low));
        offer(to_number(low.saturating_add(1)));
    }
    if facts.high.is_some() {
        offer(to_number(high));
        offer(to_number(high.saturating_sub(1)));
    }
    if !whole_only {
        fractions(facts).into_iter().for_each(|float| offer(Number::from_f64(float)));
    }
    // Where programs that count in 32 bits, 53 bits or without a sign stumble.
    for edge in [-1, 2_147_483_647, 2_147_483_648, -2_147_483_648, 4_294_967_296, SAFE, -SAFE] {
        offer(to_number(edge));
    }
    if recorder.nudge > 0
        && let Some(number) = nudged(facts, &ready, recorder.nudge)
    {
        return Some(Value::Number(number));
    }
    let picked = recorder.pick(Choice::Value, ready.len().saturating_add(1));
    match ready.get(picked) {
        Some(number) => Some(Value::Number(number.clone())),
        None => any(facts, whole_only, low, high, recorder)
            .or_else(|| ready.into_iter().next())
            .map(Value::Number),
    }
}

/// The whole numbers that the bounds leave, in a range that is not too large.
fn whole_range(facts: &Facts<'_>) -> (i128, i128) {
    let low = facts.low.map(|bound| bound.inner(true));
    let high = facts.high.map(|bound| bound.inner(false));
    match (low, high) {
        (Some(low), Some(high)) => (low, high),
        (Some(low), None) => (low, low.saturating_add(1000).max(SAFE)),
        (None, Some(high)) => (high.saturating_sub(1000).min(-SAFE), high),
        (None, None) => (-SAFE, SAFE),
    }
}

/// Numbers with a fraction: inside the range, and at its ends.
fn fractions(facts: &Facts<'_>) -> Vec<f64> {
    let (low, high) = (facts.low.map(|bound| bound.edge()), facts.high.map(|bound| bound.edge()));
    let mut found = vec![0.5, 1.5];
    if let (Some(low), Some(high)) = (low, high) {
        found.push(low / 2.0 + high / 2.0);
    }
    found.extend(low.into_iter().chain(high));
    found.extend(low.map(|low| low + 0.5));
    found.extend(high.map(|high| high - 0.5));
    found.retain(|float| float.fract() != 0.0);
    found
}

/// Another number for another item: the plain one moved on, or the next ready one.
fn nudged(facts: &Facts<'_>, ready: &[Number], nudge: u64) -> Option<Number> {
    let first = ready.first()?;
    let moved = match facts.steps.first() {
        Some(step) => step.multiple(float(first), i128::from(nudge), true),
        None => whole(first).and_then(|whole| to_number(whole.saturating_add(i128::from(nudge)))),
    };
    moved.filter(|number| facts.admits_number(number)).or_else(|| {
        let index = usize::try_from(nudge).ok()?.checked_rem(ready.len())?;
        ready.get(index).cloned()
    })
}

/// Any number in the range.
fn any(
    facts: &Facts<'_>,
    whole_only: bool,
    low: i128,
    high: i128,
    recorder: &mut Recorder<'_>,
) -> Option<Number> {
    let span = high.checked_sub(low)?.checked_add(1).and_then(|span| u64::try_from(span).ok());
    let offset = recorder.pick_wide(Choice::Detail, span.unwrap_or(u64::MAX));
    let number = match facts.steps.first() {
        Some(step) => {
            let number =
                step.multiple(float(&to_number(low)?), i128::from(offset.checked_rem(1000)?), true)?;
            Some(number)
        }
        None => to_number(low.saturating_add(i128::from(offset))),
    };
    if !whole_only && facts.steps.is_empty() && recorder.pick(Choice::Detail, 2) == 1 {
        let thousandths = recorder.pick_wide(Choice::Detail, 1000);
        let fraction = Number::from(thousandths).as_f64()? / 1000.0;
        let broken = number.as_ref().and_then(|number| Number::from_f64(float(number) + fraction));
        if let Some(broken) = broken.filter(|broken| facts.admits_number(broken)) {
            return Some(broken);
        }
    }
    number.filter(|number| facts.admits_number(number) && (!whole_only || whole(number).is_some()))
}
