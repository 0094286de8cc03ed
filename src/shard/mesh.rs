//! Calls between cores.
//!
//! The rules that keep the mesh from locking up: whoever asks reserves the place for the answer first, so an answer never waits
//! for room; a receive loop never awaits a send, it only queues; order is kept between each pair of cores. The queues are
//! bounded by the requests in flight, which `net` bounds.

use super::message::{Answer, Call, Message, Ticket};
use crate::limits;
use crate::types::ShardId;
use glommio::GlommioError;
use glommio::ResourceType;
use glommio::channels::channel_mesh::{FullMesh, MeshBuilder, Receivers, Senders};
use slab::Slab;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A mesh that cores are still to join; each takes a clone along to its thread.
#[derive(Clone)]
pub struct MeshEntrance(FullMesh<Message>);

/// Both ends of a core's channels.
pub type Joined = (Senders<Message>, Receivers<Message>);

impl MeshEntrance {
    /// A mesh of so many cores.
    pub fn for_cores(cores: usize) -> MeshEntrance {
        MeshEntrance(MeshBuilder::full(cores, limits::MESH_CHANNEL_MESSAGES))
    }

    /// Joins from the core's own executor; ready when every core has.
    ///
    /// # Errors
    /// The runtime's, in its words.
    pub async fn join(self) -> Result<Joined, String> {
        self.0.join().await.map_err(|error| error.to_string())
    }
}

enum Place {
    Waiting(Option<Waker>),
    Answered(Answer),
    /// Nobody waits any more; the answer is dropped when it comes.
    Abandoned,
}

#[derive(Default)]
struct Outgoing {
    queue: RefCell<VecDeque<Message>>,
    pump: RefCell<Option<Waker>>,
    pump_busy: Cell<bool>,
}

/// How often this core has sent others what clients asked of partitions and groups that those own.
#[derive(Debug, Default)]
struct Crossings {
    appends: Cell<u64>,
    reads: Cell<u64>,
    lookups: Cell<u64>,
    groups: Cell<u64>,
}

impl Crossings {
    fn count(&self, call: &Call) {
        let counter = match call {
            Call::Append(_) => &self.appends,
            Call::Read(_) => &self.reads,
            Call::Offsets(_) | Call::EpochEnds(_) => &self.lookups,
            Call::Group(..) => &self.groups,
            _ => return,
        };
        counter.set(counter.get() + 1);
    }
}

impl fmt::Display for Crossings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [&self.appends, &self.reads, &self.lookups, &self.groups].map(Cell::get);
        let [appends, reads, lookups, groups] = counts;
        write!(
            f,
            "{appends} appends, {reads} reads, {lookups} lookups, {groups} group requests"
        )
    }
}

/// This core's side of the mesh.
pub struct Mesh {
    me: ShardId,
    crossings: Crossings,
    senders: Senders<Message>,
    outgoing: Vec<Outgoing>,
    places: RefCell<Slab<Place>>,
}

impl Mesh {
    /// Takes over the sending side of a joined mesh.
    pub fn new(senders: Senders<Message>) -> Rc<Mesh> {
        let cores = senders.nr_consumers();
        let mesh = Rc::new(Mesh {
            me: ShardId(senders.peer_id()),
            crossings: Crossings::default(),
            senders,
            outgoing: (0..cores).map(|_| Outgoing::default()).collect(),
            places: RefCell::new(Slab::new()),
        });
        for peer in (0..cores).filter(|&peer| peer != mesh.me.0) {
            glommio::spawn_local(Rc::clone(&mesh).pump(peer)).detach();
        }
        mesh
    }

    /// This core.
    pub fn me(&self) -> ShardId {
        self.me
    }

    /// The number of cores.
    pub fn cores(&self) -> usize {
        self.outgoing.len()
    }

    /// Asks another core. The message is on its way when this returns; the future is the wait for the answer.
    pub fn call(self: &Rc<Self>, to: ShardId, call: Call) -> Pending {
        self.crossings.count(&call);
        let ticket = self.places.borrow_mut().insert(Place::Waiting(None));
        self.post(to, Message::Call(ticket, call));
        Pending {
            mesh: Rc::clone(self),
            ticket,
        }
    }

    /// What has crossed from here, for the log.
    pub fn crossings(&self) -> impl fmt::Display {
        &self.crossings
    }

    /// Sends a message without waiting; order to each core is kept.
    pub fn post(&self, to: ShardId, message: Message) {
        assert_ne!(to, self.me, "a core does not send to itself");
        let outgoing = &self.outgoing[to.0];
        let mut queue = outgoing.queue.borrow_mut();
        let message = if queue.is_empty() && !outgoing.pump_busy.get() {
            match self.senders.try_send_to(to.0, message) {
                Ok(()) => return,
                Err(GlommioError::WouldBlock(ResourceType::Channel(message))) => message,
                // The other core has stopped; so will this one.
                Err(_) => return,
            }
        } else {
            message
        };
        queue.push_back(message);
        if let Some(pump) = outgoing.pump.take() {
            pump.wake();
        }
    }

    /// Puts an answer in its place.
    pub fn answered(&self, ticket: Ticket, answer: Answer) {
        let mut places = self.places.borrow_mut();
        match std::mem::replace(&mut places[ticket], Place::Answered(answer)) {
            Place::Waiting(waker) => {
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            Place::Abandoned => drop(places.remove(ticket)),
            Place::Answered(_) => unreachable!("a call is answered once"),
        }
    }

    /// Moves what did not fit into a channel at once.
    async fn pump(self: Rc<Self>, peer: usize) {
        loop {
            let message = self.next_outgoing(peer).await;
            let sent = self.senders.send_to(peer, message).await;
            self.outgoing[peer].pump_busy.set(false);
            if sent.is_err() {
                return;
            }
        }
    }

    async fn next_outgoing(&self, peer: usize) -> Message {
        let outgoing = &self.outgoing[peer];
        poll_fn(|cx| match outgoing.queue.borrow_mut().pop_front() {
            Some(message) => {
                outgoing.pump_busy.set(true);
                Poll::Ready(message)
            }
            None => {
                *outgoing.pump.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            }
        })
        .await
    }
}

/// The wait for an answer. Dropping it abandons the answer, not the work.
pub struct Pending {
    mesh: Rc<Mesh>,
    ticket: Ticket,
}

impl Future for Pending {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let mut places = self.mesh.places.borrow_mut();
        let place = &mut places[self.ticket];
        match std::mem::replace(place, Place::Waiting(Some(cx.waker().clone()))) {
            Place::Answered(answer) => {
                *place = Place::Abandoned;
                Poll::Ready(answer)
            }
            _ => Poll::Pending,
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut places = self.mesh.places.borrow_mut();
        match &places[self.ticket] {
            Place::Waiting(_) => places[self.ticket] = Place::Abandoned,
            Place::Answered(_) | Place::Abandoned => drop(places.remove(self.ticket)),
        }
    }
}
