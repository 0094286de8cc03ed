//! The receive side of the mesh: one loop for each other core.
//!
//! A loop never waits for anything but the next message: what can be done at once is done, what must wait gets a task.
//! So appends from one core are staged in the order in which they were sent.

use super::Shard;
use super::append::committed;
use super::mesh::Posted;
use super::message::{Answer, Call, Message, Ticket};
use crate::metrics::{Count, Stage, here};
use crate::types::ShardId;
use glommio::channels::channel_mesh::Receivers;
use std::future::Future;
use std::rc::Rc;

impl Shard {
    pub(super) fn receive_from_all(self: &Rc<Self>, mut receivers: Receivers<Posted>) {
        for (peer, receiver) in receivers.streams() {
            let shard = Rc::clone(self);
            glommio::spawn_local(async move {
                while let Some((sent, message)) = receiver.recv().await {
                    here().count(Count::MeshMessages, 1);
                    here().time_since(Stage::MeshHop, sent);
                    shard.received(ShardId(peer), message);
                }
            })
            .detach();
        }
    }

    fn received(self: &Rc<Self>, from: ShardId, message: Message) {
        match message {
            Message::Call(ticket, call) => self.called(from, ticket, call),
            Message::Answer(ticket, answer) => self.mesh.answered(ticket, answer),
            Message::Fired(id) => self.waits.fired(id),
            Message::Unwatch(id) => self.watches.remove(from, id),
            Message::Adopt(socket, listener, admitted) => {
                if let Some(adopt) = self.adopt.borrow().as_ref() {
                    adopt(socket, listener, admitted);
                }
            }
        }
    }

    fn called(self: &Rc<Self>, from: ShardId, ticket: Ticket, call: Call) {
        let shard = Rc::clone(self);
        match call {
            Call::Append(parts) => {
                let staged = self.stage(parts);
                self.answer(from, ticket, async move {
                    Answer::Append(committed(staged).await)
                });
            }
            Call::Markers(version, parts) => {
                let staged = self.stage_markers(version, parts);
                self.answer(from, ticket, async move {
                    Answer::Append(committed(staged).await)
                });
            }
            Call::Read(read) => self.answer(from, ticket, async move {
                Answer::Read(shard.plan_reads(from, *read).await)
            }),
            Call::Offsets(queries) => self.answer(from, ticket, async move {
                Answer::Offsets(shard.find_offsets(queries).await)
            }),
            Call::EpochEnds(queries) => {
                let ends = self.find_epoch_ends(&queries);
                self.answer(from, ticket, async move { Answer::EpochEnds(ends) });
            }
            Call::Ask(questions) => self.answer(from, ticket, async move {
                Answer::Replies(shard.reply_all(questions).await)
            }),
            Call::KeepLogStarts => self.answer(from, ticket, async move {
                Answer::Kept(shard.write_log_starts().await)
            }),
            Call::Install(image) => self.answer(from, ticket, async move {
                Answer::Installed(shard.install_here(image).await)
            }),
            Call::Change(change) => self.answer(from, ticket, async move {
                Answer::Changed(Box::new(shard.change_here(*change).await))
            }),
            asked @ (Call::Group(..)
            | Call::ListGroups(_)
            | Call::Transaction(..)
            | Call::ListTransactions(_)) => self.called_for_coordinators(from, ticket, asked),
            Call::Open => {
                self.open.raise();
                self.answer(from, ticket, async move { Answer::Done });
            }
            Call::Drain => self.answer(from, ticket, async move {
                shard.drain_here().await;
                Answer::Done
            }),
            Call::Checkpoint => {
                let points = self.checkpoint_here();
                self.answer(from, ticket, async move { Answer::Checkpoint(points) });
            }
            Call::Recovered(synced) => self.answer(from, ticket, async move {
                shard.recovered_here(synced).await;
                Answer::Done
            }),
            Call::Close => self.answer(from, ticket, async move {
                Answer::Checkpoint(shard.close_here().await)
            }),
        }
    }

    /// What coordinators of this core are asked.
    fn called_for_coordinators(self: &Rc<Self>, from: ShardId, ticket: Ticket, call: Call) {
        match call {
            Call::Group(partition, request) => {
                let asked = self.groups.ask(partition, *request);
                self.answer(
                    from,
                    ticket,
                    async move { Answer::Group(Box::new(asked.await)) },
                );
            }
            Call::ListGroups(filter) => {
                let asked = self.list_groups_here(filter);
                self.answer(from, ticket, async move { Answer::Groups(asked.await) });
            }
            Call::Transaction(partition, request) => {
                let asked = self.transactions.ask(partition, *request);
                self.answer(from, ticket, async move {
                    Answer::Transaction(Box::new(asked.await))
                });
            }
            Call::ListTransactions(filter) => {
                let asked = self.list_transactions_here(*filter);
                self.answer(
                    from,
                    ticket,
                    async move { Answer::Transactions(asked.await) },
                );
            }
            other => unreachable!("{other:?} is no coordinator's affair"),
        }
    }

    /// Answers a call once its work is done.
    fn answer(
        self: &Rc<Self>,
        to: ShardId,
        ticket: Ticket,
        work: impl Future<Output = Answer> + 'static,
    ) {
        let mesh = Rc::clone(&self.mesh);
        glommio::spawn_local(async move {
            let answer = work.await;
            mesh.post(to, Message::Answer(ticket, answer));
        })
        .detach();
    }
}
