//! Series as runtimes draw them.

use super::*;

/// What is there after so many cases.
type Draw = fn(u64) -> u64;

const MEBIBYTE: u64 = 1 << 20;

/// The room of a runtime that collects early.
const ROOM: u64 = 32 * MEBIBYTE;

/// A series of so many readings, one every `every` cases, of something drawn by a function of the cases done.
fn series(resource: Resource, readings: u64, every: u64, draw: impl Fn(u64) -> u64) -> Series {
    let mut series = Series::new(ROOM);
    for index in 0..readings {
        let cases = index * every;
        let mut reading = Reading {
            resident_bytes: 40 * MEBIBYTE,
            descriptors: 12,
            threads: 5,
            processes: 1,
            ..Reading::default()
        };
        let value = match resource {
            Resource::Processes => &mut reading.processes,
            Resource::Threads => &mut reading.threads,
            Resource::Descriptors => &mut reading.descriptors,
            Resource::Memory => &mut reading.resident_bytes,
        };
        *value = draw(cases);
        series.push(cases, reading);
    }
    series
}

/// Noise between 0 and `most`, the same every time.
fn noise(cases: u64, most: u64) -> u64 {
    let mut state = cases.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (state ^ (state >> 32)) % (most + 1)
}

fn memory(draw: impl Fn(u64) -> u64) -> Option<Growth> {
    series(Resource::Memory, 400, 50, draw).growth()
}

#[test]
fn memory_that_a_sound_server_takes_is_no_leak() {
    let start = 40 * MEBIBYTE;
    let sound: [(&str, Draw); 12] = [
        ("nothing changes", |_| 40 * MEBIBYTE),
        ("warm-up and plateau", |cases| (40 + cases.min(5_000) / 50) * MEBIBYTE),
        ("warm-up that just reaches the second half", |cases| (40 + cases.min(11_000) / 50) * MEBIBYTE),
        ("slower and slower", |cases| 40 * MEBIBYTE + ((1.0 + cases as f64).ln() * 3e7) as u64),
        ("a cache that fills", |cases| {
            40 * MEBIBYTE + ((1.0 - (-(cases as f64) / 4000.0).exp()) * 2e8) as u64
        }),
        ("sawtooth, many teeth", |cases| (40 + cases % 2000 / 20) * MEBIBYTE),
        ("sawtooth, two long teeth", |cases| (40 + cases % 7000 / 20) * MEBIBYTE),
        ("room that doubles", |cases| (40 + (cases / 100).next_power_of_two()) * MEBIBYTE),
        ("two late steps", |cases| {
            (40 + 60 * u64::from(cases > 13_000) + 60 * u64::from(cases > 17_000)) * MEBIBYTE
        }),
        ("noise", |cases| 40 * MEBIBYTE + noise(cases, 80 * MEBIBYTE)),
        ("growth that ends", |cases| (40 + cases.min(18_000) / 50) * MEBIBYTE),
        ("grows, but less than a page each case", |cases| 40 * MEBIBYTE + cases * 3000),
    ];
    for (name, draw) in sound {
        assert_eq!(memory(draw), None, "{name}");
    }
    // Enough for a case, but little altogether.
    let little = series(Resource::Memory, 400, 5, |cases| start + cases * 20_000).growth();
    assert_eq!(little, None);
}

#[test]
fn memory_that_is_never_given_back_is_a_leak() {
    let leaks: [(&str, Draw); 5] = [
        ("straight", |cases| 40 * MEBIBYTE + cases * 8192),
        ("after a warm-up", |cases| (40 + cases.min(5_000) / 25) * MEBIBYTE + cases * 8192),
        ("with noise", |cases| 40 * MEBIBYTE + cases * 8192 + noise(cases, 6 * MEBIBYTE)),
        ("beneath a sawtooth", |cases| 40 * MEBIBYTE + cases * 16_384 + cases % 1000 / 50 * MEBIBYTE),
        ("in steps of an arena", |cases| 40 * MEBIBYTE + cases * 10_000 / (4 * MEBIBYTE) * (4 * MEBIBYTE)),
    ];
    for (name, draw) in leaks {
        let growth = memory(draw).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(growth.resource, Resource::Memory, "{name}");
        assert!(growth.per_case() > 7000.0 && growth.per_case() < 18_000.0, "{name}: {growth:?}");
        assert!(growth.cases > 7000 && growth.cases <= 10_000, "{name}: {growth:?}");
    }
}

#[test]
fn what_is_counted_in_pieces_leaks_in_pieces() {
    let rows: [(Resource, u64, Draw, bool); 13] = [
        (Resource::Descriptors, 100, |cases| 12 + cases, true),
        (Resource::Descriptors, 100, |cases| 12 + cases / 18, true),
        (Resource::Descriptors, 100, |cases| 12 + cases / 25, false),
        (Resource::Descriptors, 100, |cases| 12 + cases / 10 + noise(cases, 5), true),
        (Resource::Descriptors, 100, |cases| 12 + cases % 300, false),
        (Resource::Descriptors, 100, |cases| 12 + noise(cases, 200), false),
        (Resource::Descriptors, 4, |cases| 12 + cases / 10, false),
        (Resource::Threads, 100, |cases| 5 + cases / 4, true),
        (Resource::Threads, 100, |cases| 5 + cases.min(512), false),
        (Resource::Threads, 100, |cases| 5 + cases / 1000, false),
        (Resource::Processes, 100, |cases| 1 + cases / 18, true),
        (Resource::Processes, 100, |cases| 1 + cases % 2, false),
        (Resource::Processes, 100, |cases| 1 + (cases / 300).min(4), false),
    ];
    for (index, (resource, every, draw, leaks)) in rows.into_iter().enumerate() {
        let found = series(resource, 100, every / 4 + 1, draw).growth().map(|growth| growth.resource);
        assert_eq!(found, leaks.then_some(resource), "row {index}");
    }
}

#[test]
fn the_most_telling_is_named() {
    let mut series = Series::new(ROOM);
    for index in 0..200 {
        let reading = Reading {
            resident_bytes: (40 + index) * MEBIBYTE,
            descriptors: 12 + 3 * index,
            threads: 1 + index,
            processes: 1 + index,
            ..Reading::default()
        };
        series.push(index * 5, reading);
    }
    assert_eq!(series.growth().map(|growth| growth.resource), Some(Resource::Processes));
}

#[test]
fn too_little_is_no_evidence() {
    assert_eq!(Series::new(ROOM).growth(), None);
    let leak = |cases| 40 * MEBIBYTE + cases * MEBIBYTE;
    // Few readings, and few cases.
    assert_eq!(series(Resource::Memory, 40, 100, leak).growth(), None);
    assert_eq!(series(Resource::Memory, 200, 1, leak).growth(), None);
    assert!(series(Resource::Memory, 200, 4, leak).growth().is_some());
}

#[test]
fn a_runtime_may_fill_its_room_before_it_collects() {
    let draw = |mut series: Series| {
        for index in 0..200 {
            let reading = Reading { resident_bytes: (40 + index) * MEBIBYTE, ..Reading::default() };
            series.push(index * 100, reading);
        }
        series.growth().is_some()
    };
    assert!(draw(Series::new(ROOM)));
    assert!(!draw(Series::new(300 * MEBIBYTE)));
}

#[test]
fn a_long_series_stays_small_and_even() {
    let long = series(Resource::Memory, 100_000, 10, |cases| 40 * MEBIBYTE + cases * 5000);
    assert!(long.points.len() < KEPT && long.points.len() >= KEPT / 2, "{}", long.points.len());
    let gaps: Vec<u64> = long.points.windows(2).map(|pair| pair[1].cases - pair[0].cases).collect();
    assert!(gaps.iter().all(|gap| *gap == gaps[0]), "{gaps:?}");
    assert!(long.growth().is_some());
}

#[test]
fn extreme_numbers_are_no_trouble() {
    let mut series = Series::new(ROOM);
    for index in 0..2000_u64 {
        let reading = Reading { resident_bytes: u64::MAX - index % 3, ..Reading::default() };
        series.push(u64::MAX - 2000 + index, reading);
    }
    assert_eq!(series.growth(), None);
    let falling = (0..2000_u64).rev().fold(Series::new(ROOM), |mut series, cases| {
        series.push(cases, Reading::default());
        series
    });
    assert_eq!(falling.growth(), None);
}
