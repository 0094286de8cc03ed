//! Arbitrary bytes as frames: nothing panics, and memory stays within what the frame's length justifies.
//!
//! Runs for a moment under `cargo test`; `cargo bolero test any_frame_is_survived_within_its_memory_budget` goes on for as
//! long as it is let.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::Bytes;
use vltava::wire::api::{self, ApiKey};
use vltava::wire::control_records::ControlRecord;
use vltava::wire::messages::*;
use vltava::wire::metadata_records::MetadataRecord;
use vltava::wire::{Message, Piece, Reader, Records, Request, Text, Writer};
use vltava::wire::{
    decode_request_header, decode_response, encode_request, encode_response, memory_budget,
};

/// Counts what the calling thread holds and has asked for, so that tests which run beside each other do not disturb.
struct CountingAllocator;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn take(size: usize) {
    let held = HELD.get().wrapping_add(size);
    HELD.set(held);
    // What another thread allocated and this one freed makes the count wrap; it is then no peak.
    if held < usize::MAX / 2 {
        PEAK.set(PEAK.get().max(held));
    }
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

fn give(size: usize) {
    HELD.set(HELD.get().wrapping_sub(size));
}

// SAFETY: every call goes to the system's allocator unchanged; the counters are plain thread-local cells that neither
// allocate nor are dropped.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        give(layout.size());
        // SAFETY: `block` came from `System` with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// What `work` holds at its peak (bytes) beyond what was held before, and how often it asks.
fn measured<T>(work: impl FnOnce() -> T) -> (T, usize, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let allocations = ALLOCATIONS.get();
    let result = work();
    (result, PEAK.get() - before, ALLOCATIONS.get() - allocations)
}

/// Errors and the shared count of a frame's references come on top of the arrays.
const BESIDE_ARRAYS: usize = 1024;

/// Calls `$check::<R>` for the request of every API that is served.
macro_rules! each_api {
    ($check:ident $arguments:tt) => {
        $check::<produce::ProduceRequest> $arguments;
        $check::<fetch::FetchRequest> $arguments;
        $check::<list_offsets::ListOffsetsRequest> $arguments;
        $check::<metadata::MetadataRequest> $arguments;
        $check::<find_coordinator::FindCoordinatorRequest> $arguments;
        $check::<api_versions::ApiVersionsRequest> $arguments;
        $check::<create_topics::CreateTopicsRequest> $arguments;
        $check::<delete_topics::DeleteTopicsRequest> $arguments;
        $check::<init_producer_id::InitProducerIdRequest> $arguments;
        $check::<offset_for_leader_epoch::OffsetForLeaderEpochRequest> $arguments;
        $check::<describe_configs::DescribeConfigsRequest> $arguments;
        $check::<describe_cluster::DescribeClusterRequest> $arguments;
        $check::<describe_topic_partitions::DescribeTopicPartitionsRequest> $arguments;
    };
}

fn decode_both_ways<R: Request>(frame: &Bytes, version: i16) {
    let (_, peak, _) = measured(|| R::decode(&mut Reader::new(frame.clone()), version).is_ok());
    check_peak(R::NAME, version, peak, frame);
    let (_, peak, _) = measured(|| decode_response::<R>(frame.clone(), version).is_ok());
    check_peak(R::Response::NAME, version, peak, frame);
}

/// Decodes `frame` as request and as answer of every API in the version given, and as records.
fn decode_as_everything(frame: &Bytes, version: i16) {
    each_api!(decode_both_ways(frame, version));
    let (_, peak, _) = measured(|| decode_request_header(&mut Reader::new(frame.clone())).is_ok());
    check_peak("RequestHeader", version, peak, frame);
    let (_, peak, _) = measured(|| MetadataRecord::decode(frame.clone()).is_ok());
    check_peak("MetadataRecord", version, peak, frame);
    let (_, peak, _) = measured(|| ControlRecord::decode(version, frame.clone()).is_ok());
    check_peak("ControlRecord", version, peak, frame);
}

#[track_caller]
fn check_peak(message: &str, version: i16, peak: usize, frame: &Bytes) {
    let allowed = memory_budget(frame.len()) + BESIDE_ARRAYS;
    assert!(
        peak <= allowed,
        "{message} {version}: {peak} bytes for a frame of {}, allowed {allowed}",
        frame.len()
    );
}

/// Random bytes seldom make valid lengths: half of the frames are made mostly of small numbers.
fn with_small_numbers(bytes: &[u8]) -> Bytes {
    bytes
        .iter()
        .map(|byte| if *byte < 230 { byte % 4 } else { *byte })
        .collect()
}

#[test]
fn any_frame_is_survived_within_its_memory_budget() {
    bolero::check!()
        .with_type::<(u8, bool, Vec<u8>)>()
        .for_each(|(version, small, bytes)| {
            let frame = if *small {
                with_small_numbers(bytes)
            } else {
                Bytes::copy_from_slice(bytes)
            };
            // Versions -1 to 20: those served, and a few beyond on either side.
            decode_as_everything(&frame, i16::from(version % 22) - 1);
        });
}

#[test]
fn a_frame_of_nothing_but_elements_stays_within_its_memory_budget() {
    for fill in 0..=4u8 {
        for header in [
            &[0u8, 0, 0, 0][..],
            &[0, 0x7f, 0xff, 0xff],
            &[0xff, 0xff, 0xff, 0x0f],
            &[0, 1, 0, 0],
        ] {
            let mut bytes = header.to_vec();
            bytes.resize(1_000_000, fill);
            let frame = Bytes::from(bytes);
            for version in -1..=20 {
                decode_as_everything(&frame, version);
            }
        }
    }
}

#[test]
fn an_array_of_millions_of_empty_strings_is_refused_at_the_budget() {
    // DeleteTopics 4: an empty name takes 1 byte on the wire and 32 in memory.
    let mut bytes = vec![0x81, 0x89, 0x7a]; // varint: 2 000 000 and one
    bytes.resize(2_000_010, 1);
    let frame = Bytes::from(bytes);
    let (fault, peak, _) = measured(|| {
        let request = delete_topics::DeleteTopicsRequest::decode(&mut Reader::new(frame), 4);
        request.expect_err("a refusal")
    });
    let fault = fault.to_string();
    assert!(
        fault.starts_with("DeleteTopicsRequest.topic_names at byte 3"),
        "{fault}"
    );
    assert!(
        fault.contains("more memory than a frame of 2000010 bytes justifies"),
        "{fault}"
    );
    assert!(peak < 4096, "{peak} bytes");
}

/// Guards the tests above: if every frame were refused at once, they would show nothing.
#[test]
fn every_served_version_decodes_its_own_smallest_message() {
    fn smallest<R: Request>() {
        let row = api::row(R::KEY as i16).expect("a row for every request");
        for version in row.served.clone() {
            let mut w = Writer::default();
            R::default().encode(&mut w, version);
            let read = R::decode(&mut Reader::new(w.finish_bytes()), version);
            assert_eq!(read, Ok(R::default()), "{version}");

            let pieces = encode_response(5, R::KEY, version, &R::Response::default());
            let read = decode_response::<R>(in_memory(pieces).slice(4..), version);
            assert_eq!(read, Ok((5, R::Response::default())), "{version}");
        }
    }
    each_api!(smallest());
}

fn produce_request(records: Bytes) -> produce::ProduceRequest {
    let partition = produce::PartitionProduceData {
        index: 0,
        records: Records::Bytes(records),
    };
    let topic = produce::TopicProduceData {
        name: Text::from("topic"),
        partition_data: vec![partition],
        ..Default::default()
    };
    produce::ProduceRequest {
        acks: -1,
        timeout_ms: 1000,
        topic_data: vec![topic],
        ..Default::default()
    }
}

fn in_memory(pieces: Vec<Piece>) -> Bytes {
    let parts = pieces.into_iter().map(|piece| match piece {
        Piece::Bytes(bytes) => bytes,
        Piece::External { len, .. } => Bytes::from(vec![0; len as usize]),
    });
    Bytes::from(parts.collect::<Vec<_>>().concat())
}

#[test]
fn a_produce_request_takes_three_allocations_and_copies_no_record() {
    let frame = in_memory(encode_request(
        Some("c"),
        1,
        11,
        &produce_request(Bytes::from(vec![7; 100_000])),
    ));
    let (request, _, allocations) = measured(|| {
        let mut r = Reader::new(frame.slice(4..));
        let header = decode_request_header(&mut r).unwrap();
        produce::ProduceRequest::decode(&mut r, header.api_version).unwrap()
    });
    // One for each of the two arrays, and one when the frame is first shared.
    assert!(allocations <= 3, "{allocations} allocations");
    let Records::Bytes(records) = &request.topic_data[0].partition_data[0].records else {
        panic!("no records")
    };
    assert!(frame.as_ptr_range().contains(&records.as_ptr()));
}

#[test]
fn a_produce_response_takes_three_allocations() {
    let partition = produce::PartitionProduceResponse {
        base_offset: 7,
        ..Default::default()
    };
    let topic = produce::TopicProduceResponse {
        name: Text::from("topic"),
        partition_responses: vec![partition],
        ..Default::default()
    };
    let response = produce::ProduceResponse {
        responses: vec![topic],
        ..Default::default()
    };
    let (pieces, _, allocations) = measured(|| encode_response(1, ApiKey::Produce, 11, &response));
    // The buffer, its shared count, and the list of pieces.
    assert!(allocations <= 3, "{allocations} allocations");
    assert_eq!(pieces.len(), 1);
}

#[test]
fn a_fetch_response_leaves_holes_for_external_records_and_copies_nothing() {
    let partition = |token| fetch::PartitionData {
        partition_index: token as i32,
        records: Records::External {
            token,
            len: 1_000_000,
        },
        ..Default::default()
    };
    let partitions = (0..8).map(partition).collect();
    let topic = fetch::FetchableTopicResponse {
        partitions,
        ..Default::default()
    };
    let response = fetch::FetchResponse {
        responses: vec![topic],
        ..Default::default()
    };
    let (pieces, peak, allocations) = measured(|| encode_response(1, ApiKey::Fetch, 16, &response));
    // The buffer, its shared count, and the list of pieces as it doubles.
    assert!(allocations <= 6, "{allocations} allocations");
    assert!(peak < 8 * 1024, "{peak} bytes");

    let tokens: Vec<u32> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::External {
                token,
                len: 1_000_000,
            } => Some(*token),
            _ => None,
        })
        .collect();
    assert_eq!(tokens, [0, 1, 2, 3, 4, 5, 6, 7]);
    let frame = in_memory(pieces);
    assert_eq!(frame[..4], ((frame.len() - 4) as i32).to_be_bytes());
    let (_, read) = decode_response::<fetch::FetchRequest>(frame.slice(4..), 16).unwrap();
    assert!(
        read.responses[0]
            .partitions
            .iter()
            .all(|partition| partition.records.len() == 1_000_000)
    );
}
