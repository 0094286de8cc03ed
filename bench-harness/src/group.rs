//! Members of a consumer group by the classic protocol, a thread each, and the moment at which the group stands.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use vltava::client::group_admin::coordinator;
use vltava::client::{Connection, Timeouts};
use vltava::wire::messages::heartbeat::HeartbeatRequest;
use vltava::wire::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
};
use vltava::wire::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use vltava::wire::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use vltava::wire::{ErrorCode, Text};

use crate::args::CommonArgs;
use crate::probe::until_it_works;
use crate::run::BenchError;
use crate::signals::interrupted;
use crate::target;

/// A member that is silent for so long is taken for gone.
const SESSION_TIMEOUT_MS: i32 = 30_000;
/// How long the coordinator waits for members.
const REBALANCE_TIMEOUT_MS: i32 = 60_000;
/// A group that does not stand after this never will.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often who waits looks for signals.
const LOOK_UP: Duration = Duration::from_millis(50);
const PROTOCOL_TYPE: &str = "consumer";
const PROTOCOL: &str = "range";

/// A group of one coordinator.
pub struct Group {
    name: String,
    coordinator: String,
    heartbeat: Duration,
    state: Arc<State>,
}

/// What the members have found out.
#[derive(Default)]
struct State {
    standing: Mutex<Standing>,
    changed: Condvar,
}

/// Which members have the assignment of which generation.
#[derive(Debug, Default)]
struct Standing {
    /// Of each member that has one.
    generations: BTreeMap<u64, i32>,
    /// How many members each generation has, as its leader was told.
    sizes: BTreeMap<i32, usize>,
    /// Why there will be no more.
    failed: Option<String>,
    next_member: u64,
}

impl Standing {
    /// Whether so many members have the assignment of one generation that has them all, and no others.
    fn is_of(&self, members: usize) -> bool {
        let Some(&newest) = self.generations.values().max() else {
            return false;
        };
        let have = self.generations.values().filter(|&&g| g == newest).count();
        have == members && self.sizes.get(&newest) == Some(&members)
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Standing)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

/// One member; it leaves when it is told to.
pub struct Member {
    leave: Sender<()>,
    thread: JoinHandle<Result<(), BenchError>>,
}

impl Member {
    /// Leaves the group.
    ///
    /// # Errors
    /// When it could not be a member to the end.
    pub fn leave(self) -> Result<(), BenchError> {
        // If the thread is gone already, it says why.
        let _ = self.leave.send(());
        self.thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Group {
    /// A group that nobody has used yet.
    ///
    /// # Errors
    /// When the cluster has no coordinator for it.
    pub fn find(common: &CommonArgs, heartbeat: Duration) -> Result<Group, BenchError> {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now_ns = since_1970.map_or(0, |since| since.as_nanos());
        let name = format!("vltava-bench-{now_ns}");
        let mut cluster = target::connect(common)?;
        let mut address = String::new();
        // A coordinator is named before it has its part of the groups.
        until_it_works(|| {
            let found = coordinator(&mut cluster, &name)?;
            address = format!("{}:{}", found.host, found.port);
            let mut connection = Connection::open(&address, "vltava-bench", timeouts())?;
            let request = HeartbeatRequest {
                group_id: name.as_str().into(),
                member_id: "nobody".into(),
                ..HeartbeatRequest::default()
            };
            match connection.call(&request)?.error_code {
                ErrorCode::UNKNOWN_MEMBER_ID => Ok(()),
                code => Err(refused("Heartbeat", code)),
            }
        })?;
        Ok(Group {
            name,
            coordinator: address,
            heartbeat,
            state: Arc::default(),
        })
    }

    /// One member more.
    pub fn join(&self) -> Member {
        let (leave, left) = mpsc::channel();
        let number = {
            let mut standing = self.state.lock();
            standing.next_member += 1;
            standing.next_member
        };
        let state = Arc::clone(&self.state);
        let (name, address) = (self.name.clone(), self.coordinator.clone());
        let heartbeat = self.heartbeat;
        let thread = std::thread::spawn(move || {
            let mut participant = Participant {
                connection: Connection::open(&address, "vltava-bench", timeouts())?,
                group: name.as_str().into(),
                member_id: Text::default(),
                generation: -1,
                number,
                state: &state,
            };
            let ended = participant.take_part(&left, heartbeat);
            if let Err(error) = &ended {
                state.change(|standing| standing.failed = Some(error.to_string()));
            }
            ended
        });
        Member { leave, thread }
    }

    /// Waits until so many members have the assignment of one generation.
    ///
    /// # Errors
    /// When one of them failed, it takes too long, or a signal came.
    pub fn wait_until_it_stands(&self, members: usize) -> Result<(), BenchError> {
        let (began, interrupted) = (Instant::now(), interrupted()?);
        let mut standing = self.state.lock();
        while !standing.is_of(members) {
            if let Some(reason) = &standing.failed {
                return Err(BenchError::Other(format!("a member failed: {reason}")));
            }
            if began.elapsed() > PATIENCE || interrupted.load(Ordering::Relaxed) {
                let after = began.elapsed();
                return Err(BenchError::Other(format!(
                    "the group of {members} does not stand after {after:.1?}: {standing:?}"
                )));
            }
            let waited = self.state.changed.wait_timeout(standing, LOOK_UP);
            standing = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}

/// The coordinator holds the answer to a join until all members are there.
fn timeouts() -> Timeouts {
    Timeouts {
        request: PATIENCE,
        ..Timeouts::default()
    }
}

/// What a member's thread does.
struct Participant<'a> {
    connection: Connection,
    group: Text,
    member_id: Text,
    generation: i32,
    number: u64,
    state: &'a State,
}

impl Participant<'_> {
    fn take_part(
        &mut self,
        left: &mpsc::Receiver<()>,
        heartbeat: Duration,
    ) -> Result<(), BenchError> {
        self.join()?;
        loop {
            match left.recv_timeout(heartbeat) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return self.leave(),
            }
            if self.heartbeat()? {
                self.join()?;
            }
        }
    }

    /// Joins again and again until it has the assignment of a generation.
    fn join(&mut self) -> Result<(), BenchError> {
        let number = self.number;
        self.state.change(|standing| {
            standing.generations.remove(&number);
        });
        loop {
            let answer = self.connection.call(&self.join_request())?;
            match answer.error_code {
                ErrorCode::NONE => {}
                ErrorCode::MEMBER_ID_REQUIRED => {
                    self.member_id = answer.member_id;
                    continue;
                }
                ErrorCode::REBALANCE_IN_PROGRESS => continue,
                code => return Err(refused("JoinGroup", code)),
            }
            self.member_id = answer.member_id.clone();
            self.generation = answer.generation_id;
            if self.sync(&answer)? {
                let generation = self.generation;
                self.state.change(|standing| {
                    standing.generations.insert(number, generation);
                });
                return Ok(());
            }
        }
    }

    fn join_request(&self) -> JoinGroupRequest {
        JoinGroupRequest {
            group_id: self.group.clone(),
            session_timeout_ms: SESSION_TIMEOUT_MS,
            rebalance_timeout_ms: REBALANCE_TIMEOUT_MS,
            member_id: self.member_id.clone(),
            protocol_type: PROTOCOL_TYPE.into(),
            protocols: vec![JoinGroupRequestProtocol {
                name: PROTOCOL.into(),
                metadata: Bytes::from_static(NOTHING),
            }],
            ..JoinGroupRequest::default()
        }
    }

    /// Waits for the assignment, which the leader sends; whether it came.
    fn sync(&mut self, joined: &JoinGroupResponse) -> Result<bool, BenchError> {
        let leads = joined.leader == joined.member_id;
        let share = |member: &vltava::wire::messages::join_group::JoinGroupResponseMember| {
            SyncGroupRequestAssignment {
                member_id: member.member_id.clone(),
                assignment: Bytes::from_static(NOTHING),
            }
        };
        if leads {
            let (generation, size) = (self.generation, joined.members.len());
            self.state.change(|standing| {
                standing.sizes = BTreeMap::from([(generation, size)]);
            });
        }
        let request = SyncGroupRequest {
            group_id: self.group.clone(),
            generation_id: self.generation,
            member_id: self.member_id.clone(),
            protocol_type: Some(PROTOCOL_TYPE.into()),
            protocol_name: Some(PROTOCOL.into()),
            assignments: joined.members.iter().filter(|_| leads).map(share).collect(),
            ..SyncGroupRequest::default()
        };
        match self.connection.call(&request)?.error_code {
            ErrorCode::NONE => Ok(true),
            ErrorCode::REBALANCE_IN_PROGRESS | ErrorCode::ILLEGAL_GENERATION => Ok(false),
            code => Err(refused("SyncGroup", code)),
        }
    }

    /// Whether there is a rebalance.
    fn heartbeat(&mut self) -> Result<bool, BenchError> {
        let request = HeartbeatRequest {
            group_id: self.group.clone(),
            generation_id: self.generation,
            member_id: self.member_id.clone(),
            ..HeartbeatRequest::default()
        };
        match self.connection.call(&request)?.error_code {
            ErrorCode::NONE => Ok(false),
            ErrorCode::REBALANCE_IN_PROGRESS | ErrorCode::ILLEGAL_GENERATION => Ok(true),
            code => Err(refused("Heartbeat", code)),
        }
    }

    fn leave(&mut self) -> Result<(), BenchError> {
        let request = LeaveGroupRequest {
            group_id: self.group.clone(),
            member_id: self.member_id.clone(),
            members: vec![MemberIdentity {
                member_id: self.member_id.clone(),
                ..MemberIdentity::default()
            }],
        };
        let number = self.number;
        self.state.change(|standing| {
            standing.generations.remove(&number);
        });
        match self.connection.call(&request)?.error_code {
            ErrorCode::NONE => Ok(()),
            code => Err(refused("LeaveGroup", code)),
        }
    }
}

/// A subscription to no topic, and an assignment of no partition: version 0, an empty array, no user data.
const NOTHING: &[u8] = &[0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];

fn refused(what: &str, code: ErrorCode) -> BenchError {
    BenchError::Refused {
        what: what.to_owned(),
        code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(generations: &[(u64, i32)], sizes: &[(i32, usize)]) -> Standing {
        Standing {
            generations: generations.iter().copied().collect(),
            sizes: sizes.iter().copied().collect(),
            ..Standing::default()
        }
    }

    #[test]
    fn a_group_stands_when_all_have_the_newest_generation_and_it_has_no_others() {
        assert!(standing(&[(1, 4), (2, 4)], &[(4, 2)]).is_of(2));
        // One is still in the generation before.
        assert!(!standing(&[(1, 3), (2, 4)], &[(4, 2)]).is_of(2));
        // One has left, but the coordinator still counts it.
        assert!(!standing(&[(1, 4), (2, 4)], &[(4, 3)]).is_of(2));
        assert!(!standing(&[(1, 4)], &[(4, 1)]).is_of(2));
        assert!(!Standing::default().is_of(0));
    }
}
