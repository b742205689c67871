//! Changes to inputs that are mostly text: libFuzzer's own treat all bytes alike, and what servers compare is readable.

/// The first character that is readable, and how many follow it.
const READABLE: (u8, u64) = (b' ', 95);

/// Bytes that mean something in what is otherwise text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Ends one part and begins the next, which the byte behind it names.
    pub next: u8,
    /// Begins a part that the byte behind it stands for.
    pub known: u8,
}

/// One change in so many is to the parts and not to a character.
const PARTS: u64 = 12;

/// Changes one byte behind the first `head` ones: puts a readable character in its place, or before it, or takes it
/// away; or now and then a whole part: begins another one, or puts what is known in the place of one. `buffer` is as long as an input may be, and `length` of it are used; returns how many are used then, or nothing
/// if the engine's own changes are due, which they are in every second case.
pub(crate) fn readable(
    buffer: &mut [u8],
    length: usize,
    (head, marks): (usize, Marks),
    seed: u32,
) -> Option<usize> {
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
    if below(PARTS) == 0 {
        let known = [marks.known, u8::try_from(below(256)).ok()?];
        let property = u8::try_from(below(256)).ok()?;
        let text = buffer.get(head..length)?;
        let before = text.get(..place - head)?.iter().rposition(|byte| *byte == marks.next);
        let behind = text.get(place - head..)?.iter().position(|byte| *byte == marks.next);
        let end = behind.map_or(length, |at| place + at);
        // Behind the mark and the property.
        let start = before.map_or(head, |at| head + at + 2).min(end);
        return match below(3) {
            0 => replace(buffer, length, (start, end), &known),
            1 => replace(buffer, length, (end, end), &[marks.next, property, known[0], known[1]]),
            _ => replace(buffer, length, (end, end), &[marks.next, property, character]),
        };
    }
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

/// Puts bytes in the place of a range of those that are used; nothing if they do not fit.
fn replace(buffer: &mut [u8], length: usize, (start, end): (usize, usize), bytes: &[u8]) -> Option<usize> {
    let changed = length.checked_sub(end.checked_sub(start)?)?.checked_add(bytes.len())?;
    if changed > buffer.len() || end > length {
        return None;
    }
    buffer.copy_within(end..length, start + bytes.len());
    buffer.get_mut(start..start + bytes.len())?.copy_from_slice(bytes);
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: Marks = Marks { next: 0xff, known: 0xfe };

    #[test]
    fn one_character_behind_the_head_changes_and_no_other() {
        let (mut shorter, mut longer, mut same) = (0, 0, 0);
        for seed in 0..10_000 {
            let mut buffer = *b"\x00\xffabcd\xee\xee";
            let Some(length) = readable(&mut buffer, 6, (2, MARKS), seed) else { continue };
            assert_eq!(&buffer[..2], b"\x00\xff");
            if buffer[2..length].iter().any(|byte| [MARKS.next, MARKS.known].contains(byte)) {
                continue;
            }
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
    fn parts_begin_and_become_what_is_known_and_the_others_stay() {
        let (mut known, mut begun) = (0, 0);
        for seed in 0..10_000 {
            let mut buffer = [0; 16];
            buffer[..8].copy_from_slice(b"\0\0ab\xff\x01cd");
            let Some(length) = readable(&mut buffer, 8, (2, MARKS), seed) else { continue };
            let parts: Vec<&[u8]> = buffer[2..length].split(|byte| *byte == MARKS.next).collect();
            let is_known = |part: &[u8]| part.contains(&MARKS.known);
            match parts.len() {
                2 if parts.iter().any(|part| is_known(part)) => {
                    known += 1;
                    assert!(parts[0] == b"ab" || parts[1] == b"\x01cd", "{parts:?}");
                }
                3 => {
                    begun += 1;
                    assert!(parts.contains(&&b"ab"[..]) && parts.contains(&&b"\x01cd"[..]), "{parts:?}");
                }
                _ => {}
            }
        }
        assert!(known > 50 && begun > 150, "{known} {begun}");
    }

    #[test]
    fn a_full_or_empty_buffer_is_no_trouble() {
        for seed in 0..1000 {
            assert!(readable(&mut [0; 3], 3, (2, MARKS), seed).is_none_or(|length| length <= 3));
            assert_eq!(readable(&mut [], 0, (0, MARKS), seed), None);
            assert_eq!(readable(&mut [0; 4], 1, (2, MARKS), seed), None);
        }
    }
}
