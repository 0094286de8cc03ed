//! A record now and then on each of many connections, from one thread: sends what is due, takes what has come (epoll(7)).

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use vltava::client::{Connection, TopicInfo};
use vltava::types::TimestampMs;
use vltava::wire;
use vltava::wire::messages::produce::ProduceRequest;

use crate::clock::sleep_precisely;
use crate::frames::FrameReader;
use crate::load::{check_produced, produce_request};
use crate::metrics::Metric;
use crate::pace::Arrivals;
use crate::run::{BenchError, Run};
use crate::target::Lane;
use crate::template::{Template, sized_template};

/// Answers taken between two looks at what is due.
const EVENTS: usize = 256;
/// How often we look whether the run is over.
const LOOK_UP_NS: u64 = 20_000_000;
/// Answers that do not come in this time after the last record will not come.
const PATIENCE_NS: u64 = 30_000_000_000;

/// Connections with a record now and then.
pub struct Trickle<'a> {
    lanes: Vec<Member<'a>>,
    topic: &'a TopicInfo,
    template: Template,
    epoll: OwnedFd,
}

struct Member<'a> {
    connection: &'a Connection,
    reader: FrameReader,
    partition: i32,
    version: i16,
    /// When each unanswered record was due.
    due_ns: VecDeque<u64>,
}

impl<'a> Trickle<'a> {
    /// Over these connections, whose lanes say which partition each writes to.
    ///
    /// # Errors
    /// When a socket refuses its options, or the record size is out of range.
    pub fn new(
        connections: &[&'a Connection],
        lanes: &[Lane],
        topic: &'a TopicInfo,
        record_bytes: u64,
    ) -> Result<Trickle<'a>, BenchError> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)
            .map_err(|error| BenchError::Other(format!("epoll: {error}")))?;
        let mut members = Vec::with_capacity(connections.len());
        for (index, (connection, lane)) in connections.iter().zip(lanes).enumerate() {
            let failed = || BenchError::connection(connection.address());
            let socket = connection.socket();
            let data = epoll::EventData::new_u64(index as u64);
            epoll::add(&epoll, socket, data, epoll::EventFlags::IN)
                .map_err(|error| failed()(error.into()))?;
            members.push(Member {
                connection,
                reader: socket
                    .try_clone()
                    .and_then(FrameReader::new)
                    .map_err(failed())?,
                partition: lane.partitions[0],
                version: connection.version_of::<ProduceRequest>()?,
                due_ns: VecDeque::new(),
            });
        }
        Ok(Trickle {
            lanes: members,
            topic,
            template: sized_template(record_bytes, 1, None)?,
            epoll,
        })
    }

    /// Sends each record when it is due, on the next connection, and takes the answers, until `end_ns`.
    ///
    /// # Errors
    /// When a connection breaks, or the broker refuses or answers no more.
    pub fn run(mut self, mut arrivals: Arrivals, end_ns: u64, run: &Run) -> Result<(), BenchError> {
        sleep_precisely();
        let mut next_ns = arrivals.next().unwrap_or(u64::MAX);
        let (mut turn, mut unanswered) = (0, 0_u64);
        loop {
            let now_ns = run.clock.now_ns();
            let over = now_ns >= end_ns || run.stopping();
            if over && (unanswered == 0 || now_ns >= end_ns.saturating_add(PATIENCE_NS)) {
                break;
            }
            if !over && next_ns <= now_ns {
                self.send(turn, next_ns, now_ns, run)?;
                turn = (turn + 1) % self.lanes.len();
                unanswered += 1;
                next_ns = arrivals.next().unwrap_or(u64::MAX);
                continue;
            }
            let wake_ns = if over { u64::MAX } else { next_ns };
            let wait_ns = wake_ns.saturating_sub(now_ns).min(LOOK_UP_NS);
            unanswered -= self.take_answers(wait_ns, run)?;
        }
        match unanswered {
            0 => Ok(()),
            lost => Err(BenchError::Other(format!(
                "{lost} records were not answered"
            ))),
        }
    }

    fn send(
        &mut self,
        index: usize,
        due_ns: u64,
        now_ns: u64,
        run: &Run,
    ) -> Result<(), BenchError> {
        let member = &mut self.lanes[index];
        member.due_ns.push_back(due_ns);
        run.metrics.record(Metric::Lateness, 0, |histogram| {
            histogram.saturating_record((now_ns - due_ns).max(1));
        });
        let (topic, partition, version) = (self.topic, member.partition, member.version);
        let connection = member.connection;
        let now_ms = TimestampMs::now().0;
        let sent = self
            .template
            .stamped(1, now_ms, std::iter::once(due_ns), |batch| {
                let request = produce_request(topic, partition, 1, batch);
                connection.write_pieces(&wire::encode_request(None, 0, version, &request))
            });
        sent.map_err(BenchError::connection(connection.address()))
    }

    /// Waits for answers, and takes those that are there: how many.
    fn take_answers(&mut self, wait_ns: u64, run: &Run) -> Result<u64, BenchError> {
        let wait = Duration::from_nanos(wait_ns);
        let timeout = Timespec::try_from(wait).ok();
        let nothing = epoll::Event {
            flags: epoll::EventFlags::empty(),
            data: epoll::EventData::new_u64(0),
        };
        let mut events = [nothing; EVENTS];
        // epoll itself waits for whole milliseconds.
        let mut waited = [PollFd::new(&self.epoll, PollFlags::IN)];
        let ready = poll(&mut waited, timeout.as_ref())
            .and_then(|_| epoll::wait(&self.epoll, &mut events, Some(&Timespec::default())));
        let ready = match ready {
            Ok(ready) => ready,
            Err(rustix::io::Errno::INTR) => 0,
            Err(error) => return Err(BenchError::Other(format!("epoll: {error}"))),
        };
        for event in &events[..ready] {
            let data = event.data;
            let index = usize::try_from(data.u64()).unwrap_or(usize::MAX);
            let Some(member) = self.lanes.get_mut(index) else {
                continue;
            };
            take_one(member, self.template.value_bytes() as u64, run)?;
        }
        Ok(ready as u64)
    }
}

fn take_one(member: &mut Member<'_>, value_bytes: u64, run: &Run) -> Result<(), BenchError> {
    let address = member.connection.address();
    loop {
        let read = member.reader.read();
        let Some(frame) = read.map_err(BenchError::connection(address))? else {
            continue;
        };
        let now_ns = run.clock.now_ns();
        check_produced(frame.clone(), member.version, address)?;
        member.reader.give_back(frame);
        let due_ns = member
            .due_ns
            .pop_front()
            .ok_or_else(|| BenchError::Other(format!("{address} answers what was not asked")))?;
        run.metrics.record(Metric::Acknowledged, 0, |histogram| {
            histogram.saturating_record(now_ns.saturating_sub(due_ns).max(1));
        });
        run.count(1, value_bytes);
        return Ok(());
    }
}
