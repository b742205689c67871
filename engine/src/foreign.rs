//! Everything that the compiler cannot check: libFuzzer is C++ and calls back into us, and another process writes into
//! memory that we map. Nothing else in the workspace is unsafe.
#![expect(unsafe_code, reason = "the boundary to C++ and to other processes, kept in this one file")]

use std::cell::UnsafeCell;
use std::ffi::{CString, c_char, c_int, c_uint};
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::sync::{Mutex, PoisonError};

use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use crate::mutate::Marks;
use crate::{EngineError, FEEDBACK, Flow, Target, mutate};

// Its build links libFuzzer into whatever uses the crate.
extern crate libfuzzer_sys as _;

type Callback = extern "C" fn(*const u8, usize) -> c_int;

// SAFETY: these are the declarations in FuzzerInterface.h.
unsafe extern "C" {
    fn LLVMFuzzerMutate(data: *mut u8, length: usize, longest: usize) -> usize;
    fn LLVMFuzzerRunDriver(count: *mut c_int, words: *mut *mut *mut c_char, callback: Callback) -> c_int;
}

/// What `fuzz_target!` of libfuzzer-sys would define. It is never called: the callback is ours.
// SAFETY: no other crate defines it, since none of ours uses that macro.
#[unsafe(no_mangle)]
extern "Rust" fn rust_fuzzer_test_input(_input: &[u8]) -> i32 {
    0
}

/// The counters that libFuzzer reads after each input and sets to zero before it. Where it looks for them in no section
/// (macOS), it sees none, and goes blind.
#[repr(C, align(4096))]
struct Counters(UnsafeCell<[u8; FEEDBACK]>);

// SAFETY: they are touched in `callback` alone, and by libFuzzer around it, on the one thread that runs it.
unsafe impl Sync for Counters {}

// SAFETY: libFuzzer takes whatever is in this section for counters of one byte each, and they are.
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = "__libfuzzer_extra_counters"))]
#[used]
static COUNTERS: Counters = Counters(UnsafeCell::new([0; FEEDBACK]));

/// What is fuzzed: libFuzzer passes nothing of ours to the callback.
static TARGET: Mutex<Option<Box<dyn Target>>> = Mutex::new(None);

extern "C" fn callback(data: *const u8, length: usize) -> c_int {
    let input: &[u8] = if length == 0 {
        &[]
    } else {
        // SAFETY: libFuzzer passes `length` readable bytes that stay as they are during the call.
        unsafe { std::slice::from_raw_parts(data, length) }
    };
    // SAFETY: libFuzzer reads and clears the counters before and after the call and not during it; calls do not nest.
    let feedback: &mut [u8] = unsafe { &mut *COUNTERS.0.get() };
    let mut target = TARGET.lock().unwrap_or_else(PoisonError::into_inner);
    match target.as_mut().map_or(Flow::Stop, |target| target.execute(input, feedback)) {
        Flow::Keep => 0,
        Flow::Reject => -1,
        // SAFETY: ends the process. `exit` would run a handler of libFuzzer that takes this for a crash.
        Flow::Stop => unsafe { libc::_exit(0) },
    }
}

/// How many first bytes of an input are left to libFuzzer's own changes, and what has a meaning behind them.
static SHAPE: Mutex<(usize, Marks)> = Mutex::new((0, Marks { next: 0, known: 0 }));

/// Called by libFuzzer, which finds it by its name, to change an input.
// SAFETY: no other crate defines it, since none of ours uses `fuzz_mutator!`.
#[unsafe(no_mangle)]
extern "C" fn LLVMFuzzerCustomMutator(data: *mut u8, length: usize, longest: usize, seed: c_uint) -> usize {
    if !data.is_null() && length <= longest {
        // SAFETY: libFuzzer passes `longest` bytes that may be written, and nobody else has them during the call.
        let buffer = unsafe { std::slice::from_raw_parts_mut(data, longest) };
        let shape = *SHAPE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(changed) = mutate::readable(buffer, length, shape, seed) {
            return changed;
        }
    }
    // SAFETY: these are the arguments that libFuzzer passed, for the function that it provides for this.
    unsafe { LLVMFuzzerMutate(data, length, longest) }
}

/// Gives the process to libFuzzer.
pub(crate) fn drive(
    words: &[CString],
    shape: (usize, Marks),
    target: Box<dyn Target>,
) -> Result<(), EngineError> {
    *SHAPE.lock().unwrap_or_else(PoisonError::into_inner) = shape;
    // libFuzzer refers to it weakly, which is no reason for a linker to keep it.
    std::hint::black_box(LLVMFuzzerCustomMutator as *const ());
    {
        let mut place = TARGET.lock().unwrap_or_else(PoisonError::into_inner);
        if place.is_some() {
            return Err(EngineError::Busy);
        }
        *place = Some(target);
    }
    let mut count = c_int::try_from(words.len()).map_err(|_| EngineError::Path)?;
    let mut pointers: Vec<*mut c_char> = words.iter().map(|word| word.as_ptr().cast_mut()).collect();
    pointers.push(ptr::null_mut());
    let mut first = pointers.as_mut_ptr();
    // SAFETY: `words` and `pointers` live as long as the call, are terminated as C wants it, and libFuzzer writes only
    // to the array of pointers.
    let code = unsafe { LLVMFuzzerRunDriver(&raw mut count, &raw mut first, callback) };
    Err(EngineError::Ended(code))
}

/// A range of a file in memory, shared with whoever maps it too.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<libc::c_void>,
    length: usize,
}

// SAFETY: the memory is the process's and not a thread's, and all access to it is atomic.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    pub(crate) fn new(file: &File, length: usize) -> io::Result<Mapping> {
        let size = NonZeroUsize::new(length).ok_or(io::ErrorKind::InvalidInput)?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the system chooses a place where nothing of ours is.
        let start = unsafe { mmap(None, size, access, MapFlags::MAP_SHARED, file, 0) }?;
        Ok(Mapping { start, length })
    }

    pub(crate) fn bytes(&self) -> &[AtomicU8] {
        // SAFETY: `length` bytes are mapped until `self` is dropped, and every bit pattern is a valid atomic.
        unsafe { std::slice::from_raw_parts(self.start.cast().as_ptr(), self.length) }
    }

    pub(crate) fn words(&self) -> &[AtomicU64] {
        // SAFETY: as above; a mapping begins at a page, so it is aligned.
        unsafe {
            std::slice::from_raw_parts(self.start.cast().as_ptr(), self.length / size_of::<AtomicU64>())
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and no reference outlives `self`.
        let _ = unsafe { munmap(self.start, self.length) };
    }
}
