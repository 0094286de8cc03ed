//! One coordinator on its core: who waits for its answers, and its records on their way to the log.
//!
//! The coordinator decides at once, under a borrow that ends before anything is carried out. Writes are staged in the order it
//! wants them, and one task tells it in the same order how each ended.

use super::CoordinatorFault;
use super::alarm::Alarm;
use crate::coordinator::{
    Effect, LogRecord, Now, Producer, RequestId, StateMachine, WriteFault, WriteId,
};
use crate::log::{AppendError, LogError, PartitionLog};
use crate::shard::{Partition, Signal};
use crate::types::{TimestampMs, TopicId};
use crate::wire::records::{BatchBuilder, Codec};
use glommio::channels::local_channel::{self, LocalReceiver, LocalSender};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Poll, Waker};
use std::time::Instant;

/// The wait for a write; at once for one that was refused.
type Written = Pin<Box<dyn Future<Output = Result<(), WriteFault>>>>;

/// What the coordinator is told in the order of its log.
enum News {
    /// How a write of its own ended.
    Written(WriteId, Written),
    /// A producer's transaction has ended behind all writes before; raised when the coordinator knows.
    TransactionEnded {
        producer_id: i64,
        committed: bool,
        told: Rc<Signal>,
    },
}

enum State<M> {
    Loading(Box<M>),
    Active(Box<M>),
    /// Deleted, stopped, or its log cannot be read.
    Gone(CoordinatorFault),
}

/// The place for an answer.
struct Place<A> {
    answer: Option<Result<A, CoordinatorFault>>,
    waiting: Option<Waker>,
}

/// The places of those who wait.
type Places<A> = HashMap<RequestId, Rc<RefCell<Place<A>>>>;

/// What is done about the errands of a coordinator.
pub type RunErrand<M> = Box<dyn Fn(&Rc<Host<M>>, <M as StateMachine>::Errand)>;

/// The surroundings of a coordinator, besides its partition.
pub struct Surroundings<M: StateMachine> {
    /// How its records are compressed.
    pub codec: Codec,
    /// What it must know of the broker's settings.
    pub settings: M::Settings,
    /// Who wakes it.
    pub alarm: Rc<Alarm>,
    /// When the coordinators' clock started.
    pub began: Instant,
    /// What is done about its errands.
    pub run: RunErrand<M>,
}

/// A coordinator and its surroundings.
pub struct Host<M: StateMachine> {
    topic_id: TopicId,
    codec: Codec,
    partition: Rc<Partition>,
    state: RefCell<State<M>>,
    next_request: Cell<u64>,
    places: RefCell<Places<M::Answer>>,
    news: LocalSender<News>,
    alarm: Rc<Alarm>,
    began: Instant,
    run: RunErrand<M>,
}

impl<M: StateMachine> Host<M> {
    /// A coordinator that has yet to be loaded.
    pub fn start(
        topic_id: TopicId,
        partition: Rc<Partition>,
        surroundings: Surroundings<M>,
    ) -> Rc<Host<M>> {
        let (news, told) = local_channel::new_unbounded();
        let machine = Box::new(M::new(surroundings.settings));
        let host = Rc::new(Host {
            topic_id,
            codec: surroundings.codec,
            partition,
            state: RefCell::new(State::Loading(machine)),
            next_request: Cell::new(0),
            places: RefCell::default(),
            news,
            alarm: surroundings.alarm,
            began: surroundings.began,
            run: surroundings.run,
        });
        glommio::spawn_local(tell_in_order(Rc::downgrade(&host), told)).detach();
        host
    }

    /// The topic that its partition belongs to.
    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    /// The partition.
    pub fn partition(&self) -> &Rc<Partition> {
        &self.partition
    }

    /// The partition's log.
    pub fn log(&self) -> &Rc<PartitionLog> {
        &self.partition.log
    }

    /// Topic and partition, for log lines.
    pub fn name(&self) -> String {
        crate::log::partition_dir_name(&self.partition.topic, self.partition.index)
    }

    /// The time, as the coordinator sees it.
    pub fn now(&self) -> Now {
        super::now(self.began)
    }

    /// Has the coordinator decide. The future is the wait for the answer.
    ///
    /// # Errors
    /// When there is nobody to decide.
    pub fn ask(
        self: &Rc<Self>,
        now: Now,
        request: M::Request,
    ) -> Result<
        impl Future<Output = Result<M::Answer, CoordinatorFault>> + 'static + use<M>,
        CoordinatorFault,
    > {
        let id = RequestId(self.next_request.get());
        let effects = match &mut *self.state.borrow_mut() {
            State::Loading(_) => return Err(CoordinatorFault::Loading),
            State::Gone(fault) => return Err(*fault),
            State::Active(machine) => machine.handle(now, id, request),
        };
        self.next_request.set(id.0 + 1);
        let place = Rc::new(RefCell::new(Place {
            answer: None,
            waiting: None,
        }));
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

    /// Works with new settings.
    pub fn follow(&self, settings: M::Settings) {
        match &mut *self.state.borrow_mut() {
            State::Loading(machine) | State::Active(machine) => machine.set_settings(settings),
            State::Gone(_) => {}
        }
    }

    /// What the coordinator says of itself; the default of it while there is nobody to say it.
    pub fn look<T: Default>(&self, look: impl FnOnce(&M) -> T) -> T {
        match &*self.state.borrow() {
            State::Active(machine) => look(machine),
            State::Loading(_) | State::Gone(_) => T::default(),
        }
    }

    /// Whether the coordinator decides.
    pub fn is_active(&self) -> bool {
        matches!(&*self.state.borrow(), State::Active(_))
    }

    /// When the coordinator must be woken, in milliseconds of its clock.
    pub fn next_deadline(&self) -> Option<u64> {
        self.look(M::next_deadline)
    }

    /// Takes the log over while loading. False when there is nothing to load any more.
    pub fn replay(&self, step: impl FnOnce(&mut M)) -> bool {
        match &mut *self.state.borrow_mut() {
            State::Loading(machine) => {
                step(machine);
                true
            }
            State::Active(_) | State::Gone(_) => false,
        }
    }

    /// The log has been read: the coordinator decides from now on.
    pub fn loaded(self: &Rc<Self>) {
        let before = self
            .state
            .replace(State::Gone(CoordinatorFault::NotCoordinator));
        let mut machine = match before {
            State::Loading(machine) => machine,
            other => {
                self.state.replace(other);
                return;
            }
        };
        let effects = machine.loaded(self.now());
        self.state.replace(State::Active(machine));
        self.carry_out(effects);
    }

    /// The log cannot be read: nobody decides.
    pub fn not_loaded(&self) {
        self.state
            .replace(State::Gone(CoordinatorFault::NotCoordinator));
    }

    /// Answers everyone who waits, and decides nothing more.
    pub fn unload(self: &Rc<Self>) {
        let before = self
            .state
            .replace(State::Gone(CoordinatorFault::NotAvailable));
        if let State::Active(mut machine) = before {
            self.carry_out(machine.unload());
        }
        // Whatever the coordinator has forgotten: nobody waits for an answer that cannot come.
        let left: Vec<_> = self.places.borrow_mut().drain().collect();
        for (_, place) in left {
            fill(&place, Err(CoordinatorFault::NotAvailable));
        }
    }

    /// An event: the coordinator decides, and what it wants is done. Nothing happens where nobody decides.
    pub fn decide(
        self: &Rc<Self>,
        event: impl FnOnce(&mut M) -> Vec<Effect<M::Answer, M::Errand>>,
    ) {
        let effects = match &mut *self.state.borrow_mut() {
            State::Active(machine) => event(machine),
            State::Loading(_) | State::Gone(_) => return,
        };
        self.carry_out(effects);
    }

    /// The marker of a producer's transaction is committed in the partition. On return the coordinator knows, and knows of all
    /// writes before it. One that is still loading reads it in the log.
    pub async fn transaction_ended(&self, producer_id: i64, committed: bool) {
        let told = Signal::new();
        let news = News::TransactionEnded {
            producer_id,
            committed,
            told: Rc::clone(&told),
        };
        // The receiver lives as long as this host does.
        if self.news.try_send(news).is_ok() {
            told.wait().await;
        }
    }

    fn carry_out(self: &Rc<Self>, effects: Vec<Effect<M::Answer, M::Errand>>) {
        for effect in effects {
            let (id, written) = match effect {
                Effect::Answer(id, answer) => {
                    self.answer(id, answer);
                    continue;
                }
                Effect::Errand(errand) => {
                    (self.run)(self, errand);
                    continue;
                }
                Effect::Write(id, records) => (id, self.write(&records, None)),
                Effect::WriteFor(id, producer, records) => {
                    (id, self.write(&records, Some(producer)))
                }
            };
            // The receiver lives as long as this host does.
            let _ = self.news.try_send(News::Written(id, written));
        }
        self.alarm.not_later_than(self.next_deadline());
    }

    fn answer(&self, id: RequestId, answer: M::Answer) {
        let place = self.places.borrow_mut().remove(&id);
        let place = place.unwrap_or_else(|| unreachable!("request {id:?} is answered once"));
        fill(&place, Ok(answer));
    }

    /// Stages the records as one batch; the future is the wait until they are as durable as acks=all.
    fn write(&self, records: &[LogRecord], producer: Option<Producer>) -> Written {
        let now = TimestampMs::now();
        let mut batch = BatchBuilder::new(self.codec);
        if let Some(producer) = producer {
            batch = batch
                .producer(producer.id, producer.epoch, -1)
                .transactional();
        }
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
            Err(AppendError::InvalidProducerEpoch { .. }) => refused(WriteFault::Fenced),
            Err(error) => {
                log::error!("{}: its records are not written: {error}", self.name());
                refused(WriteFault::Storage)
            }
        }
    }
}

fn refused(fault: WriteFault) -> Written {
    Box::pin(std::future::ready(Err(fault)))
}

fn failed(name: &str, error: &LogError) -> WriteFault {
    log::error!("{name}: its records are not written: {error}");
    WriteFault::Storage
}

fn fill<A>(place: &RefCell<Place<A>>, outcome: Result<A, CoordinatorFault>) {
    let mut place = place.borrow_mut();
    place.answer = Some(outcome);
    if let Some(waker) = place.waiting.take() {
        waker.wake();
    }
}

/// Tells the coordinator of its writes in the order in which it wanted them, and of what stands between them.
async fn tell_in_order<M: StateMachine>(host: Weak<Host<M>>, news: LocalReceiver<News>) {
    while let Some(news) = news.recv().await {
        match news {
            News::Written(id, written) => {
                let outcome = written.await;
                let Some(host) = host.upgrade() else { return };
                let now = host.now();
                host.decide(|machine| machine.written(now, id, outcome));
            }
            News::TransactionEnded {
                producer_id,
                committed,
                told,
            } => {
                let Some(host) = host.upgrade() else { return };
                host.decide(|machine| {
                    machine.transaction_ended(producer_id, committed);
                    Vec::new()
                });
                told.raise();
            }
        }
    }
}
