//! Arbitrary and damaged record data: nothing panics, nothing wrong is accepted, and memory stays within fixed bounds.
//!
//! Runs for a moment under `cargo test`; `cargo bolero test any_record_data_is_judged_without_a_panic` goes on for as long
//! as it is let.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::Bytes;
use vltava::types::TimestampMs;
use vltava::wire::records::message_set::{self, up_convert};
use vltava::wire::records::{
    BatchBuilder, BatchError, BatchHeader, BatchValidator, Codec, HEADER_BYTES, Invalid, Progress,
    Scratch, TimeLookup, TimestampType, ValidatedBatch, ValidationRules, Wanted, batches, crc,
};

/// Counts what the calling thread holds, so that tests which run beside each other do not disturb.
struct CountingAllocator;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; the counters are plain thread-local cells that neither
// allocate nor are dropped.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get() + layout.size() as isize);
        PEAK.set(PEAK.get().max(HELD.get()));
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size() as isize);
        // SAFETY: `block` came from `System` with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// What `work` gives, and the bytes it held at its peak beyond what was held before.
fn measured<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    (result, (PEAK.get() - before) as usize)
}

const MAX_INFLATED: u64 = 1 << 20;

fn rules() -> ValidationRules {
    ValidationRules {
        max_message_bytes: 1 << 20,
        timestamp_type: TimestampType::CreateTime,
        timestamp_before_max_ms: i64::MAX,
        timestamp_after_max_ms: i64::MAX,
        compacted: false,
        now: TimestampMs(0),
        max_decompressed_bytes: MAX_INFLATED,
    }
}

/// Validates in steps of 1000 bytes.
fn validate(records: Bytes, rules: &ValidationRules) -> Result<ValidatedBatch, BatchError> {
    let mut scratch = Scratch::default();
    let mut validator = BatchValidator::start(records, rules)?;
    loop {
        if let Progress::Done(validated) = validator.step(&mut scratch, 1_000)? {
            return Ok(validated);
        }
    }
}

/// Every way of reading record data that comes from outside.
fn read_every_way(records: &Bytes) {
    let scratch = &mut Scratch::default();
    for batch in batches(records.clone()).map_while(Result::ok) {
        if let Ok(records) = batch.records(MAX_INFLATED, scratch) {
            let _ = records.iter().map_while(Result::ok).count();
        }
        for wanted in [Wanted::AtOrAfter(0), Wanted::Newest] {
            let lookup = TimeLookup::start(batch.bytes(), wanted, MAX_INFLATED, scratch);
            let _ = lookup.and_then(|mut lookup| lookup.run(scratch));
        }
    }
    let _ = message_set::messages(records).count();
    let _ = up_convert(records, MAX_INFLATED, scratch);
    let _ = validate(records.clone(), &rules());
}

/// Makes the length and checksum at the start of `bytes` right, so that what lies behind them is looked at too.
fn seal(bytes: &mut [u8]) {
    let (length_end, attributes) = (12, 21);
    if bytes.len() < HEADER_BYTES {
        return;
    }
    let length = (bytes.len() - length_end) as i32;
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[16] = 2;
    let crc = crc::crc32c(&bytes[attributes..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
}

fn sample(codec: Codec) -> Vec<u8> {
    let mut builder = BatchBuilder::new(codec).producer(1, 0, 0);
    builder.append(
        10,
        Some(b"key"),
        Some(&[7; 400]),
        &[("h", Some(b"x")), ("h", None)],
    );
    builder.append(20, None, None, &[]);
    builder.append(5, Some(b""), Some(b"text text text"), &[]);
    builder.build().to_vec()
}

#[test]
fn any_record_data_is_judged_without_a_panic() {
    bolero::check!().for_each(|bytes: &[u8]| {
        read_every_way(&Bytes::copy_from_slice(bytes));
        let mut sealed = bytes.to_vec();
        seal(&mut sealed);
        read_every_way(&Bytes::from(sealed));
    });
}

#[test]
fn damage_under_a_right_checksum_is_judged_without_a_panic() {
    let samples = Codec::ALL.map(sample);
    bolero::check!()
        .with_type::<(u8, Vec<(u16, u8)>)>()
        .for_each(|(codec, damage)| {
            let mut damaged = samples[usize::from(*codec) % samples.len()].clone();
            for &(at, byte) in damage.iter().take(8) {
                let at = usize::from(at) % damaged.len();
                damaged[at] = byte;
            }
            seal(&mut damaged);
            read_every_way(&Bytes::from(damaged));
        });
}

/// What passes is what a consumer reads: the same count, numbered from 0, the newest timestamp the declared one.
#[test]
fn what_passes_validation_can_be_read_to_its_end() {
    let samples = Codec::ALL.map(sample);
    bolero::check!()
        .with_type::<(u8, Vec<(u16, u8)>)>()
        .for_each(|(codec, damage)| {
            let mut damaged = samples[usize::from(*codec) % samples.len()].clone();
            for &(at, byte) in damage.iter().take(3) {
                let at = 21 + usize::from(at) % (damaged.len() - 21);
                damaged[at] = byte;
            }
            seal(&mut damaged);
            let sent = BatchHeader::read(&damaged).unwrap().attributes();
            let Ok(validated) = validate(Bytes::from(damaged), &rules()) else {
                return;
            };
            let batch = batches(validated.bytes).next().unwrap().unwrap();
            let records = batch
                .records(MAX_INFLATED, &mut Scratch::default())
                .unwrap();
            let records: Vec<_> = records.iter().map(Result::unwrap).collect();
            assert_eq!(records.len(), validated.record_count as usize);
            let in_order = (0..)
                .zip(&records)
                .all(|(at, record)| record.offset.0 == at);
            assert!(in_order);
            // With the bit for append time, which is cleared, the declared time stood for every record's.
            if sent.timestamp_type() == TimestampType::CreateTime {
                let newest = records.iter().map(|record| record.timestamp).max();
                assert_eq!(newest.unwrap().max(-1), batch.header().max_timestamp());
            }
        });
}

#[test]
fn a_batch_cut_anywhere_is_refused_without_a_panic() {
    for codec in Codec::ALL {
        let whole = sample(codec);
        for cut in 0..whole.len() {
            let cut = Bytes::copy_from_slice(&whole[..cut]);
            read_every_way(&cut);
            assert!(validate(cut.clone(), &rules()).is_err());
            let mut sealed = cut.to_vec();
            seal(&mut sealed);
            assert!(validate(sealed.into(), &rules()).is_err(), "{codec:?}");
        }
    }
}

/// A mebibyte of every codec's best compression, and what validating it may hold beside the batch itself.
#[test]
fn a_bomb_costs_a_bounded_amount_of_memory() {
    const INFLATED: usize = 200 << 20;
    for (codec, most) in [
        (Codec::Gzip, 256 << 10),
        (Codec::Snappy, 128 << 10),
        (Codec::Lz4, 128 << 10),
        // The window is zstd's own to allocate, in C; this counts what surrounds it.
        (Codec::Zstd, 128 << 10),
    ] {
        let mut builder = BatchBuilder::new(codec);
        builder.append(0, None, Some(&vec![0; INFLATED]), &[]);
        let bomb = builder.build();
        let mut rules = rules();
        rules.max_message_bytes = u32::MAX;
        rules.max_decompressed_bytes = u64::MAX;
        let (passed, peak) = measured(|| validate(bomb.clone(), &rules).is_ok());
        assert!(passed, "{codec:?}: a record may be large");
        assert!(peak < most, "{codec:?} held {peak} bytes");
        rules.max_decompressed_bytes = 10 << 20;
        let (error, peak) = measured(|| validate(bomb, &rules).unwrap_err());
        assert_eq!(error, Invalid::Inflates { max: 10 << 20 }.into());
        assert!(peak < most, "{codec:?} held {peak} bytes");
    }
}

#[test]
fn validating_uncompressed_records_allocates_nothing() {
    let mut builder = BatchBuilder::new(Codec::None);
    for _ in 0..1_000 {
        builder.append(0, Some(b"key"), Some(&[1; 1_000]), &[]);
    }
    let batch = builder.build();
    let header = *BatchHeader::read(&batch).unwrap();
    let (validated, peak) = measured(|| validate(batch, &rules()).unwrap());
    assert_eq!(validated.record_count as i32, header.record_count());
    assert!(peak < 256, "held {peak} bytes");
}
