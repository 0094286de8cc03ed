//! The sending side of a run, one connection: a thread that sends at its pace or as fast as the window allows, and one
//! that takes the answers and the time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use vltava::client::{Connection, TopicInfo};
use vltava::types::TimestampMs;
use vltava::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use vltava::wire::{self, Records, Request};

use crate::clock::sleep_precisely;
use crate::frames::{FrameReader, LOOK_UP};
use crate::metrics::Metric;
use crate::pace::{Pace, Step};
use crate::run::{BenchError, Run, pin_thread};
use crate::target::Lane;
use crate::template::Template;
use crate::window::{Sent, Window};

/// An answer that takes longer than this will not come.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);
/// How long the leader may wait for replicas.
const REPLICA_TIMEOUT_MS: i32 = 30_000;

/// One connection's share of the load.
#[derive(Debug)]
pub struct Load<'a> {
    /// Where to.
    pub lane: Lane,
    /// The topic.
    pub topic: &'a TopicInfo,
    /// 0, 1 or -1.
    pub acks: i16,
    /// Requests on their way.
    pub in_flight: usize,
    /// What is sent.
    pub template: Template,
    /// `None`: as fast as it goes.
    pub pace: Option<Pace>,
    /// Stop after so many records.
    pub records_max: u64,
    /// CPUs to choose from, and which two of them: sender and receiver. The second also tells this connection's threads
    /// from the others'.
    pub pin: (&'a [usize], usize),
}

impl Load<'_> {
    /// Sends until the run ends, and takes every answer: how many records it sent, the warm-up's too.
    ///
    /// # Errors
    /// When the connection breaks or the broker refuses; the other threads of the run are then stopped too.
    pub fn run(self, run: &Run) -> Result<u64, BenchError> {
        let result = self.run_threads(run);
        if result.is_err() {
            run.stop();
        }
        result
    }

    fn run_threads(mut self, run: &Run) -> Result<u64, BenchError> {
        let connection = self.lane.connect()?;
        let window = Window::new(self.in_flight);
        let sending_done = AtomicBool::new(false);
        let value_bytes = self.template.value_bytes() as u64;
        let version = connection.version_of::<ProduceRequest>()?;
        let socket = connection
            .socket()
            .try_clone()
            .map_err(BenchError::connection(connection.address()))?;
        let (cpus, first_thread) = self.pin;
        let answers = Answers {
            window: &window,
            done: &sending_done,
            value_bytes,
            version,
            thread: first_thread,
        };
        let due: Option<DueTimes> = self
            .pace
            .as_ref()
            .map(|pace| Box::new(pace.arrivals()) as DueTimes);
        let (answered, address) = (self.acks != 0, connection.address().to_owned());
        std::thread::scope(|scope| {
            let (answers, address) = (&answers, &address);
            let receiver = answered.then(|| {
                scope.spawn(move || {
                    pin_thread(cpus, first_thread + 1)?;
                    let reader =
                        FrameReader::new(socket).map_err(BenchError::connection(address))?;
                    answers
                        .take_all(reader, due, address, run)
                        .inspect_err(|_| run.stop())
                })
            });
            sleep_precisely();
            let sent = pin_thread(cpus, first_thread)
                .and_then(|()| self.send_all(&connection, &window, run));
            sending_done.store(true, Ordering::Release);
            if sent.is_err() {
                run.stop();
            }
            let taken = receiver.map_or(Ok(()), |thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            let sent_records = sent?;
            taken.map(|()| sent_records)
        })
    }

    /// Sends until the run ends or the share is done: how many records.
    fn send_all(
        &mut self,
        connection: &Connection,
        window: &Window,
        run: &Run,
    ) -> Result<u64, BenchError> {
        let mut sent = 0;
        let mut turn = 0;
        // While the window is full it is the broker who is late, not we.
        let mut free_from_ns = 0;
        let version = connection.version_of::<ProduceRequest>()?;
        while sent < self.records_max && !run.stopping() {
            if self.acks != 0 && !window.has_room() {
                window.wait_for_room(LOOK_UP);
                free_from_ns = run.clock.now_ns();
                continue;
            }
            let Some(records) = self.records_now(sent, free_from_ns, run) else {
                continue;
            };
            let partition = self.lane.partitions[turn % self.lane.partitions.len()];
            turn += 1;
            if self.acks != 0 {
                window.push(Sent {
                    records,
                    sent_ns: run.clock.now_ns(),
                });
            }
            self.send_batch(connection, version, partition, sent, records)?;
            if self.acks == 0 {
                // No window holds us back then, but a full socket does: that too is the broker's time.
                free_from_ns = run.clock.now_ns();
                run.count(records, records * self.template.value_bytes() as u64);
            }
            sent += records;
        }
        Ok(sent)
    }

    /// How many records to send now; `None` after a wait.
    fn records_now(&self, sent: u64, free_from_ns: u64, run: &Run) -> Option<u64> {
        let left = self.records_max - sent;
        let Some(pace) = &self.pace else {
            return Some(left.min(self.template.records() as u64));
        };
        let now = run.clock.now_ns();
        match pace.step(now) {
            Step::WaitUntil(at) => {
                run.clock
                    .sleep_until(at.min(now + LOOK_UP.as_nanos() as u64));
                None
            }
            Step::Send(records) => {
                if now >= run.measure_from_ns {
                    self.record_lateness(pace, records, now, free_from_ns, run);
                }
                Some(records.min(left))
            }
        }
    }

    /// How much later than it could have each record goes: as many times as there are latencies, or a stop of ours would
    /// be one late request beside a thousand late records.
    fn record_lateness(
        &self,
        pace: &Pace,
        records: u64,
        now_ns: u64,
        free_from_ns: u64,
        run: &Run,
    ) {
        let batch_from_ns = pace.earliest_send_ns().max(free_from_ns);
        run.metrics
            .record(Metric::Lateness, self.pin.1, |histogram| {
                for due_ns in pace.upcoming(records as usize) {
                    let late_ns = now_ns.saturating_sub(due_ns.max(batch_from_ns));
                    histogram.saturating_record(late_ns.max(1));
                }
            });
    }

    fn send_batch(
        &mut self,
        connection: &Connection,
        version: i16,
        partition: i32,
        first_record: u64,
        records: u64,
    ) -> Result<(), BenchError> {
        let (acks, topic) = (self.acks, self.topic);
        let due = self.pace.as_mut().map(|pace| pace.take(records as usize));
        let due = due.unwrap_or_default().into_iter();
        let sent = self
            .template
            .stamped(records as usize, TimestampMs::now().0, due, |batch| {
                let request = produce_request(topic, partition, acks, batch);
                connection.write_pieces(&wire::encode_request(
                    None,
                    first_record as i32,
                    version,
                    &request,
                ))
            });
        sent.map_err(BenchError::connection(connection.address()))
    }
}

/// Runs every connection's load in threads of its own, to the end of all: how many records they sent.
///
/// # Errors
/// The first that failed.
pub fn run_loads(loads: Vec<Load<'_>>, run: &Run) -> Result<u64, BenchError> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = loads
            .into_iter()
            .map(|load| scope.spawn(|| load.run(run)))
            .collect();
        let joined = threads.into_iter().map(|t| {
            t.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.collect::<Vec<_>>().into_iter().sum()
    })
}

/// A Produce request with one batch.
pub fn produce_request(
    topic: &TopicInfo,
    partition: i32,
    acks: i16,
    batch: Bytes,
) -> ProduceRequest {
    produce_to_all(topic, &[partition], acks, &batch)
}

/// A Produce request with the same batch for each of these partitions.
pub fn produce_to_all(
    topic: &TopicInfo,
    partitions: &[i32],
    acks: i16,
    batch: &Bytes,
) -> ProduceRequest {
    let to = |&index: &i32| PartitionProduceData {
        index,
        records: Records::Bytes(batch.clone()),
    };
    ProduceRequest {
        transactional_id: None,
        acks,
        timeout_ms: REPLICA_TIMEOUT_MS,
        topic_data: vec![TopicProduceData {
            name: topic.name.as_str().into(),
            topic_id: topic.id,
            partition_data: partitions.iter().map(to).collect(),
        }],
    }
}

/// When each record of a connection was due, in the order they were sent.
type DueTimes = Box<dyn Iterator<Item = u64> + Send>;

/// The receiving side of one connection.
struct Answers<'a> {
    window: &'a Window,
    done: &'a AtomicBool,
    value_bytes: u64,
    version: i16,
    thread: usize,
}

impl Answers<'_> {
    /// Takes answers until the sender is done and nothing is on its way.
    fn take_all(
        &self,
        mut reader: FrameReader,
        mut due: Option<DueTimes>,
        address: &str,
        run: &Run,
    ) -> Result<(), BenchError> {
        let mut last_answer = Instant::now();
        loop {
            match reader.read().map_err(BenchError::connection(address))? {
                Some(frame) => {
                    let now = run.clock.now_ns();
                    check_produced(frame.clone(), self.version, address)?;
                    reader.give_back(frame);
                    let sent = self.window.pop();
                    let sent = sent.ok_or_else(|| {
                        BenchError::Other(format!("{address} answers what was not asked"))
                    })?;
                    self.record(sent, now, due.as_mut(), run);
                    run.count(sent.records, sent.records * self.value_bytes);
                    last_answer = Instant::now();
                }
                None if self.window.is_empty() && self.done.load(Ordering::Acquire) => {
                    return Ok(());
                }
                None if self.window.is_empty() => last_answer = Instant::now(),
                None if last_answer.elapsed() > ANSWER_PATIENCE => {
                    return Err(BenchError::Other(format!(
                        "no answer from {address} for {ANSWER_PATIENCE:?}"
                    )));
                }
                None => {}
            }
        }
    }

    fn record(&self, sent: Sent, now_ns: u64, due: Option<&mut DueTimes>, run: &Run) {
        let Some(due) = due else {
            let took_ns = (now_ns - sent.sent_ns).max(1);
            run.metrics
                .record(Metric::Request, self.thread, |histogram| {
                    histogram.saturating_record(took_ns)
                });
            return;
        };
        run.metrics
            .record(Metric::Acknowledged, self.thread, |histogram| {
                for due_ns in due.take(sent.records as usize) {
                    if due_ns >= run.measure_from_ns {
                        histogram.saturating_record(now_ns.saturating_sub(due_ns).max(1));
                    }
                }
            });
    }
}

/// Whether an answer to a Produce request is one without errors.
///
/// # Errors
/// When it is not.
pub fn check_produced(frame: Bytes, version: i16, address: &str) -> Result<(), BenchError> {
    let (_, answer) = wire::decode_response::<ProduceRequest>(frame, version).map_err(|error| {
        BenchError::Other(format!(
            "{address} answers {}: {error}",
            ProduceRequest::KEY
        ))
    })?;
    for partition in answer
        .responses
        .iter()
        .flat_map(|topic| &topic.partition_responses)
    {
        if !partition.error_code.is_none() {
            let what = format!("partition {}", partition.index);
            return Err(BenchError::Refused {
                what,
                code: partition.error_code,
            });
        }
    }
    Ok(())
}
