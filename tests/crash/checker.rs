//! Reads everything back and compares it with what the writers know.

use vltava::wire::ErrorCode;
use vltava::wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestTopic};
use vltava::wire::records::{Scratch, batches};

use super::book::Book;
use crate::harness::group_requests::OFFSET_FETCH;
use crate::harness::requests::{LIST_OFFSETS, data_of};
use crate::harness::wire_client::{WireClient, wait_until};

/// No batch of the writers is larger when unpacked.
const INFLATED_MAX: u64 = 64 << 20;
/// What ListOffsets calls the beginning.
const EARLIEST: i64 = -2;

/// Checks one partition, and returns how many records it has.
pub fn check(client: &mut WireClient, book: &mut Book) -> usize {
    let what = format!("{}-{}", book.topic().name, book.partition);
    let found = client.list_offset(LIST_OFFSETS, book.topic().name, book.partition, EARLIEST);
    assert_eq!(found.error_code, ErrorCode::NONE, "{what}: {found:?}");
    let start = found.offset;
    assert!(
        (book.log_start_least..=book.log_start_most).contains(&start),
        "{what}: the log begins at {start}, not within {}..={}",
        book.log_start_least,
        book.log_start_most
    );
    book.log_start_least = start;
    let numbers = read(client, book, start, &what);
    check_order(book, start, &numbers, &what);
    check_acknowledged(book, start, &numbers, &what);
    check_committed(client, book, &what);
    numbers.len()
}

/// The numbers of all records from `start` on, whose offsets have no gap.
fn read(client: &mut WireClient, book: &Book, start: i64, what: &str) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut scratch = Scratch::default();
    loop {
        let next = start + numbers.len() as i64;
        let answer = client.fetch(book.topic().name, book.partition, next);
        assert_eq!(
            answer.error_code,
            ErrorCode::NONE,
            "{what} at {next}: {answer:?}"
        );
        let before = numbers.len();
        for batch in batches(data_of(&answer)) {
            let batch = batch.unwrap_or_else(|error| panic!("{what} behind {next}: {error:?}"));
            let records = batch.records(INFLATED_MAX, &mut scratch);
            let records = records.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            for record in &records {
                let record = record.unwrap_or_else(|error| panic!("{what}: {error:?}"));
                let expected = start + numbers.len() as i64;
                if record.offset.0 < next {
                    continue;
                }
                assert_eq!(record.offset.0, expected, "{what}: a gap");
                let value = record.value.unwrap_or_default();
                numbers.push(book.number_of(value, what));
            }
        }
        if numbers.len() == before {
            assert_eq!(
                next, answer.high_watermark,
                "{what}: the end is not reached"
            );
            return numbers;
        }
    }
}

/// Records lie in the order in which they were sent, each once; an idempotent producer's without a gap, up to the last.
fn check_order(book: &Book, start: i64, numbers: &[u64], what: &str) {
    for (at, pair) in numbers.windows(2).enumerate() {
        let offset = start + at as i64 + 1;
        let [before, number] = [pair[0], pair[1]];
        assert!(
            before < number,
            "{what} offset {offset}: {number} behind {before}"
        );
        let gap = book.topic().idempotent && number != before + 1;
        assert!(!gap, "{what} offset {offset}: {number} behind {before}");
    }
    if let Some(last) = numbers.last() {
        assert!(*last < book.next, "{what}: {last} was never sent");
    }
}

/// Every acknowledged record that was not deleted is at the offset that its writer was told.
fn check_acknowledged(book: &mut Book, start: i64, numbers: &[u64], what: &str) {
    book.acknowledged
        .retain(|batch| batch.base_offset + batch.count as i64 > start);
    for batch in &book.acknowledged {
        for delta in 0..batch.count {
            let Ok(at) = usize::try_from(batch.base_offset + delta as i64 - start) else {
                continue;
            };
            assert_eq!(
                numbers.get(at),
                Some(&(batch.first + delta)),
                "{what}: {batch:?} is not there; the log has {start}..{}",
                start + numbers.len() as i64
            );
        }
    }
}

fn check_committed(client: &mut WireClient, book: &Book, what: &str) {
    let request = OffsetFetchRequest {
        group_id: book.group().as_str().into(),
        topics: Some(vec![OffsetFetchRequestTopic {
            name: book.topic().name.into(),
            partition_indexes: vec![book.partition],
            ..OffsetFetchRequestTopic::default()
        }]),
        ..OffsetFetchRequest::default()
    };
    let mut offset = -1;
    wait_until("the committed offset", || {
        let answer = client.call(OFFSET_FETCH, &request);
        if answer.error_code == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS {
            return false;
        }
        assert_eq!(answer.error_code, ErrorCode::NONE, "{what}: {answer:?}");
        offset = answer.topics[0].partitions[0].committed_offset;
        true
    });
    assert!(
        (book.committed_least..=book.committed_most).contains(&offset),
        "{what}: {offset} is committed, not within {}..={}",
        book.committed_least,
        book.committed_most
    );
}
