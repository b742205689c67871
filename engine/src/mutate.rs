//! Changes to inputs that are mostly text: libFuzzer's own treat all bytes alike, and what servers compare is readable.

/// The first character that is readable, and how many follow it.
const READABLE: (u8, u64) = (b' ', 95);

/// Changes one byte behind the first `head` ones: puts a readable character in its place, or before it, or takes it
/// away. `buffer` is as long as an input may be, and `length` of it are used; returns how many are used then, or nothing
/// if the engine's own changes are due, which they are in every second case.
pub(crate) fn readable(buffer: &mut [u8], length: usize, head: usize, seed: u32) -> Option<usize> {
    let mut state = u64::from(seed);
    let mut below = |bound: u64| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(bound).unwrap_or(0)
    };
    if below(2) == 0 || length < head {
        return None;
    }
    let places = u64::try_from(length - head).ok()?.checked_add(1)?;
    let place = head + usize::try_from(below(places)).ok()?;
    let character = READABLE.0.checked_add(u8::try_from(below(READABLE.1)).ok()?)?;
    match below(4) {
        // Behind the last byte there is nothing to take away or to replace.
        0 if place < length => {
            buffer.copy_within(place + 1..length, place);
            Some(length - 1)
        }
        1 if length < buffer.len() => {
            buffer.copy_within(place..length, place + 1);
            *buffer.get_mut(place)? = character;
            Some(length + 1)
        }
        _ => {
            *buffer.get_mut(place)? = character;
            Some(length.max(place + 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_behind_the_head_changes_and_no_other() {
        let (mut shorter, mut longer, mut same) = (0, 0, 0);
        for seed in 0..10_000 {
            let mut buffer = *b"\x00\xffabcd\xee\xee";
            let Some(length) = readable(&mut buffer, 6, 2, seed) else { continue };
            assert_eq!(&buffer[..2], b"\x00\xff");
            assert!(buffer[..length].iter().skip(2).all(|byte| (b' '..=b'~').contains(byte)), "{buffer:?}");
            match length {
                5 => shorter += 1,
                6 => same += 1,
                7 => longer += 1,
                other => panic!("{other} bytes"),
            }
        }
        assert!(shorter > 500 && longer > 500 && same > 500, "{shorter} {longer} {same}");
    }

    #[test]
    fn a_full_or_empty_buffer_is_no_trouble() {
        for seed in 0..1000 {
            assert!(readable(&mut [0; 3], 3, 2, seed).is_none_or(|length| length <= 3));
            assert_eq!(readable(&mut [], 0, 0, seed), None);
            assert_eq!(readable(&mut [0; 4], 1, 2, seed), None);
        }
    }
}
