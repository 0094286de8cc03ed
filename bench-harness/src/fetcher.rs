//! The reading side of a run, one connection: fetches back to back, batches by reference.

use std::collections::BTreeMap;

use vltava::client::{Connection, TopicInfo};
use vltava::wire::messages::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic};
use vltava::wire::records::BatchHeader;
use vltava::wire::{self, Records, Request};

use crate::frames::FrameReader;
use crate::run::BenchError;
use crate::target::Lane;

/// How long the broker may wait for the first byte.
const MAX_WAIT_MS: i32 = 500;

/// Fetches the partitions of one lane.
#[derive(Debug)]
pub struct Fetcher<'a> {
    connection: Connection,
    reader: FrameReader,
    version: i16,
    topic: &'a TopicInfo,
    fetch_bytes: i32,
    /// Where each partition goes on; the request on its way asks for these.
    positions: BTreeMap<i32, i64>,
    /// Where to begin again, when all partitions are read up to the second.
    round: Option<(BTreeMap<i32, i64>, BTreeMap<i32, i64>)>,
}

impl<'a> Fetcher<'a> {
    /// Connects and asks for the first records.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub fn start(
        lane: &Lane,
        topic: &'a TopicInfo,
        positions: BTreeMap<i32, i64>,
        fetch_bytes: i32,
    ) -> Result<Fetcher<'a>, BenchError> {
        let connection = lane.connect()?;
        let version = connection.version_of::<FetchRequest>()?;
        let socket = connection.socket().try_clone();
        let reader = socket
            .and_then(FrameReader::new)
            .map_err(BenchError::connection(&lane.address))?;
        let fetcher = Fetcher {
            connection,
            reader,
            version,
            topic,
            fetch_bytes,
            positions,
            round: None,
        };
        fetcher.ask()?;
        Ok(fetcher)
    }

    /// Where each partition goes on.
    pub fn positions(&self) -> &BTreeMap<i32, i64> {
        &self.positions
    }

    /// Begins again, without a wait at the end, whenever every partition is read up to `ends`.
    #[must_use]
    pub fn round_and_round(
        mut self,
        begin: BTreeMap<i32, i64>,
        ends: BTreeMap<i32, i64>,
    ) -> Fetcher<'a> {
        self.round = Some((begin, ends));
        self
    }

    /// Waits a moment for the answer on its way, asks for what follows, and then gives every whole batch to `each`.
    ///
    /// # Errors
    /// When the connection breaks, the broker refuses, or `each` does.
    pub fn poll(
        &mut self,
        mut each: impl FnMut(&BatchHeader, &[u8]) -> Result<(), BenchError>,
    ) -> Result<(), BenchError> {
        let address = self.connection.address();
        let Some(frame) = self
            .reader
            .read()
            .map_err(BenchError::connection(address))?
        else {
            return Ok(());
        };
        let (_, answer) = wire::decode_response::<FetchRequest>(frame.clone(), self.version)
            .map_err(|error| {
                BenchError::Other(format!("{address} answers {}: {error}", FetchRequest::KEY))
            })?;
        let moved = self.advance(&answer)?;
        if let Some((begin, ends)) = &self.round
            && is_read(&self.positions, ends)
        {
            self.positions.clone_from(begin);
        }
        self.ask()?;
        for (_, batches) in moved {
            each_batch(batches, &mut each)?;
        }
        drop(answer);
        self.reader.give_back(frame);
        Ok(())
    }

    /// Moves the positions behind what came; the whole batches by partition.
    fn advance<'b>(
        &mut self,
        answer: &'b FetchResponse,
    ) -> Result<Vec<(i32, &'b [u8])>, BenchError> {
        if !answer.error_code.is_none() {
            return Err(BenchError::Refused {
                what: "the fetch".to_owned(),
                code: answer.error_code,
            });
        }
        let mut moved = Vec::new();
        for data in answer.responses.iter().flat_map(|topic| &topic.partitions) {
            let partition = data.partition_index;
            if !data.error_code.is_none() {
                return Err(BenchError::Refused {
                    what: format!("partition {partition}"),
                    code: data.error_code,
                });
            }
            let Records::Bytes(batches) = &data.records else {
                continue;
            };
            let mut next = None;
            each_batch(batches, &mut |header: &BatchHeader, _: &[u8]| {
                next = Some(header.next_offset().0);
                Ok(())
            })?;
            if let Some(next) = next {
                self.positions.insert(partition, next);
                moved.push((partition, batches.as_ref()));
            }
        }
        Ok(moved)
    }

    fn ask(&self) -> Result<(), BenchError> {
        let of_partition = |(&partition, &fetch_offset): (&i32, &i64)| FetchPartition {
            partition,
            fetch_offset,
            partition_max_bytes: self.fetch_bytes,
            ..FetchPartition::default()
        };
        let request = FetchRequest {
            max_wait_ms: MAX_WAIT_MS,
            min_bytes: 1,
            max_bytes: self.fetch_bytes,
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: self.topic.name.as_str().into(),
                topic_id: self.topic.id,
                partitions: self.positions.iter().map(of_partition).collect(),
            }],
            ..FetchRequest::default()
        };
        let sent =
            self.connection
                .write_pieces(&wire::encode_request(None, 0, self.version, &request));
        sent.map_err(BenchError::connection(self.connection.address()))
    }
}

/// Whether these positions are behind those ends.
pub fn is_read(positions: &BTreeMap<i32, i64>, ends: &BTreeMap<i32, i64>) -> bool {
    positions
        .iter()
        .all(|(partition, &at)| ends.get(partition).is_none_or(|&end| at >= end))
}

/// Calls `each` with every whole batch; one that is cut off ends it.
fn each_batch(
    mut batches: &[u8],
    each: &mut impl FnMut(&BatchHeader, &[u8]) -> Result<(), BenchError>,
) -> Result<(), BenchError> {
    while let Ok(header) = BatchHeader::read(batches) {
        let Some((batch, rest)) = batches.split_at_checked(header.total_size()) else {
            break;
        };
        each(header, batch)?;
        batches = rest;
    }
    Ok(())
}
