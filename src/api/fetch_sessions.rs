//! Fetch sessions (KIP-227): a client that fetches the same partitions again names only what has changed, and is told only
//! what is new.
//!
//! The sessions of a core are known to that core: a client that comes back through another one is told that its session is
//! not found and starts over, which the protocol allows at any time. Slots are bounded; sessions that were asked for and
//! never used again (some clients ask anew with every fetch) are the first to go.

use crate::wire::Text;
use crate::wire::messages::fetch::{FetchRequest, PartitionData};
use crate::wire::{ErrorCode, Records};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// `session_epoch` of a request that wants no session, or ends one.
const FINAL_EPOCH: i32 = -1;
/// `session_epoch` of a request that wants a new session.
const INITIAL_EPOCH: i32 = 0;
/// A session in use goes only when it has been quiet for this long (`min.incremental.fetch.session.eviction.ms`).
const QUIET_BEFORE_EVICTION: Duration = Duration::from_secs(120);

/// One partition that a client wants, and from where.
#[derive(Clone, Debug)]
pub struct Interest {
    /// Empty where topics are named by id.
    pub topic: Text,
    /// Nil where topics are named by name.
    pub topic_id: Uuid,
    /// The partition's index.
    pub partition: i32,
    /// From this offset.
    pub fetch_offset: i64,
    /// At most this many bytes.
    pub max_bytes: i32,
    /// The client's idea of the leader epoch, -1 for none.
    pub current_leader_epoch: i32,
    /// Epoch of the client's last batch, -1 for none.
    pub last_fetched_epoch: i32,
    /// Its place in the session.
    place: u64,
}

/// What to fetch for a request, and under which session to answer.
#[derive(Debug)]
pub struct Opened {
    /// 0 for none.
    pub session_id: i32,
    /// In the order in which they are to be served.
    pub interests: Vec<Interest>,
    /// Only news are answered.
    incremental: bool,
}

/// Why a request does not fit its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionError {
    /// No such session: never was, or was evicted.
    NotFound,
    /// Not the epoch that comes next.
    Epoch,
    /// The session names topics one way and the request the other.
    NamesAndIdsMixed,
}

type PartitionName = (Text, Uuid, i32);

/// What the client was told last of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    high_watermark: i64,
    log_start_offset: i64,
}

const NOTHING_TOLD: Told = Told {
    high_watermark: -1,
    log_start_offset: -1,
};

#[derive(Debug)]
struct Session {
    by_id: bool,
    next_epoch: i32,
    last_used: Instant,
    next_place: u64,
    places: HashMap<PartitionName, u64>,
    interests: BTreeMap<u64, (Interest, Told)>,
}

/// The sessions of one core.
#[derive(Debug)]
pub struct FetchSessions {
    slots: usize,
    last_id: i32,
    sessions: HashMap<i32, Session>,
}

impl FetchSessions {
    /// At most `slots` sessions at a time.
    pub fn new(slots: usize) -> FetchSessions {
        FetchSessions {
            slots,
            last_id: 0,
            sessions: HashMap::new(),
        }
    }

    /// Finds or makes the session of a request and brings it up to date.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub fn open(
        &mut self,
        request: &FetchRequest,
        by_id: bool,
        now: Instant,
    ) -> Result<Opened, SessionError> {
        let id = request.session_id;
        match request.session_epoch {
            FINAL_EPOCH => {
                self.sessions.remove(&id);
                Ok(without_session(request))
            }
            INITIAL_EPOCH => {
                self.sessions.remove(&id);
                if !self.make_room(now) {
                    return Ok(without_session(request));
                }
                let id = self.new_id();
                let session = self.sessions.entry(id).or_insert(Session::new(by_id, now));
                session.follow(request);
                Ok(session.opened(id, false))
            }
            epoch => {
                let session = self.sessions.get_mut(&id).ok_or(SessionError::NotFound)?;
                if session.by_id != by_id {
                    return Err(SessionError::NamesAndIdsMixed);
                }
                if session.next_epoch != epoch {
                    return Err(SessionError::Epoch);
                }
                session.next_epoch = epoch.checked_add(1).unwrap_or(1);
                session.last_used = now;
                session.follow(request);
                Ok(session.opened(id, true))
            }
        }
    }

    /// Whether the client is to be told of a partition, and remembers what it is told. A partition with data goes to the
    /// session's tail, so that those behind it get their turn.
    pub fn is_news(&mut self, opened: &Opened, interest: &Interest, data: &PartitionData) -> bool {
        let Some(session) = self.sessions.get_mut(&opened.session_id) else {
            return true;
        };
        let Some((_, told)) = session.interests.get_mut(&interest.place) else {
            return true;
        };
        let now = Told {
            high_watermark: data.high_watermark,
            log_start_offset: data.log_start_offset,
        };
        let has_data = !matches!(&data.records, Records::Bytes(bytes) if bytes.is_empty());
        let failed = data.error_code != ErrorCode::NONE;
        let diverged = data.diverging_epoch.end_offset >= 0;
        let news = has_data || failed || diverged || *told != now;
        // After an error the next good answer is told in any case.
        *told = if failed { NOTHING_TOLD } else { now };
        if has_data {
            session.move_to_tail(interest);
        }
        news || !opened.incremental
    }

    fn new_id(&mut self) -> i32 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if !self.sessions.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }

    /// Evicts the session that is missed least, where that is needed and one may go.
    fn make_room(&mut self, now: Instant) -> bool {
        if self.sessions.len() < self.slots {
            return true;
        }
        let candidate = self
            .sessions
            .iter()
            .filter(|(_, session)| {
                let quiet = now.saturating_duration_since(session.last_used);
                session.next_epoch == 1 || quiet >= QUIET_BEFORE_EVICTION
            })
            .min_by_key(|(_, session)| (session.next_epoch != 1, session.last_used))
            .map(|(&id, _)| id);
        candidate.is_some_and(|id| self.sessions.remove(&id).is_some())
    }
}

impl Session {
    fn new(by_id: bool, now: Instant) -> Session {
        Session {
            by_id,
            next_epoch: 1,
            last_used: now,
            next_place: 0,
            places: HashMap::new(),
            interests: BTreeMap::new(),
        }
    }

    /// Adds, changes and forgets partitions as the request says.
    fn follow(&mut self, request: &FetchRequest) {
        for interest in interests(request) {
            let name = name(&interest);
            match self.places.get(&name) {
                Some(place) => {
                    if let Some((known, _)) = self.interests.get_mut(place) {
                        *known = Interest {
                            topic: known.topic.clone(),
                            place: *place,
                            ..interest
                        };
                    }
                }
                None => self.insert(interest, NOTHING_TOLD),
            }
        }
        for topic in &request.forgotten_topics_data {
            for &partition in &topic.partitions {
                let name = (topic.topic.clone(), topic.topic_id, partition);
                if let Some(place) = self.places.remove(&name) {
                    self.interests.remove(&place);
                }
            }
        }
    }

    fn insert(&mut self, mut interest: Interest, told: Told) {
        // A copy: a name that is a slice of its request would keep the whole frame in memory.
        interest.topic = Text::from(&*interest.topic);
        interest.place = self.next_place;
        self.next_place += 1;
        self.places.insert(name(&interest), interest.place);
        self.interests.insert(interest.place, (interest, told));
    }

    fn move_to_tail(&mut self, interest: &Interest) {
        if let Some((interest, told)) = self.interests.remove(&interest.place) {
            self.insert(interest, told);
        }
    }

    fn opened(&self, session_id: i32, incremental: bool) -> Opened {
        Opened {
            session_id,
            interests: self
                .interests
                .values()
                .map(|(interest, _)| interest.clone())
                .collect(),
            incremental,
        }
    }
}

fn without_session(request: &FetchRequest) -> Opened {
    Opened {
        session_id: 0,
        interests: interests(request).collect(),
        incremental: false,
    }
}

fn interests(request: &FetchRequest) -> impl Iterator<Item = Interest> + '_ {
    request.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| Interest {
            topic: topic.topic.clone(),
            topic_id: topic.topic_id,
            partition: partition.partition,
            fetch_offset: partition.fetch_offset,
            max_bytes: partition.partition_max_bytes,
            current_leader_epoch: partition.current_leader_epoch,
            last_fetched_epoch: partition.last_fetched_epoch,
            place: 0,
        })
    })
}

fn name(interest: &Interest) -> PartitionName {
    (
        interest.topic.clone(),
        interest.topic_id,
        interest.partition,
    )
}

#[cfg(test)]
mod tests;
