//! The sending side of a run, one connection: a thread that sends at its pace or as fast as the window allows, and one
//! that takes the answers and the time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use vltava::client::{Connection, TopicInfo};
use vltava::types::TimestampMs;
use vltava::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use vltava::wire::{self, Records, Request};

use crate::clock::sleep_precisely;
use crate::frames::{FrameReader, LOOK_UP};
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
    /// CPUs to choose from, and which two of them: sender and receiver.
    pub pin: (&'a [usize], usize),
}

/// What one connection measured.
#[derive(Debug)]
pub struct LoadResult {
    /// Of each record from when it was due, or without a pace of each request from when it was sent, in nanoseconds.
    pub latency_ns: Histogram<u64>,
    /// With a pace: how much later than it could have each request was sent, in nanoseconds.
    pub lateness_ns: Histogram<u64>,
    /// All records, the warm-up's too.
    pub sent_records: u64,
}

/// A histogram of durations up to a minute, in nanoseconds, to three digits.
pub fn duration_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("these bounds are valid")
}

impl Load<'_> {
    /// Sends until the run ends, and takes every answer.
    ///
    /// # Errors
    /// When the connection breaks or the broker refuses; the other threads of the run are then stopped too.
    pub fn run(self, run: &Run) -> Result<LoadResult, BenchError> {
        let result = self.run_threads(run);
        if result.is_err() {
            run.stop();
        }
        result
    }

    fn run_threads(mut self, run: &Run) -> Result<LoadResult, BenchError> {
        let connection = self.lane.connect()?;
        let window = Window::new(self.in_flight);
        let sending_done = AtomicBool::new(false);
        let (pace, value_bytes) = (self.pace, self.template.value_bytes() as u64);
        let version = connection.version_of::<ProduceRequest>()?;
        let socket = connection
            .socket()
            .try_clone()
            .map_err(BenchError::connection(connection.address()))?;
        let answers = Answers {
            window: &window,
            done: &sending_done,
            pace,
            value_bytes,
            version,
        };
        let (cpus, first_thread) = self.pin;
        let (answered, address) = (self.acks != 0, connection.address().to_owned());
        std::thread::scope(|scope| {
            let receiver = answered.then(|| {
                scope.spawn(|| {
                    pin_thread(cpus, first_thread + 1)?;
                    let reader =
                        FrameReader::new(socket).map_err(BenchError::connection(&address))?;
                    answers
                        .take_all(reader, &address, run)
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
            let latency_ns = receiver.map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            let (sent_records, lateness_ns) = sent?;
            let latency_ns = latency_ns.unwrap_or_else(|| Ok(duration_histogram()))?;
            Ok(LoadResult {
                latency_ns,
                lateness_ns,
                sent_records,
            })
        })
    }

    /// Sends until the run ends or the share is done: how many records, and how late requests were.
    fn send_all(
        &mut self,
        connection: &Connection,
        window: &Window,
        run: &Run,
    ) -> Result<(u64, Histogram<u64>), BenchError> {
        let mut lateness_ns = duration_histogram();
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
            let Some(records) = self.records_now(sent, free_from_ns, run, &mut lateness_ns) else {
                continue;
            };
            let partition = self.lane.partitions[turn % self.lane.partitions.len()];
            turn += 1;
            if self.acks != 0 {
                window.push(Sent {
                    first_record: sent,
                    records,
                    sent_ns: run.clock.now_ns(),
                });
            }
            self.send_batch(connection, version, partition, sent, records)?;
            if self.acks == 0 {
                run.count(records, records * self.template.value_bytes() as u64);
            }
            sent += records;
        }
        Ok((sent, lateness_ns))
    }

    /// How many records to send now; `None` after a wait.
    fn records_now(
        &self,
        sent: u64,
        free_from_ns: u64,
        run: &Run,
        lateness_ns: &mut Histogram<u64>,
    ) -> Option<u64> {
        let left = self.records_max - sent;
        let Some(pace) = self.pace else {
            return Some(left.min(self.template.records() as u64));
        };
        let now = run.clock.now_ns();
        match pace.step(sent, now) {
            Step::WaitUntil(at) => {
                run.clock
                    .sleep_until(at.min(now + LOOK_UP.as_nanos() as u64));
                None
            }
            Step::Send(records) => {
                if now >= run.measure_from_ns {
                    let could_send_at = pace.earliest_send_ns(sent).max(free_from_ns);
                    lateness_ns.saturating_record(now.saturating_sub(could_send_at).max(1));
                }
                Some(records.min(left))
            }
        }
    }

    fn send_batch(
        &mut self,
        connection: &Connection,
        version: i16,
        partition: i32,
        first_record: u64,
        records: u64,
    ) -> Result<(), BenchError> {
        let (acks, topic, pace) = (self.acks, self.topic, self.pace);
        let due = (first_record..).map_while(move |index| pace.map(|pace| pace.due_ns(index)));
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

fn produce_request(topic: &TopicInfo, partition: i32, acks: i16, batch: Bytes) -> ProduceRequest {
    ProduceRequest {
        transactional_id: None,
        acks,
        timeout_ms: REPLICA_TIMEOUT_MS,
        topic_data: vec![TopicProduceData {
            name: topic.name.as_str().into(),
            topic_id: topic.id,
            partition_data: vec![PartitionProduceData {
                index: partition,
                records: Records::Bytes(batch),
            }],
        }],
    }
}

/// The receiving side of one connection.
struct Answers<'a> {
    window: &'a Window,
    done: &'a AtomicBool,
    pace: Option<Pace>,
    value_bytes: u64,
    version: i16,
}

impl Answers<'_> {
    /// Takes answers until the sender is done and nothing is on its way.
    fn take_all(
        &self,
        mut reader: FrameReader,
        address: &str,
        run: &Run,
    ) -> Result<Histogram<u64>, BenchError> {
        let mut latency_ns = duration_histogram();
        let mut last_answer = Instant::now();
        loop {
            match reader.read().map_err(BenchError::connection(address))? {
                Some(frame) => {
                    let now = run.clock.now_ns();
                    self.check(frame.clone(), address)?;
                    reader.give_back(frame);
                    let sent = self.window.pop();
                    let sent = sent.ok_or_else(|| {
                        BenchError::Other(format!("{address} answers what was not asked"))
                    })?;
                    self.record(sent, now, run, &mut latency_ns);
                    run.count(sent.records, sent.records * self.value_bytes);
                    last_answer = Instant::now();
                }
                None if self.window.is_empty() && self.done.load(Ordering::Acquire) => {
                    return Ok(latency_ns);
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

    fn record(&self, sent: Sent, now_ns: u64, run: &Run, latency_ns: &mut Histogram<u64>) {
        let Some(pace) = self.pace else {
            latency_ns.saturating_record((now_ns - sent.sent_ns).max(1));
            return;
        };
        for index in sent.first_record..sent.first_record + sent.records {
            let due = pace.due_ns(index);
            if due >= run.measure_from_ns {
                latency_ns.saturating_record(now_ns.saturating_sub(due).max(1));
            }
        }
    }

    fn check(&self, frame: Bytes, address: &str) -> Result<(), BenchError> {
        let (_, answer) =
            wire::decode_response::<ProduceRequest>(frame, self.version).map_err(|error| {
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
}
