//! One connection: three tasks on one core, reader, dispatcher and sender.
//!
//! Only Produce is dispatched behind an unanswered Produce. Any other request waits for what came before it on its
//! connection, and holds back what comes after, since clients count on that (commit then fetch, create then produce).

use super::budget::{Budget, Share};
use super::frame_reader::{Frame, FrameReader};
use super::registry::{Registered, Registry};
use super::reply_queue::{Reply, ReplyQueue};
use super::send::{ColdReads, Outbox};
use super::stopwatch::Stopwatch;
use super::stream::{Scratch, SocketBuffers, Stream};
use crate::api::{self, Client, Handled, Outcome};
use crate::limits;
use bytes::Bytes;
use futures_lite::future::{or, poll_once};
use glommio::channels::local_channel::{self, LocalReceiver, LocalSender};
use glommio::net::AcceptedTcpStream;
use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Instant;

/// What the connections of one core share.
pub struct Core {
    /// Everything a request may ask for.
    pub api: Rc<api::Context>,
    /// Memory for frames.
    pub budget: Rc<Budget>,
    /// Requests received and not yet dispatched (`queued.max.requests`).
    pub slots: Rc<Budget>,
    /// Memory for cold reads.
    pub cold_reads: ColdReads,
    /// Where receives land.
    pub scratch: Scratch,
    /// Who is connected.
    pub registry: Rc<Registry>,
    /// `socket.request.max.bytes`
    pub max_frame_bytes: usize,
    /// `socket.send.buffer.bytes`, `socket.receive.buffer.bytes`
    pub socket_buffers: SocketBuffers,
}

/// A frame on its way to the dispatcher, with its places among the queued requests: its connection's or the core's.
struct Queued {
    bytes: Bytes,
    held: Held,
    slots: (Share, Share),
    watch: Stopwatch,
}

/// What a frame holds until its request is answered: memory of the core, and of what its connection may have of it.
pub struct Held {
    _core: Share,
    _connection: Share,
}

/// What one connection may have, whatever the others do; only what goes beyond comes out of what all share.
struct Own {
    /// Bytes of frames whose requests are not answered.
    memory: Rc<Budget>,
    /// Requests that wait for the dispatcher.
    slots: Rc<Budget>,
}

/// Serves an accepted socket until either side ends it. `admitted` is held for as long as the connection lives.
pub fn serve<A: 'static>(
    core: Rc<Core>,
    accepted: AcceptedTcpStream,
    listener: usize,
    admitted: A,
) {
    let stream = match Stream::adopt(accepted, core.socket_buffers) {
        Ok(stream) => stream,
        // The client has gone again.
        Err(error) => return log::debug!("a connection ended before it began: {error}"),
    };
    let registered = core.registry.enter(Rc::clone(&stream));
    let client = Client::new(stream.peer(), listener, Rc::clone(&registered.entry.gone));
    let (frames, incoming) = local_channel::new_bounded(limits::QUEUED_FRAMES_PER_CONNECTION);
    let replies = Rc::new(ReplyQueue::default());
    glommio::spawn_local(read(
        Rc::clone(&core),
        Rc::clone(&stream),
        Rc::clone(&registered.entry),
        frames,
    ))
    .detach();
    glommio::spawn_local(dispatch(
        Rc::clone(&core),
        Rc::new(client),
        incoming,
        Rc::clone(&replies),
        Rc::clone(&stream),
    ))
    .detach();
    glommio::spawn_local(send(core, stream, replies, registered, admitted)).detach();
}

async fn read(
    core: Rc<Core>,
    stream: Rc<Stream>,
    entry: Rc<super::registry::Entry>,
    frames: LocalSender<Queued>,
) {
    let mut reader = FrameReader::new(
        Rc::clone(&stream),
        Rc::clone(&core.scratch),
        Rc::clone(&core.budget),
        core.max_frame_bytes,
        Rc::clone(&entry.partial),
    );
    let own = Own {
        memory: Budget::new(limits::FRAME_MEMORY_PER_CONNECTION),
        slots: Budget::new(1),
    };
    loop {
        match reader.next().await {
            Ok(Some(frame)) => {
                entry.touch(frame.whole);
                let queued = admit(&core, &own, frame).await;
                if frames.send(queued).await.is_err() {
                    break;
                }
            }
            Ok(None) => break,
            Err(error) => {
                log::debug!("{}: {error}; closing", stream.peer());
                break;
            }
        }
    }
    entry.gone.raise();
}

/// Waits until the connection may have one more request. A client that does not take its answers waits here for itself
/// alone: its requests never use up what the others need.
async fn admit(core: &Core, own: &Own, frame: Frame) -> Queued {
    let watch = Stopwatch::start(&frame);
    let mut memory = own.memory.share();
    memory.grow(frame.bytes.len()).await;
    let mut slots = (own.slots.share(), core.slots.share());
    or(slots.0.grow(1), slots.1.grow(1)).await;
    Queued {
        bytes: frame.bytes,
        held: Held {
            _core: frame.share,
            _connection: memory,
        },
        slots,
        watch,
    }
}

async fn dispatch(
    core: Rc<Core>,
    client: Rc<Client>,
    frames: LocalReceiver<Queued>,
    replies: Rc<ReplyQueue>,
    stream: Rc<Stream>,
) {
    while let Some(queued) = frames.recv().await {
        let (bytes, held, slots) = (queued.bytes, queued.held, queued.slots);
        let mut watch = queued.watch;
        replies.room(limits::REPLIES_PER_CONNECTION).await;
        if !api::may_overtake(&bytes) {
            replies.all_answered().await;
        }
        drop(slots);
        watch.turn();
        let handled = api::handle(&core.api, &client, bytes).await;
        watch.handled();
        match handled {
            Handled::Now(Outcome::Close) => {
                replies.push(Reply::Ready(Outcome::Close), watch);
                break;
            }
            Handled::Now(outcome) => replies.push(Reply::Ready(outcome), watch),
            Handled::Later(answer) => replies.push(Reply::Later(answer, held), watch),
        }
    }
    replies.close();
    // The reader may still wait for bytes that nobody wants any more.
    stream.shut_down(Shutdown::Read);
}

async fn send<A>(
    core: Rc<Core>,
    stream: Rc<Stream>,
    replies: Rc<ReplyQueue>,
    registered: Registered,
    admitted: A,
) {
    let mut outbox = Outbox::new(Rc::clone(&stream), Rc::clone(&core.cold_reads));
    let (sending, queued) = (outbox.sending(), Rc::downgrade(&replies));
    registered.entry.ask_for_deleted(move || {
        sending.holds_deleted()
            || queued
                .upgrade()
                .is_some_and(|queued| queued.holds_deleted())
    });
    if let Err(error) = send_in_order(&replies, &mut outbox).await {
        log::debug!("{}: sending failed: {error}", stream.peer());
    }
    registered.entry.gone.raise();
    replies.close();
    while let Some((reply, _)) = replies.try_next() {
        if matches!(reply, Reply::Later(..)) {
            replies.answered();
        }
    }
    stream.shut_down(Shutdown::Both);
    drop((registered, admitted));
}

/// Sends until the queue is closed and empty, or an answer says to close.
async fn send_in_order(replies: &ReplyQueue, outbox: &mut Outbox) -> io::Result<()> {
    loop {
        let (reply, mut watch) = match replies.try_next() {
            Some(next) => next,
            None => {
                outbox.flush().await?;
                match replies.next().await {
                    Some(next) => next,
                    None => return Ok(()),
                }
            }
        };
        match resolve(reply, &mut watch, replies, outbox).await? {
            Outcome::Answer(answer) => outbox.put(answer, watch).await?,
            Outcome::Silence => watch.sent(Instant::now()),
            Outcome::Close => return outbox.flush().await,
        }
    }
}

/// Waits for an answer; what is gathered leaves before the wait.
async fn resolve(
    reply: Reply,
    watch: &mut Stopwatch,
    replies: &ReplyQueue,
    outbox: &mut Outbox,
) -> io::Result<Outcome> {
    let (mut answer, held) = match reply {
        Reply::Ready(outcome) => return Ok(outcome),
        Reply::Later(answer, held) => (answer, held),
    };
    let outcome = match poll_once(&mut answer).await {
        Some(outcome) => Ok(outcome),
        None => match outbox.flush().await {
            Ok(()) => Ok(answer.await),
            Err(error) => Err(error),
        },
    };
    watch.answered();
    replies.answered();
    drop(held);
    outcome
}
