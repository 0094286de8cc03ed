//! One coordinator on its core: who waits for its answers, and its records on their way to the log.
//!
//! The coordinator decides at once, under a borrow that ends before anything is carried out. Writes are staged in the order it
//! wants them, and one task tells it in the same order how each ended.

use super::alarm::Alarm;
use super::{GroupFault, GroupOutcome};
use crate::coordinator::group::{
    Coordinator, Effect, GroupAnswer, GroupRequest, GroupSettings, LogRecord, Now, RequestId,
    WriteFault, WriteId,
};
use crate::log::{AppendError, LogError, PartitionLog};
use crate::shard::Partition;
use crate::types::{TimestampMs, TopicId};
use crate::wire::records::{BatchBuilder, Codec};
use bytes::Bytes;
use glommio::channels::local_channel::{self, LocalReceiver, LocalSender};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Poll, Waker};
use std::time::Instant;

/// The wait for a write; at once for one that was refused.
type Written = Pin<Box<dyn Future<Output = Result<(), WriteFault>>>>;

enum State {
    Loading(Box<Coordinator>),
    Active(Box<Coordinator>),
    /// Deleted, stopped, or its log cannot be read.
    Gone(GroupFault),
}

/// The place for an answer.
#[derive(Default)]
struct Place {
    answer: Option<GroupOutcome>,
    waiting: Option<Waker>,
}

/// A coordinator and its surroundings.
pub struct Host {
    topic_id: TopicId,
    codec: Codec,
    partition: Rc<Partition>,
    state: RefCell<State>,
    next_request: Cell<u64>,
    places: RefCell<HashMap<RequestId, Rc<RefCell<Place>>>>,
    writes: LocalSender<(WriteId, Written)>,
    alarm: Rc<Alarm>,
    began: Instant,
}

impl Host {
    /// A coordinator that has yet to be loaded. `began` is when the coordinators' clock started.
    pub fn start(
        topic_id: TopicId,
        partition: Rc<Partition>,
        codec: Codec,
        settings: GroupSettings,
        alarm: Rc<Alarm>,
        began: Instant,
    ) -> Rc<Host> {
        let (writes, written) = local_channel::new_unbounded();
        let host = Rc::new(Host {
            topic_id,
            codec,
            partition,
            state: RefCell::new(State::Loading(Box::new(Coordinator::new(settings)))),
            next_request: Cell::new(0),
            places: RefCell::default(),
            writes,
            alarm,
            began,
        });
        glommio::spawn_local(tell_in_order(Rc::downgrade(&host), written)).detach();
        host
    }

    /// The topic that its partition belongs to.
    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    /// The partition's log.
    pub fn log(&self) -> &Rc<PartitionLog> {
        &self.partition.log
    }

    /// Topic and partition, for log lines.
    pub fn name(&self) -> String {
        crate::log::partition_dir_name(&self.partition.topic, self.partition.index)
    }

    fn now(&self) -> Now {
        Now {
            monotonic_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            wall: TimestampMs::now(),
        }
    }

    /// Has the coordinator decide. The future is the wait for the answer.
    ///
    /// # Errors
    /// When there is nobody to decide.
    pub fn ask(
        self: &Rc<Self>,
        now: Now,
        request: GroupRequest,
    ) -> Result<impl Future<Output = GroupOutcome> + 'static + use<>, GroupFault> {
        let id = RequestId(self.next_request.get());
        let effects = match &mut *self.state.borrow_mut() {
            State::Loading(_) => return Err(GroupFault::Loading),
            State::Gone(fault) => return Err(*fault),
            State::Active(coordinator) => coordinator.handle(now, id, request),
        };
        self.next_request.set(id.0 + 1);
        let place = Rc::new(RefCell::new(Place::default()));
        self.places.borrow_mut().insert(id, Rc::clone(&place));
        self.carry_out(effects);
        Ok(poll_fn(move |cx| {
            let mut place = place.borrow_mut();
            match place.answer.take() {
                Some(answer) => Poll::Ready(answer),
                None => {
                    place.waiting = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        }))
    }

    /// Somebody's time may be up.
    pub fn tick(self: &Rc<Self>, now: Now) {
        self.decide(|coordinator| coordinator.tick(now));
    }

    /// Offsets in these topics have lost their meaning.
    pub fn topics_deleted(self: &Rc<Self>, now: Now, names: &[String]) {
        self.decide(|coordinator| coordinator.topics_deleted(now, names));
    }

    /// Works with new settings.
    pub fn follow(&self, settings: GroupSettings) {
        match &mut *self.state.borrow_mut() {
            State::Loading(coordinator) | State::Active(coordinator) => {
                coordinator.set_settings(settings);
            }
            State::Gone(_) => {}
        }
    }

    /// The topics that some group has positions in.
    pub fn topics(&self) -> BTreeSet<String> {
        match &*self.state.borrow() {
            State::Active(coordinator) => coordinator.topics(),
            State::Loading(_) | State::Gone(_) => BTreeSet::new(),
        }
    }

    /// When the coordinator must be woken, in milliseconds of its clock.
    pub fn next_deadline(&self) -> Option<u64> {
        match &*self.state.borrow() {
            State::Active(coordinator) => coordinator.next_deadline(),
            State::Loading(_) | State::Gone(_) => None,
        }
    }

    /// A record of the log, while loading. False when there is nothing to load any more.
    pub fn replay(&self, key: Bytes, value: Option<Bytes>) -> bool {
        match &mut *self.state.borrow_mut() {
            State::Loading(coordinator) => {
                if let Err(error) = coordinator.replay(key, value) {
                    log::warn!("{}: a record is left out: {error}", self.name());
                }
                true
            }
            State::Active(_) | State::Gone(_) => false,
        }
    }

    /// The log has been read: the coordinator decides from now on.
    pub fn loaded(self: &Rc<Self>) {
        let before = self.state.replace(State::Gone(GroupFault::NotCoordinator));
        let State::Loading(mut coordinator) = before else {
            self.state.replace(before);
            return;
        };
        let effects = coordinator.loaded(self.now());
        self.state.replace(State::Active(coordinator));
        self.carry_out(effects);
    }

    /// The log cannot be read: nobody decides for its groups.
    pub fn not_loaded(&self) {
        self.state.replace(State::Gone(GroupFault::NotCoordinator));
    }

    /// Answers everyone who waits, and decides nothing more.
    pub fn unload(self: &Rc<Self>) {
        let before = self.state.replace(State::Gone(GroupFault::NotAvailable));
        if let State::Active(mut coordinator) = before {
            self.carry_out(coordinator.unload());
        }
        // Whatever the coordinator has forgotten: nobody waits for an answer that cannot come.
        let left: Vec<_> = self.places.borrow_mut().drain().collect();
        for (_, place) in left {
            fill(&place, Err(GroupFault::NotAvailable));
        }
    }

    fn decide(self: &Rc<Self>, event: impl FnOnce(&mut Coordinator) -> Vec<Effect>) {
        let effects = match &mut *self.state.borrow_mut() {
            State::Active(coordinator) => event(coordinator),
            State::Loading(_) | State::Gone(_) => return,
        };
        self.carry_out(effects);
    }

    fn carry_out(self: &Rc<Self>, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Answer(id, answer) => self.answer(id, answer),
                Effect::Write(id, records) => {
                    let written = self.write(&records);
                    // The receiver lives as long as this host does.
                    let _ = self.writes.try_send((id, written));
                }
            }
        }
        self.alarm.not_later_than(self.next_deadline());
    }

    fn answer(&self, id: RequestId, answer: GroupAnswer) {
        let place = self.places.borrow_mut().remove(&id);
        let place = place.unwrap_or_else(|| unreachable!("request {id:?} is answered once"));
        fill(&place, Ok(answer));
    }

    /// Stages the records as one batch; the future is the wait until they are as durable as acks=all.
    fn write(&self, records: &[LogRecord]) -> Written {
        let now = TimestampMs::now();
        let mut batch = BatchBuilder::new(self.codec);
        for record in records {
            batch.append(now.0, Some(&record.key), record.value.as_deref(), &[]);
        }
        let batch = batch.build_validated();
        if batch.bytes.len() > self.partition.max_message_bytes.get() as usize {
            return refused(WriteFault::TooLarge);
        }
        let epoch = self.partition.leader_epoch.get();
        match self.partition.log.append(&batch, epoch, now) {
            Ok(appended) => {
                let committed = self.partition.log.committed(appended.last_offset + 1);
                let name = self.name();
                Box::pin(async move { committed.await.map_err(|error| failed(&name, &error)) })
            }
            Err(AppendError::BatchTooLarge { .. }) => refused(WriteFault::TooLarge),
            Err(error) => {
                log::error!("{}: group records are not written: {error}", self.name());
                refused(WriteFault::Storage)
            }
        }
    }
}

fn refused(fault: WriteFault) -> Written {
    Box::pin(std::future::ready(Err(fault)))
}

fn failed(name: &str, error: &LogError) -> WriteFault {
    log::error!("{name}: group records are not written: {error}");
    WriteFault::Storage
}

fn fill(place: &RefCell<Place>, outcome: GroupOutcome) {
    let mut place = place.borrow_mut();
    place.answer = Some(outcome);
    if let Some(waker) = place.waiting.take() {
        waker.wake();
    }
}

/// Tells the coordinator of its writes in the order in which it wanted them.
async fn tell_in_order(host: Weak<Host>, writes: LocalReceiver<(WriteId, Written)>) {
    while let Some((id, written)) = writes.recv().await {
        let outcome = written.await;
        let Some(host) = host.upgrade() else { return };
        let now = host.now();
        host.decide(|coordinator| coordinator.written(now, id, outcome));
    }
}
