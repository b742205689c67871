//! Memory that is shared with a process that reports what it executes.

use std::fs::File;
use std::io;
use std::sync::atomic::Ordering;

use crate::foreign::Mapping;

/// How many bytes are looked at at once.
const WORD: usize = 8;

/// A file, mapped. The other process may write at any time, so every access is an atomic one.
#[derive(Debug)]
pub struct Map {
    mapping: Mapping,
}

impl Map {
    /// Maps the first `length` bytes of a file, which must be at least as long, and a multiple of 8. Whoever shortens
    /// the file later ends this process at the next access.
    ///
    /// # Errors
    /// When the file is too short or cannot be mapped.
    pub fn new(file: &File, length: usize) -> io::Result<Map> {
        let there = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        if there < length || !length.is_multiple_of(WORD) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the file is too short to be mapped"));
        }
        Ok(Map { mapping: Mapping::new(file, length)? })
    }

    /// A number at an offset, in the byte order of this machine; 0 outside of the map.
    #[must_use]
    pub fn number(&self, offset: usize) -> u32 {
        let mut bytes = [0; 4];
        for (byte, from) in bytes.iter_mut().zip(self.mapping.bytes().iter().skip(offset)) {
            *byte = from.load(Ordering::Acquire);
        }
        u32::from_ne_bytes(bytes)
    }

    /// Sets a range to zero, as far as there is one.
    pub fn clear(&self, offset: usize, length: usize) {
        for byte in self.mapping.bytes().iter().skip(offset).take(length) {
            byte.store(0, Ordering::Release);
        }
    }

    /// Hands over every byte of a range that is not zero, with its place within the range, and sets it to zero. Nothing
    /// beside the range is written: it may be other data of the process.
    pub fn drain(&self, offset: usize, length: usize, take: &mut dyn FnMut(usize, u8)) {
        let head = (offset.next_multiple_of(WORD) - offset).min(length);
        let words = (length - head) / WORD;
        let tail = head + words * WORD;
        self.drain_bytes(offset, 0, head, take);
        for (number, word) in self.mapping.words().iter().skip((offset + head) / WORD).take(words).enumerate()
        {
            if word.load(Ordering::Relaxed) == 0 {
                continue;
            }
            for (step, value) in word.swap(0, Ordering::Relaxed).to_ne_bytes().into_iter().enumerate() {
                if value != 0 {
                    take(head + number * WORD + step, value);
                }
            }
        }
        self.drain_bytes(offset, tail, length, take);
    }

    fn drain_bytes(&self, offset: usize, from: usize, to: usize, take: &mut dyn FnMut(usize, u8)) {
        let range =
            self.mapping.bytes().iter().skip(offset.saturating_add(from)).take(to.saturating_sub(from));
        for (place, byte) in (from..).zip(range) {
            if byte.load(Ordering::Relaxed) != 0 {
                take(place, byte.swap(0, Ordering::Relaxed));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::FileExt as _;

    #[test]
    fn only_the_range_is_drained_and_only_once() {
        let folder = std::env::temp_dir().join(format!("mcp-conform-map-{}", std::process::id()));
        let mut file =
            File::options().read(true).write(true).create(true).truncate(true).open(&folder).unwrap();
        file.write_all(&[1; 64]).unwrap();
        let map = Map::new(&file, 64).unwrap();
        for (offset, length) in [(3, 2), (5, 30), (40, 8), (63, 9)] {
            let mut places = Vec::new();
            map.drain(offset, length, &mut |place, value| places.push((place, value)));
            let there = length.min(64 - offset);
            assert_eq!(places, (0..there).map(|place| (place, 1)).collect::<Vec<_>>(), "{offset} {length}");
            map.drain(offset, length, &mut |place, _| panic!("{place} is there twice"));
        }
        let mut left = [0; 64];
        file.read_exact_at(&mut left, 0).unwrap();
        let zeroes: Vec<usize> =
            left.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(place, _)| place).collect();
        assert_eq!(zeroes, (3..35).chain(40..48).chain([63]).collect::<Vec<_>>());
        file.write_all_at(&7_u32.to_ne_bytes(), 8).unwrap();
        assert_eq!((map.number(8), map.number(64)), (7, 0));
        assert!(Map::new(&file, 72).is_err() && Map::new(&file, 3).is_err());
        std::fs::remove_file(folder).unwrap();
    }
}
